import Graphs

extension LocalResponseNormalization: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let x = try l.readActivation(inputs[0])
    let forward = try PrimitiveDescriptor.responseNormalization(
      x.descriptor, size: size, alpha: alpha, beta: beta, k: k, l.library, node: l.node)
    let y = l.newBuffer(x.descriptor), workspace = forward.layout(.workspace).map(l.newBuffer)
    l.emit(forward, [(.source, x), (.destination, y)] + (workspace.map { [(.workspace, $0)] } ?? []))
    l.place(outputs[0], at: y)
    l.remember(.init(descriptor: forward, workspace: workspace), of: outputs[0])
  }
}

extension LocalResponseGradient: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let hint = l.forward(of: inputs[1]), x = try l.readActivation(inputs[0])
    let backward = try PrimitiveDescriptor.responseNormalizationGradient(
      x.descriptor, size: forward.size, alpha: forward.alpha, beta: forward.beta, k: forward.k, forward: hint.descriptor,
      l.library, node: l.node)
    let dx = l.newBuffer(x.descriptor)
    l.emit(
      backward,
      [(.source, x), (.destinationGradient, try l.read(inputs[2], as: x.descriptor)), (.sourceGradient, dx)]
        + (hint.workspace.map { [(.workspace, $0)] } ?? []))
    l.place(outputs[0], at: dx)
  }
}
