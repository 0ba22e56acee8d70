import Graphs
import Tensors

extension Reshape: Lowerable {
  /// The same row-major bytes under another shape: no work.
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let x = try l.readPlain(inputs[0])
    l.place(outputs[0], at: .init(buffer: x.buffer, descriptor: .plain(l.shape(of: outputs[0]))))
  }
}

extension Mirror: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let shape = l.shape(of: inputs[0]), below = shape.extents.dropFirst(axis + 1).reduce(1, *), extent = shape[axis]
    try l.emitKernel(inputs, outputs) { x in
      [x[0].indices.map { x[0][$0 + (extent - 1 - 2 * ($0 / below % extent)) * below] }]
    }
  }
}

extension Sum: Lowerable {
  /// Accumulates in double precision.
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    try l.emitKernel(inputs, outputs) { x in [[Float(x[0].reduce(0.0) { $0 + Double($1) })]] }
  }
}

extension Broadcast: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let count = l.shape(of: outputs[0]).count
    try l.emitKernel(inputs, outputs) { x in [Array(repeating: x[0][0], count: count)] }
  }
}
