import Graphs

extension Fill: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let filled = [Float](repeating: Float(value), count: l.shape(of: outputs[0]).count)
    try l.emitKernel(inputs, outputs) { _ in [filled] }
  }
}

extension Add: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    try l.lowerBinary(.add, inputs, outputs, rectifies: false)
  }
}

extension Multiply: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    try l.lowerBinary(.multiply, inputs, outputs, rectifies: false)
  }
}

extension Scale: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let x = l.location(of: inputs[0]), y = l.newBuffer(x.descriptor)
    l.emit(try .scaling(x.descriptor, by: factor, l.library, node: l.node), [(.source, x), (.destination, y)])
    l.place(outputs[0], at: y)
  }
}

extension ReLU: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    guard limit == nil else { throw .unsupported("the engine has no rectifier with a limit") }
    guard inputs.count == 1 else { return try l.lowerBinary(.add, inputs, outputs, rectifies: true) }
    let x = l.location(of: inputs[0]), y = l.newBuffer(x.descriptor)
    l.emit(try .rectifier(x.descriptor, l.library, node: l.node), [(.source, x), (.destination, y)])
    l.place(outputs[0], at: y)
  }
}

extension ReLUGradient: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let y = l.location(of: inputs[0]), dy = try l.read(inputs[1], as: y.descriptor), dx = l.newBuffer(y.descriptor)
    let hint = try PrimitiveDescriptor.rectifier(y.descriptor, l.library, node: l.node)
    l.emit(
      try .rectifierGradient(y.descriptor, forward: hint, l.library, node: l.node),
      [(.destination, y), (.destinationGradient, dy), (.sourceGradient, dx)])
    l.place(outputs[0], at: dx)
  }
}

extension Lowering {
  /// `op(a, b)` in the layout of `a`.
  func lowerBinary(
    _ pairing: PrimitiveDescriptor.Pairing, _ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], rectifies: Bool
  ) throws(EngineError) {
    let a = location(of: inputs[0]), b = try read(inputs[1], as: a.descriptor), y = newBuffer(a.descriptor)
    let binary = try PrimitiveDescriptor.binary(
      pairing, a.descriptor, b.descriptor, y.descriptor, rectifies: rectifies, library, node: node)
    emit(binary, [(.source, a), (.secondSource, b), (.destination, y)])
    place(outputs[0], at: y)
  }

  /// A kernel on row-major float32 copies of `inputs`.
  func emitKernel(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], _ kernel: @escaping Kernel) throws(EngineError) {
    var sources: [Location] = []
    for input in inputs { sources.append(try readPlain(input)) }
    let made = outputs.map { newBuffer(.plain(shape(of: $0))) }
    emit(kernel, inputs: sources, outputs: made)
    for (output, location) in zip(outputs, made) { place(output, at: location) }
  }
}
