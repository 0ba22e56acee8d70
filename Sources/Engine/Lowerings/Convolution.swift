import CKernels
import Graphs
import Tensors

/// A convolution with all its shapes: what its three passes need to know.
struct ConvolutionProblem {
  let image: Shape, kernel: Shape, maps: Shape
  let stride: Int, padding: Int, groups: Int
  var number: Descriptor.Number

  /// How `[N,C,H,W]` lies in memory. oneDNN's fast kernels take channels in sixteens, and one to three of them at the stem. From 17
  /// on a last block that is filled up with zeros costs less than leaving that layout, and so do the few maps of a segmentation
  /// head. For others it would pick a layout whose backward pass exists as a reference loop only; rows of plain pictures get its
  /// matrix-product kernels in both directions.
  private var isBlocked: Bool {
    func fits(_ channels: Int) -> Bool { channels % 16 == 0 || channels > 16 }
    let isDepthwise = groups == image[1] && groups == maps[1]
    if groups > 1 && !isDepthwise { return image[1] / groups % 16 == 0 && maps[1] / groups % 16 == 0 }
    return fits(image[1]) || (image[1] <= 3 && fits(maps[1]))
  }
  var source: Descriptor { isBlocked && image[1] > 3 ? .blocked(image, number) : .plain(image, number) }
  var destination: Descriptor { isBlocked ? .blocked(maps, number) : .plain(maps, number) }

  /// `[O,I,K,K]`, or `[G,O/G,I/G,K,K]` in groups: the same numbers in the same order.
  var weights: Shape {
    groups == 1 ? kernel : [groups, kernel[0] / groups, kernel[1], kernel[2], kernel[3]]
  }

  /// Winograd's F(4×4, 3×3) pays from about 7×7 places on (measured; Docs/Benchmarks.md).
  private var admitsWinograd: Bool {
    // Maps smaller than a tile would mostly compute padding, with kernels four times as large that timing finds in the cache.
    number == .float32 && groups == 1 && kernel[2] == 3 && kernel[3] == 3 && stride == 1 && isBlocked && image[1] >= 16
      && maps[2] >= 4 && maps[3] >= 4
  }
  var algorithms: [PrimitiveDescriptor.ConvolutionAlgorithm] {
    guard admitsWinograd else { return [.direct] }
    return maps[2] >= 7 && maps[3] >= 7 ? [.winograd, .direct] : [.direct, .winograd]
  }

  /// Whether few places see many channels, where a matrix product over places beats the kernels that walk along rows.
  var admitsProduct: Bool {
    groups == 1 && isBlocked && image[1] % 16 == 0 && maps[2] * maps[3] <= 64 && kernel[2] * kernel[3] > 1
  }

  /// Whether our own loop over pairs of columns may make the kernel gradient.
  var admitsPairs: Bool {
    number == .bfloat16 && groups == 1 && isBlocked && maps[1] % 16 == 0 && (image[1] % 16 == 0 || image[1] <= 3)
      && NativeKernel.hasBFloat16Pairs
  }

  func key(_ pass: String) -> String {
    "\(pass) \(number) \(image) \(kernel) stride \(stride) padding \(padding) groups \(groups)"
  }
}

extension Convolution {
  fileprivate func problem(_ image: Shape, _ kernel: Shape, _ maps: Shape, _ l: Lowering) -> ConvolutionProblem {
    ConvolutionProblem(
      image: image, kernel: kernel, maps: maps, stride: stride, padding: padding, groups: groups, number: l.activation)
  }
}

