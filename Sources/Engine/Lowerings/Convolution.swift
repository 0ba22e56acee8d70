import Graphs
import Tensors

extension Convolution: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    guard groups == 1 else { throw .unsupported("the engine has no convolution in groups") }
    let image = l.shape(of: inputs[0]), maps = l.shape(of: outputs[0])
    // oneDNN's fast kernels take channels in sixteens (or one, at the stem). For others it would pick a layout whose backward
    // pass exists as a reference loop only; rows of plain pictures get its matrix-product kernels in both directions.
    let isBlocked = (image[1] == 1 || image[1] % 16 == 0) && maps[1] % 16 == 0
    func layout(_ shape: Shape) -> Descriptor { isBlocked ? .any(shape, l.activation) : .plain(shape, l.activation) }
    let forward = try PrimitiveDescriptor.convolution(
      layout(image), .any(l.shape(of: inputs[1]), l.activation), layout(maps), stride: stride, padding: padding, l.library, node: l.node)
    let y = l.newBuffer(forward.layout(.destination)!)
    l.emit(forward, [
      (.source, try l.read(inputs[0], as: forward.layout(.source)!)),
      (.weights, try l.read(inputs[1], as: forward.layout(.weights)!)), (.destination, y),
    ])
    l.place(outputs[0], at: y)
    l.remember(.init(descriptor: forward), of: outputs[0])
  }
}

extension ConvolutionImageGradient: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let hint = l.forward(of: inputs[2]).descriptor
    let backward = try PrimitiveDescriptor.convolutionSourceGradient(
      hint.layout(.source)!, .any(l.shape(of: inputs[0]), l.activation), hint.layout(.destination)!, stride: forward.stride,
      padding: forward.padding, forward: hint, l.library, node: l.node)
    let dx = l.newBuffer(backward.layout(.sourceGradient)!)
    l.emit(backward, [
      (.destinationGradient, try l.read(inputs[1], as: backward.layout(.destinationGradient)!)),
      (.weights, try l.read(inputs[0], as: backward.layout(.weights)!)), (.sourceGradient, dx),
    ])
    l.place(outputs[0], at: dx)
  }
}

extension ConvolutionKernelGradient: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let hint = l.forward(of: inputs[2]).descriptor
    let backward = try PrimitiveDescriptor.convolutionWeightsGradient(
      hint.layout(.source)!, .any(l.shape(of: outputs[0]), .float32), hint.layout(.destination)!, stride: forward.stride,
      padding: forward.padding, forward: hint, l.library, node: l.node)
    let dk = l.newBuffer(backward.layout(.weightsGradient)!)
    l.emit(backward, [
      (.source, try l.read(inputs[0], as: backward.layout(.source)!)),
      (.destinationGradient, try l.read(inputs[1], as: backward.layout(.destinationGradient)!)), (.weightsGradient, dk),
    ])
    l.place(outputs[0], at: dk)
  }
}
