import Graphs
import Tensors

extension BernoulliMask: Lowerable {
  /// Elements are counted row-major, so dropout works on row-major numbers; examples lie apart in every layout.
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let shape = l.shape(of: inputs[0])
    if unit == .example, shape.rank == 4 {
      let (x, _) = try l.readWalkable(inputs[0]), y = l.newBuffer(x.descriptor)
      l.emit(
        .maskedExamples(
          self, count: shape[0], width: x.descriptor.byteCount / x.descriptor.number.byteCount / shape[0], x.descriptor.number),
        [x, try l.readPlain(inputs[1]), y])
      l.place(outputs[0], at: y)
    } else if unit == .example {
      try l.emitLoop(.maskedExamples(self, count: shape[0], width: shape.count / shape[0], .float32), inputs, outputs)
    } else {
      try l.emitLoop(.masked(self, count: shape.count), inputs, outputs)
    }
  }
}
