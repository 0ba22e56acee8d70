import Tensors

/// An operation whose multiply-adds count as the work of a network: convolutions and matrix products.
///
/// Everything else (normalisation, pooling, sums, losses) counts as none: it is bounded by memory, not by arithmetic.
public protocol MultiplyAddCounting: Operation {
  /// Multiply-adds of one execution with inputs and outputs of these shapes, taps that fall on padding included: the direct
  /// algorithm's count, whatever algorithm runs. That is how papers and other frameworks count.
  func multiplyAdds(_ inputs: [Shape], _ outputs: [Shape]) -> Int
}

extension Convolution: MultiplyAddCounting {
  /// Every output element is a sum over one kernel, `[C,K,K]` or with groups `[C/groups,K,K]`.
  public func multiplyAdds(_ inputs: [Shape], _ outputs: [Shape]) -> Int { outputs[0].count * (inputs[1].count / inputs[1][0]) }
}

extension ConvolutionImageGradient: MultiplyAddCounting {
  /// As many as forward; inputs kernel and ∂loss/∂output.
  public func multiplyAdds(_ inputs: [Shape], _ outputs: [Shape]) -> Int { inputs[1].count * (inputs[0].count / inputs[0][0]) }
}

extension ConvolutionKernelGradient: MultiplyAddCounting {
  /// As many as forward; inputs image and ∂loss/∂output, output ∂loss/∂kernel.
  public func multiplyAdds(_ inputs: [Shape], _ outputs: [Shape]) -> Int { inputs[1].count * (outputs[0].count / outputs[0][0]) }
}

extension TransposedConvolution: MultiplyAddCounting {
  /// Every input element meets one kernel `[O,K,K]`.
  public func multiplyAdds(_ inputs: [Shape], _ outputs: [Shape]) -> Int { inputs[0].count * (inputs[1].count / inputs[1][0]) }
}

extension MatrixProduct: MultiplyAddCounting {
  /// M·K·N for `[M,K]·[K,N]`.
  public func multiplyAdds(_ inputs: [Shape], _ outputs: [Shape]) -> Int {
    outputs[0].count * inputs[0][transposesLeft ? 0 : 1]
  }
}

extension Program {
  /// Multiply-adds of one run: outputs, gradients and new statistics. Twice that are its floating-point operations.
  public var multiplyAdds: Int {
    let results = (Array(outputs.values) + Array(gradients.values) + Array(updates.values))
    guard let builder = results.first?.builder else { return 0 }
    return builder.nodesNeeded(for: results.map(\.id)).reduce(0) { $0 + builder.multiplyAdds(ofNode: $1) }
  }

  /// Of one node of the program's graph.
  package func multiplyAdds(ofNode index: Int) -> Int {
    (outputs.values.first ?? gradients.values.first ?? updates.values.first)?.builder.multiplyAdds(ofNode: index) ?? 0
  }

  /// Floating-point operations of one run: two per multiply-add.
  public var floatingPointOperations: Int { 2 * multiplyAdds }
}

extension GraphBuilder {
  fileprivate func multiplyAdds(ofNode index: Int) -> Int {
    let node = nodes[index]
    guard let operation = node.operation as? any MultiplyAddCounting else { return 0 }
    return operation.multiplyAdds(node.inputs.map { nodes[$0.node].shapes[$0.output] }, node.shapes)
  }
}
