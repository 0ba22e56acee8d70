import Tensors

/// One kind of graph node: what it means, what shapes it yields, how it is differentiated.
public protocol Operation: Sendable {
  /// Shapes of the outputs; throws when `inputs` do not fit together.
  func outputShapes(_ inputs: [Shape]) throws(ShapeError) -> [Shape]
  /// The definition in double precision, written to be read: the oracle of every fast path.
  func reference(_ inputs: [Tensor<Double>]) -> [Tensor<Double>]
  /// Nodes computing ∂loss/∂input, one per input; `nil` where no gradient flows.
  func gradients(_ node: GradientContext) -> [Value?]
}

/// The values a gradient rule may use.
public struct GradientContext {
  public let inputs: [Value]
  public let outputs: [Value]
  /// ∂loss/∂output per output; `nil` where the loss does not depend on it.
  public let outputGradients: [Value?]
}

/// Shapes that do not fit together, in words.
public struct ShapeError: Error, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

extension [Shape] {
  /// Throws unless there are `count` shapes.
  func require(count expected: Int, for name: String) throws(ShapeError) {
    guard count == expected else { throw ShapeError("\(name) takes \(expected) inputs, got \(count)") }
  }
}
