import Graphs

/// A convolution together with the elementwise nodes behind it, computed by one primitive.
struct FusedConvolution {
  let node: Int, operation: Convolution
  /// Normalisation by given statistics, folded into the kernel; only where parameters never change.
  var normalization: (node: Int, epsilon: Double)?
  /// Added per channel.
  var bias: GraphBuilder.ID?
  /// Added before the rectifier.
  var residual: GraphBuilder.ID?
  var rectifies = false
}

/// Which nodes of a graph another node's primitive computes too.
struct Fusions {
  /// By the last node of each.
  private(set) var ends: [Int: FusedConvolution] = [:]
  /// Nodes whose own values nobody needs any more.
  private(set) var absorbed: Set<Int> = []
  /// The last node that reads each value.
  private let lastReaders: [GraphBuilder.ID: Int]
  /// Values whose memory others may need: those that leave the graph, and both sides of a reshaping, which may be the same memory.
  private let kept: Set<GraphBuilder.ID>

  /// No fusion at all.
  init() { (lastReaders, kept) = ([:], []) }

  /// - Parameters:
  ///   - needed: The nodes that will be lowered.
  ///   - wanted: Values that leave the graph.
  ///   - isFrozen: Whether parameters never change, so that a normalisation can be folded into them.
  init(_ builder: GraphBuilder, needed: [Int], wanted: [GraphBuilder.ID], isFrozen: Bool) {
    var readers: [GraphBuilder.ID: [Int]] = [:]
    for node in needed {
      let operation = builder.nodes[node].operation
      for (place, input) in builder.nodes[node].inputs.enumerated() {
        // A convolution's gradients name its result only to find the node.
        if place == 2, operation is ConvolutionImageGradient || operation is ConvolutionKernelGradient { continue }
        readers[input, default: []].append(node)
      }
    }
    lastReaders = readers.mapValues { $0.max()! }
    let leaving = Set(wanted)
    kept = needed.reduce(into: leaving) { kept, node in
      guard builder.nodes[node].operation is Reshape else { return }
      kept.formUnion([builder.nodes[node].inputs[0], .init(node: node, output: 0)])
    }

    /// The one node that reads output 0 of `node`, if nobody else needs it.
    func onlyReader(of node: Int) -> Int? {
      let value = GraphBuilder.ID(node: node, output: 0)
      guard !leaving.contains(value), let list = readers[value], list.count == 1 else { return nil }
      return list[0]
    }

    for node in needed {
      guard let operation = builder.nodes[node].operation as? Convolution else { continue }
      var fused = FusedConvolution(node: node, operation: operation), chain = [node]
      if let next = onlyReader(of: node), builder.nodes[next].inputs[0].node == node {
        if let normalization = builder.nodes[next].operation as? Normalization, isFrozen, builder.nodes[next].inputs.count == 5,
          normalization.limit == nil
        {
          fused.normalization = (next, normalization.epsilon)
          fused.rectifies = normalization.rectifies
          chain.append(next)
        } else if builder.nodes[next].operation is AddBias {
          fused.bias = builder.nodes[next].inputs[1]
          chain.append(next)
        }
      }
      if !fused.rectifies, let next = onlyReader(of: chain.last!), let rectifier = builder.nodes[next].operation as? ReLU, rectifier.limit == nil {
        let others = builder.nodes[next].inputs.filter { $0.node != chain.last! }
        // What is added must be there before; the other branch may be the later one, and then it takes this one.
        if others.isEmpty || isFrozen && others[0].node < chain.last! {
          fused.residual = others.first
          fused.rectifies = true
          chain.append(next)
        }
      }
      guard chain.count > 1, ends[chain.last!] == nil else { continue }
      ends[chain.last!] = fused
      absorbed.formUnion(chain.dropLast())
    }
  }

  /// Whether `node` may overwrite `value`: nobody reads it later.
  func isLastReader(_ node: Int, of value: GraphBuilder.ID) -> Bool { lastReaders[value] == node && !kept.contains(value) }
}
