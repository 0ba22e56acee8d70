import Graphs
import Tensors

extension Pooling: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let x = try l.readActivation(inputs[0]), shape = l.shape(of: outputs[0])
    let forward = try PrimitiveDescriptor.pooling(
      mode, x.descriptor, .any(shape, l.activation), kernel: [kernel, kernel], stride: [stride, stride],
      padding: padding, outerPadding: outerPadding(l.shape(of: inputs[0]), shape), l.library, node: l.node)
    let y = l.newBuffer(forward.layout(.destination)!), workspace = forward.layout(.workspace).map(l.newBuffer)
    l.emit(forward, [(.source, x), (.destination, y)] + (workspace.map { [(.workspace, $0)] } ?? []))
    l.place(outputs[0], at: y)
    l.remember(.init(descriptor: forward, workspace: workspace), of: outputs[0])
  }

  var mode: PrimitiveDescriptor.PoolingMode {
    kind == .maximum ? .maximum : countsPadding ? .averageWithPadding : .averageOfPixels
  }

  /// What has to be added below and right so that the last window ends at the border (negative where pixels are left over).
  func outerPadding(_ image: Shape, _ output: Shape) -> [Int] {
    (0..<2).map { (output[2 + $0] - 1) * stride + kernel - image[2 + $0] - padding }
  }
}

extension PoolingGradient: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let hint = l.forward(of: inputs[1]), x = try l.readActivation(inputs[0])
    let dy = try l.read(inputs[2], as: hint.descriptor.layout(.destination)!)
    let backward = try PrimitiveDescriptor.poolingGradient(
      forward.mode, x.descriptor, dy.descriptor, kernel: [forward.kernel, forward.kernel],
      stride: [forward.stride, forward.stride], padding: forward.padding,
      outerPadding: forward.outerPadding(l.shape(of: inputs[0]), l.shape(of: inputs[1])), forward: hint.descriptor, l.library,
      node: l.node)
    let dx = l.newBuffer(x.descriptor)
    l.emit(backward, [(.destinationGradient, dy), (.sourceGradient, dx)] + (hint.workspace.map { [(.workspace, $0)] } ?? []))
    l.place(outputs[0], at: dx)
  }
}

extension GlobalAverage: Lowerable {
  /// Runs in float32 whatever the activations are: a codeword should not lose bits that a probe could use.
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let x = try l.read(inputs[0], as: l.location(of: inputs[0]).descriptor.holding(.float32)), s = l.shape(of: inputs[0])
    let forward = try PrimitiveDescriptor.pooling(
      .averageOfPixels, x.descriptor, .any([s[0], s[1], 1, 1], .float32), kernel: [s[2], s[3]], stride: [1, 1], padding: 0,
      outerPadding: [0, 0], l.library, node: l.node)
    let pooled = l.newBuffer(forward.layout(.destination)!)
    l.emit(forward, [(.source, x), (.destination, pooled)])
    let y = l.newBuffer(.plain([s[0], s[1], 1, 1]))
    try l.copy(pooled, to: y)
    l.place(outputs[0], at: .init(buffer: y.buffer, descriptor: .plain([s[0], s[1]])))
  }
}

extension GlobalAverageGradient: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let s = l.shape(of: inputs[1]), layout = l.location(of: inputs[1]).descriptor.holding(.float32)
    let hint = try PrimitiveDescriptor.pooling(
      .averageOfPixels, layout, .any([s[0], s[1], 1, 1], .float32), kernel: [s[2], s[3]], stride: [1, 1], padding: 0,
      outerPadding: [0, 0], l.library, node: l.node)
    let backward = try PrimitiveDescriptor.poolingGradient(
      .averageOfPixels, layout, hint.layout(.destination)!, kernel: [s[2], s[3]], stride: [1, 1], padding: 0,
      outerPadding: [0, 0], forward: hint, l.library, node: l.node)
    let dy = try l.readPlain(inputs[0]), wanted = l.newBuffer(hint.layout(.destination)!)
    try l.copy(.init(buffer: dy.buffer, descriptor: .plain([s[0], s[1], 1, 1])), to: wanted)
    let dx = l.newBuffer(layout)
    l.emit(backward, [(.destinationGradient, wanted), (.sourceGradient, dx)])
    l.place(outputs[0], at: dx)
  }
}
