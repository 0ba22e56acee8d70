import Tensors

/// Runs a graph by its reference definitions in double precision: slow and exact, the oracle of every fast path.
///
/// `feeds` gives the placeholders that `wanted` depends on; one that is missing traps with its label.
public func interpret(_ wanted: [Value], feeding feeds: [(Value, Tensor<Double>)]) -> [Tensor<Double>] {
  guard let builder = wanted.first?.builder else { return [] }
  var results: [GraphBuilder.ID: Tensor<Double>] = [:]
  for (value, tensor) in feeds {
    precondition(value.shape == tensor.shape, "fed \(tensor.shape) where \(value.shape) is expected")
    results[value.id] = tensor
  }
  for index in builder.nodesNeeded(for: wanted.map(\.id)) {
    let node = builder.nodes[index]
    if node.operation is Placeholder {
      precondition(results[.init(node: index, output: 0)] != nil, "\(node.label) was not fed")
      continue
    }
    // A value that is fed overrides the node that would compute it.
    for (output, tensor) in node.operation.reference(node.inputs.map { results[$0]! }).enumerated() {
      let id = GraphBuilder.ID(node: index, output: output)
      if results[id] == nil { results[id] = tensor }
    }
  }
  return wanted.map { results[$0.id]! }
}

extension GraphBuilder {
  /// The nodes that `wanted` depends on, in an order in which they can be computed.
  package func nodesNeeded(for wanted: [ID]) -> [Int] {
    var needed = Set<Int>(), pending = wanted.map(\.node)
    while let node = pending.popLast() {
      guard needed.insert(node).inserted else { continue }
      pending += nodes[node].inputs.map(\.node)
    }
    return needed.sorted()
  }
}
