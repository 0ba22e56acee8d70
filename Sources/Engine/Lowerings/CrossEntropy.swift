import Graphs
import Tensors

extension CrossEntropy: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    try l.emitLoop(.crossEntropy(l.shape(of: inputs[0])), inputs, outputs)
  }
}

extension CrossEntropyGradient: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    try l.emitLoop(.crossEntropyGradient(l.shape(of: inputs[0])), inputs, outputs)
  }
}

extension BinaryCrossEntropy: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    try l.emitLoop(.binaryCrossEntropy(count: l.shape(of: inputs[0]).count), inputs, outputs)
  }
}

extension BinaryCrossEntropyGradient: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    try l.emitLoop(.binaryCrossEntropyGradient(count: l.shape(of: inputs[0]).count), inputs, outputs)
  }
}

extension MaskedMean: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    try l.emitLoop(.maskedMean(l.shape(of: inputs[0])), inputs, outputs)
  }
}

extension MaskedMeanGradient: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    try l.emitLoop(.maskedMeanGradient(l.shape(of: outputs[0])), inputs, outputs)
  }
}

extension Lowering {
  /// A loop on row-major float32 arrays: `inputs`, then `outputs`.
  func emitLoop(_ kernel: NativeKernel, _ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID]) throws(EngineError) {
    var places: [Location] = []
    for input in inputs { places.append(try readPlain(input)) }
    let made = outputs.map { newBuffer(.plain(shape(of: $0))) }
    emit(kernel, places + made)
    for (output, location) in zip(outputs, made) { place(output, at: location) }
  }
}