extension Convolution: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    try lower(inputs, to: outputs[0], bias: nil, in: l)
  }

  /// - Parameters:
  ///   - kernel: Instead of the kernel among the inputs, row-major: one with a normalisation folded in.
  ///   - residual: A buffer in the layout of the result, which is overwritten by the result.
  func lower(
    _ inputs: [GraphBuilder.ID], to output: GraphBuilder.ID, kernel: Lowering.Location? = nil, bias: Lowering.Location?,
    residual: GraphBuilder.ID? = nil, mayOverwrite: Bool = false, rectifies: Bool = false, in l: Lowering
  ) throws(EngineError) {
    let p = problem(l.shape(of: inputs[0]), l.shape(of: inputs[1]), l.shape(of: output), l)
    let epilogue = PrimitiveDescriptor.Epilogue(
      hasBias: bias != nil, adds: residual != nil, rectifies: rectifies, isFrozen: l.isFrozen)
    let choice = try l.fastest(p.key("\(l.isFrozen ? "frozen " : "")forward"), p.algorithms) { algorithm, l throws(EngineError) in
      // Timed by itself: bias and rectifier cost the same whatever the algorithm.
      let forward = try PrimitiveDescriptor.convolution(p, algorithm, .init(isFrozen: l.isFrozen), l.library, node: l.node)
      l.emit(forward, [
        (.source, l.newBuffer(forward.layout(.source)!)), (.weights, l.newBuffer(forward.layout(.weights)!)),
        (.destination, l.newBuffer(forward.layout(.destination)!)),
      ])
    }
    var made: PrimitiveDescriptor?
    for algorithm in [choice] + p.algorithms where made == nil {
      do throws(EngineError) {
        made = try PrimitiveDescriptor.convolution(p, algorithm, epilogue, l.library, node: l.node)
      } catch { guard error.isUnimplemented else { throw error } }
    }
    guard let forward = made else { throw .unsupported("\(l.node): oneDNN has no convolution that adds and rectifies") }
    let y: Lowering.Location
    if let residual {
      let added = try l.read(residual, as: forward.layout(.destination)!)
      if mayOverwrite, l.isArena(added.buffer) { y = added } else {
        y = l.newBuffer(forward.layout(.destination)!)
        try l.copy(added, to: y)
      }
    } else {
      y = l.newBuffer(forward.layout(.destination)!)
    }
    var arguments: [(Argument, Lowering.Location)] = [(.source, try l.read(inputs[0], as: forward.layout(.source)!))]
    arguments.append((.weights, try l.readWeights(inputs[1], p, replacedBy: kernel, as: forward.layout(.weights)!)))
    if let bias { arguments.append((.bias, bias)) }
    l.emit(forward, arguments + [(.destination, y)])
    l.place(output, at: y)
  }
}

extension Lowering {
  /// A convolution and what follows it as one primitive.
  func lower(_ fused: FusedConvolution, endingAt end: Int) throws(EngineError) {
    let node = builder.nodes[fused.node]
    var kernel: Location?, bias: Location?
    if let value = fused.bias { bias = try readPlain(value) }
    if let (index, epsilon) = fused.normalization {
      let normalization = builder.nodes[index], shape = shape(of: node.inputs[1]), outputs = shape[0]
      let folded = newBuffer(.plain(shape)), shift = newBuffer(.plain([outputs]))
      var arrays = [try readPlain(node.inputs[1])]
      for input in normalization.inputs.dropFirst() { arrays.append(try readPlain(input)) }
      emit(.fold(outputs: outputs, inner: shape.count / outputs, epsilon: epsilon), arrays + [folded, shift], isConstant: isFrozen)
      (kernel, bias) = (folded, shift)
    }
    let mayOverwrite = fused.residual.map { fusions.isLastReader(end, of: $0) } ?? false
    try fused.operation.lower(
      node.inputs, to: .init(node: end, output: 0), kernel: kernel, bias: bias, residual: fused.residual,
      mayOverwrite: mayOverwrite, rectifies: fused.rectifies, in: self)
  }
}

extension ConvolutionImageGradient: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let p = forward.problem(l.shape(of: outputs[0]), l.shape(of: inputs[0]), l.shape(of: inputs[1]), l)
    try l.lower(p.key("image gradient"), from: Array(inputs.prefix(2)), p.algorithms.map { algorithm in
      .init(name: "\(algorithm)") { l throws(EngineError) in
        let hint = try PrimitiveDescriptor.convolution(p, algorithm, .init(), l.library, node: l.node)
        let backward = try PrimitiveDescriptor.convolutionSourceGradient(p, algorithm, forward: hint, l.library, node: l.node)
        let dx = l.newBuffer(backward.layout(.sourceGradient)!)
        l.emit(backward, [
          (.destinationGradient, try l.read(inputs[1], as: backward.layout(.destinationGradient)!)),
          (.weights, try l.readWeights(inputs[0], p, as: backward.layout(.weights)!)), (.sourceGradient, dx),
        ])
        l.place(outputs[0], at: dx)
      }
    })
  }
}

