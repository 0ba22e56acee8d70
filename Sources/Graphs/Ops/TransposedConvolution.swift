import Tensors

/// The adjoint of a convolution: `[N,C,H,W]` with `[C,O,K,K]` -> `[N,O,H',W']`, `H' = (H − 1)·stride − 2·padding + K`.
///
/// Every pixel of the input adds its multiple of the kernel to the output; with a stride the picture grows by that factor.
/// Layout of the kernel as in PyTorch's `ConvTranspose2d`. Source: Zeiler et al., "Deconvolutional networks", CVPR 2010.
public struct TransposedConvolution: Operation {
  package let stride: Int
  package let padding: Int

  public init(stride: Int = 1, padding: Int = 0) {
    precondition(stride > 0 && padding >= 0, "stride \(stride), padding \(padding)")
    self.stride = stride
    self.padding = padding
  }

  /// The convolution that leads from the output back to the input with the same kernel.
  package var adjoint: Convolution { Convolution(stride: stride, padding: padding) }

  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 2, for: "TransposedConvolution")
    guard s[0].rank == 4, s[1].rank == 4, s[0][1] == s[1][0] else {
      throw ShapeError("transposed kernel \(s[1]) does not fit image \(s[0])")
    }
    let shape = outputShape(image: s[0], kernel: s[1])
    guard shape[2] > 0, shape[3] > 0 else { throw ShapeError("padding \(padding) leaves nothing of \(s[0]) under kernel \(s[1])") }
    return [shape]
  }

  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let shape = outputShape(image: x[0].shape, kernel: x[1].shape)
    var y = [Double](repeating: 0, count: shape.count)
    adjoint.forEachTap(shape, x[1].shape, x[0].shape) { output, kernel, image in
      y[output] += x[0].elements[image] * x[1].elements[kernel]
    }
    return [Tensor(shape, y)]
  }

  /// The adjoint of the adjoint is the convolution itself; in the kernel's gradient image and output change places.
  public func gradients(_ n: GradientContext) -> [Value?] {
    guard let dy = n.outputGradients[0] else { return [nil, nil] }
    let dx = dy.convolved(with: n.inputs[1], stride: stride, padding: padding)
    let kernel = ConvolutionKernelGradient(forward: adjoint, shape: n.inputs[1].shape)
    return [dx, dy.appended(kernel, [n.inputs[0], dx])[0]]
  }

  private func outputShape(image: Shape, kernel: Shape) -> Shape {
    [
      image[0], kernel[1], (image[2] - 1) * stride - 2 * padding + kernel[2],
      (image[3] - 1) * stride - 2 * padding + kernel[3],
    ]
  }
}

extension Value {
  public func convolvedTransposed(with kernel: Value, stride: Int = 1, padding: Int = 0) -> Value {
    builder.append(TransposedConvolution(stride: stride, padding: padding), [self, kernel])[0]
  }
}
