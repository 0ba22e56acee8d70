import Graphs
import Tensors

extension MatrixProduct: Lowerable {
  /// Always float32: heads are small and their logits should not lose bits.
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let (m, k, n) = extents(l.shape(of: inputs[0]), l.shape(of: inputs[1]))
    let a = Lowering.Location(
      buffer: try l.readPlain(inputs[0]).buffer, descriptor: .strided([m, k], transposesLeft ? [1, m] : [k, 1]))
    let b = Lowering.Location(
      buffer: try l.readPlain(inputs[1]).buffer, descriptor: .strided([k, n], transposesRight ? [1, k] : [n, 1]))
    let c = l.newBuffer(.plain([m, n]))
    let product = try PrimitiveDescriptor.matrixProduct(a.descriptor, b.descriptor, c.descriptor, l.library, node: l.node)
    l.emit(product, [(.source, a), (.weights, b), (.destination, c)])
    l.place(outputs[0], at: c)
  }
}

extension AddBias: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let shape = l.shape(of: inputs[0])
    var x = l.location(of: inputs[0])
    // For blocks that are not full oneDNN has its reference loop only.
    if l.isBlocked(inputs[0]) && shape[1] % 16 != 0 { x = try l.read(inputs[0], as: .plain(shape, x.descriptor.number)) }
    let y = l.newBuffer(x.descriptor)
    let bias = Lowering.Location(
      buffer: try l.readPlain(inputs[1]).buffer,
      descriptor: .plain(Shape([1, shape[1]] + Array(repeating: 1, count: shape.rank - 2))))
    let binary = try PrimitiveDescriptor.binary(.add, x.descriptor, bias.descriptor, y.descriptor, l.library, node: l.node)
    l.emit(binary, [(.source, x), (.secondSource, bias), (.destination, y)])
    l.place(outputs[0], at: y)
  }
}

extension ChannelSum: Lowerable {
  /// Our own loop: oneDNN 2.6 has only its reference loop for this reduction, which took about 1 s of a LeNet-5 step
  /// (64 pictures of 65×65).
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let shape = l.shape(of: inputs[0]), plane = shape.extents.dropFirst(2).reduce(1, *)
    let x = try l.readPlain(inputs[0]), sums = l.newBuffer(.plain([shape[1]]))
    l.emit(.channelSums(images: shape[0], channels: shape[1], plane: plane), [x, sums])
    l.place(outputs[0], at: sums)
  }
}