extension ConvolutionKernelGradient: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let image = l.shape(of: inputs[0])
    var p = forward.problem(image, l.shape(of: outputs[0]), l.shape(of: inputs[1]), l)
    // oneDNN 2.6.3 adds unwritten memory to bfloat16 gradients of kernels that step over more columns than the picture has.
    if image[3] < forward.stride { p.number = .float32 }
    var candidates: [Lowering.Candidate] = p.algorithms.map { algorithm in
      .init(name: "\(algorithm)") { l throws(EngineError) in
        let hint = try PrimitiveDescriptor.convolution(p, algorithm, .init(), l.library, node: l.node)
        let backward = try PrimitiveDescriptor.convolutionWeightsGradient(p, algorithm, forward: hint, l.library, node: l.node)
        let dk = l.newBuffer(backward.layout(.weightsGradient)!)
        l.emit(backward, [
          (.source, try l.read(inputs[0], as: backward.layout(.source)!)),
          (.destinationGradient, try l.read(inputs[1], as: backward.layout(.destinationGradient)!)), (.weightsGradient, dk),
        ])
        try l.placeWeights(outputs[0], p, at: dk)
      }
    }
    if p.admitsProduct {
      candidates.append(.init(name: "product") { l throws(EngineError) in try lowerAsProduct(p, inputs, outputs[0], in: l) })
    }
    if p.admitsPairs {
      candidates.append(.init(name: "pairs") { l throws(EngineError) in
        let shape = psi_gradient_shape(p, parts: EngineThreads.count)
        let dk = l.newBuffer(.blockedKernel(p.kernel)), scratch = l.newBuffer(.plain([(shape.scratchBytes + 3) / 4]))
        l.emit(.kernelGradient(shape), [
          try l.read(inputs[0], as: p.source), try l.read(inputs[1], as: p.destination), dk, scratch,
        ])
        l.place(outputs[0], at: dk)
      })
    }
    try l.lower(p.key("kernel gradient"), from: Array(inputs.prefix(2)), candidates)
  }

  /// dK `[O, K·K·C]` = dYᵀ `[O, places]` · windows of X `[places, K·K·C]`.
  private func lowerAsProduct(
    _ p: ConvolutionProblem, _ inputs: [GraphBuilder.ID], _ output: GraphBuilder.ID, in l: Lowering
  ) throws(EngineError) {
    let places = p.maps[0] * p.maps[2] * p.maps[3], width = p.kernel[1] * p.kernel[2] * p.kernel[3], maps = p.maps[1]
    let x = try l.read(inputs[0], as: p.source)
    let windows = l.newBuffer(.plain([places, width], p.number))
    l.emit(
      .windows(psi_window_shape(
        images: p.image[0], channels: p.image[1], rows: p.image[2], columns: p.image[3], out_rows: p.maps[2],
        out_columns: p.maps[3], kernel_rows: p.kernel[2], kernel_columns: p.kernel[3], stride: p.stride, padding: p.padding,
        width: p.number == .bfloat16 ? 2 : 4)),
      [x, windows])
    let dy = try l.read(inputs[1], as: .channelsLast(p.maps, p.number))
    let dk = l.newBuffer(.plain([maps, width]))
    let left = Lowering.Location(buffer: dy.buffer, descriptor: .strided([maps, places], [1, maps], p.number))
    let product = try PrimitiveDescriptor.matrixProduct(
      left.descriptor, windows.descriptor, dk.descriptor, l.library, node: l.node)
    l.emit(product, [(.source, left), (.weights, windows), (.destination, dk)])
    let kernel = p.kernel
    l.place(output, at: .init(
      buffer: dk.buffer,
      descriptor: .strided(kernel.extents, [width, 1, kernel[3] * kernel[1], kernel[1]])))
  }
}

extension Lowering {
  /// A kernel in the layout and number type of a primitive, which sees groups as an axis of their own.
  fileprivate func readWeights(
    _ value: GraphBuilder.ID, _ p: ConvolutionProblem, replacedBy replacement: Location? = nil, as descriptor: Descriptor
  ) throws(EngineError) -> Location {
    guard p.groups > 1 || replacement != nil else { return try read(value, as: descriptor) }
    let plain: Location
    if let replacement { plain = replacement } else { plain = try readPlain(value) }
    let made = newBuffer(descriptor)
    try copy(.init(buffer: plain.buffer, descriptor: .plain(p.weights)), to: made)
    return made
  }

  fileprivate func placeWeights(_ value: GraphBuilder.ID, _ p: ConvolutionProblem, at location: Location) throws(EngineError) {
    guard p.groups > 1 else { return place(value, at: location) }
    let plain = newBuffer(.plain(p.weights))
    try copy(location, to: plain)
    place(value, at: .init(buffer: plain.buffer, descriptor: .plain(p.kernel)))
  }
}
