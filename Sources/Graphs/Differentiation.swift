import Tensors

/// Appends the nodes that compute ∂`loss`/∂`variable` for every `variable`, by reverse accumulation.
///
/// A variable that the loss does not depend on gets a constant zero. Traps unless `loss` holds one element.
/// Cost: one gradient rule per node between the variables and the loss.
public func gradients(of loss: Value, withRespectTo variables: [Value]) -> [Value] {
  precondition(loss.shape.count == 1, "a loss is a scalar, got \(loss.shape)")
  let builder = loss.builder

  // Only nodes that lie between a variable and the loss need a rule.
  var depends = Set(variables.map(\.id.node))
  for index in 0...loss.id.node where builder.nodes[index].inputs.contains(where: { depends.contains($0.node) }) {
    depends.insert(index)
  }

  var flowing: [GraphBuilder.ID: Value] = [loss.id: builder.append(Fill(1, loss.shape), [])[0]]
  for index in (0...loss.id.node).reversed() where depends.contains(index) {
    let node = builder.nodes[index]
    let outputs = node.shapes.indices.map { Value(builder: builder, id: .init(node: index, output: $0)) }
    let upstream = outputs.map { flowing[$0.id] }
    guard upstream.contains(where: { $0 != nil }) else { continue }
    let inputs = node.inputs.map { Value(builder: builder, id: $0) }
    let rule = node.operation.gradients(GradientContext(inputs: inputs, outputs: outputs, outputGradients: upstream))
    for (input, gradient) in zip(inputs, rule) where depends.contains(input.id.node) {
      guard let gradient else { continue }
      flowing[input.id] = flowing[input.id].map { $0 + gradient } ?? gradient
    }
  }
  return variables.map { flowing[$0.id] ?? builder.append(Fill(0, $0.shape), [])[0] }
}
