import Graphs

extension TransposedConvolution: Lowerable {
  /// What a convolution does to the gradient of its image.
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    try ConvolutionImageGradient(forward: adjoint, shape: l.shape(of: outputs[0])).lower([inputs[1], inputs[0]], outputs, in: l)
  }
}
