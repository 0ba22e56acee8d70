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
    if inputs.count == 2 {
      try l.lowerBinary(.add, inputs, outputs, rectifies: limit == nil)
      if let limit { try l.clip(l.location(of: outputs[0]), to: l.location(of: outputs[0]), at: limit) }
      return
    }
    if let limit {
      let x = l.location(of: inputs[0]), y = l.newBuffer(x.descriptor)
      try l.clip(x, to: y, at: limit)
      return l.place(outputs[0], at: y)
    }
    let x = l.location(of: inputs[0]), y = l.newBuffer(x.descriptor)
    l.emit(try .rectifier(x.descriptor, l.library, node: l.node), [(.source, x), (.destination, y)])
    l.place(outputs[0], at: y)
  }
}

extension ReLUGradient: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let y = l.location(of: inputs[0]), dy = try l.read(inputs[1], as: y.descriptor), dx = l.newBuffer(y.descriptor)
    if let limit {
      try l.clipGradient(y, dy, to: dx, at: limit)
      return l.place(outputs[0], at: dx)
    }
    let hint = try PrimitiveDescriptor.rectifier(y.descriptor, l.library, node: l.node)
    l.emit(
      try .rectifierGradient(y.descriptor, forward: hint, l.library, node: l.node),
      [(.destination, y), (.destinationGradient, dy), (.sourceGradient, dx)])
    l.place(outputs[0], at: dx)
  }
}

extension Lowering {
  /// `min(limit, max(0, x))`, also in place.
  func clip(_ x: Location, to y: Location, at limit: Double) throws(EngineError) {
    let clip = try PrimitiveDescriptor.clip(x.descriptor, at: x.descriptor.number.held(limit), library, node: node)
    emit(clip, [(.source, x), (.destination, y)])
  }

  /// `dy` where `0 < y < limit`.
  func clipGradient(_ y: Location, _ dy: Location, to dx: Location, at limit: Double) throws(EngineError) {
    let gradient = try PrimitiveDescriptor.clipGradient(y.descriptor, at: y.descriptor.number.held(limit), library, node: node)
    emit(gradient, [(.destination, y), (.destinationGradient, dy), (.sourceGradient, dx)])
  }

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

extension Descriptor.Number {
  /// The nearest number that this type holds: what was cut at a limit compares equal with it then.
  fileprivate func held(_ value: Double) -> Float {
    let bits = Float(value).bitPattern
    return self == .float32 ? Float(value) : Float(bitPattern: (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000)
  }
}
