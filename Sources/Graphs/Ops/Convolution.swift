import Tensors

/// Cross-correlation of `[N,C,H,W]` with `[O,C/groups,K,K]` -> `[N,O,H',W']`, `H' = ⌊(H + 2·padding − K)/stride⌋ + 1`.
///
/// Channels and outputs fall into `groups` equal runs, and run g of the outputs sees run g of the channels only. With as many
/// groups as channels the convolution is depthwise.
public struct Convolution: Operation {
  package let stride: Int
  package let padding: Int
  package let groups: Int

  public init(stride: Int = 1, padding: Int = 0, groups: Int = 1) {
    precondition(stride > 0 && padding >= 0 && groups > 0, "stride \(stride), padding \(padding), groups \(groups)")
    self.stride = stride
    self.padding = padding
    self.groups = groups
  }

  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 2, for: "Convolution")
    guard s[0].rank == 4, s[1].rank == 4, s[0][1] == s[1][1] * groups, s[1][0] % groups == 0 else {
      throw ShapeError("kernel \(s[1]) does not fit image \(s[0])\(groups == 1 ? "" : " in \(groups) groups")")
    }
    let spanned = (0..<2).map { s[0][2 + $0] + 2 * padding - s[1][2 + $0] }
    guard spanned.allSatisfy({ $0 >= 0 }) else {
      throw ShapeError("kernel \(s[1]) is larger than image \(s[0]) with padding \(padding)")
    }
    return [[s[0][0], s[1][0], spanned[0] / stride + 1, spanned[1] / stride + 1]]
  }

  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let shape = outputShape(image: x[0].shape, kernel: x[1].shape)
    var y = [Double](repeating: 0, count: shape.count)
    forEachTap(x[0].shape, x[1].shape, shape) { image, kernel, output in
      y[output] += x[0].elements[image] * x[1].elements[kernel]
    }
    return [Tensor(shape, y)]
  }

  public func gradients(_ n: GradientContext) -> [Value?] {
    guard let dy = n.outputGradients[0] else { return [nil, nil] }
    let image = n.inputs[0], kernel = n.inputs[1]
    return [
      dy.builder.append(ConvolutionImageGradient(forward: self, shape: image.shape), [kernel, dy, n.outputs[0]])[0],
      dy.builder.append(ConvolutionKernelGradient(forward: self, shape: kernel.shape), [image, dy, n.outputs[0]])[0],
    ]
  }

  func outputShape(image: Shape, kernel: Shape) -> Shape {
    [
      image[0], kernel[0], (image[2] + 2 * padding - kernel[2]) / stride + 1,
      (image[3] + 2 * padding - kernel[3]) / stride + 1,
    ]
  }

  /// Visits the (image, kernel, output) indices of every multiply-add.
  func forEachTap(_ i: Shape, _ k: Shape, _ o: Shape, _ body: (Int, Int, Int) -> Void) {
    for n in 0..<o[0] {
      for oc in 0..<o[1] {
        for y in 0..<o[2] {
          for x in 0..<o[3] {
            let output = ((n * o[1] + oc) * o[2] + y) * o[3] + x
            let firstChannel = oc / (o[1] / groups) * k[1]
            for ic in 0..<k[1] {
              for ky in 0..<k[2] {
                let iy = y * stride + ky - padding
                guard iy >= 0, iy < i[2] else { continue }
                for kx in 0..<k[3] {
                  let ix = x * stride + kx - padding
                  guard ix >= 0, ix < i[3] else { continue }
                  body(
                    ((n * i[1] + firstChannel + ic) * i[2] + iy) * i[3] + ix, ((oc * k[1] + ic) * k[2] + ky) * k[3] + kx, output)
                }
              }
            }
          }
        }
      }
    }
  }
}

/// ∂loss/∂image of a convolution; inputs kernel, ∂loss/∂output, and the forward output, which only names the forward node.
public struct ConvolutionImageGradient: Operation {
  package let forward: Convolution
  package let shape: Shape
  package init(forward: Convolution, shape: Shape) {
    self.forward = forward
    self.shape = shape
  }
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 3, for: "ConvolutionImageGradient")
    return [shape]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    var dx = [Double](repeating: 0, count: shape.count)
    forward.forEachTap(shape, x[0].shape, x[1].shape) { dx[$0] += x[0].elements[$1] * x[1].elements[$2] }
    return [Tensor(shape, dx)]
  }
  public func gradients(_: GradientContext) -> [Value?] { secondOrder("ConvolutionImageGradient") }
}

/// ∂loss/∂kernel of a convolution; inputs image, ∂loss/∂output, and the forward output, which only names the forward node.
public struct ConvolutionKernelGradient: Operation {
  package let forward: Convolution
  package let shape: Shape
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 3, for: "ConvolutionKernelGradient")
    return [shape]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    var dk = [Double](repeating: 0, count: shape.count)
    forward.forEachTap(x[0].shape, shape, x[1].shape) { dk[$1] += x[0].elements[$0] * x[1].elements[$2] }
    return [Tensor(shape, dk)]
  }
  public func gradients(_: GradientContext) -> [Value?] { secondOrder("ConvolutionKernelGradient") }
}

/// Gradients of gradients are not part of this library: asking for one is a mistake in code.
func secondOrder(_ name: String) -> Never {
  preconditionFailure("\(name) is itself a gradient; second derivatives are not defined")
}

extension Value {
  public func convolved(with kernel: Value, stride: Int = 1, padding: Int = 0, groups: Int = 1) -> Value {
    builder.append(Convolution(stride: stride, padding: padding, groups: groups), [self, kernel])[0]
  }
}
