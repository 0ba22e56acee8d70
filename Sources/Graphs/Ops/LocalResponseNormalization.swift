import Foundation
import Tensors

/// `y = x·b^−β`, `b = k + α/size·Σ x²` over the `size` channels around each, of `[N,C,H,W]`; channels outside count as zero.
///
/// As PyTorch's `LocalResponseNorm`, which divides α by the size; the paper does not, so its α = 10⁻⁴ is 5·10⁻⁴ here.
/// Source: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks", 2012.
public struct LocalResponseNormalization: Operation {
  package let size: Int
  package let alpha: Double
  package let beta: Double
  package let k: Double

  /// Traps unless `size` is odd, so that the window has a middle.
  public init(size: Int, alpha: Double = 1e-4, beta: Double = 0.75, k: Double = 1) {
    precondition(size > 0 && size % 2 == 1, "a window of \(size) channels has no middle")
    precondition(alpha >= 0 && k > 0, "α \(alpha) and k \(k) could divide by zero")
    self.size = size
    self.alpha = alpha
    self.beta = beta
    self.k = k
  }

  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    guard s.count == 1, s[0].rank == 4 else { throw ShapeError("LocalResponseNormalization takes [N,C,H,W], got \(s)") }
    return s
  }

  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let base = bases(x[0])
    return [Tensor(x[0].shape, zip(x[0].elements, base).map { $0 * pow($1, -beta) })]
  }

  public func gradients(_ n: GradientContext) -> [Value?] {
    [n.outputGradients[0].map { $0.builder.append(LocalResponseGradient(forward: self), [n.inputs[0], n.outputs[0], $0])[0] }]
  }

  /// `b` of every element.
  func bases(_ x: Tensor<Double>) -> [Double] {
    let squares = x.map { $0 * $0 }
    return x.elements.indices.map { i in k + alpha / Double(size) * window(around: i, in: x.shape).reduce(0) { $0 + squares.elements[$1] } }
  }

  /// The elements at the place of element `index` in the channels around its own.
  func window(around index: Int, in shape: Shape) -> [Int] {
    let plane = shape[2] * shape[3], channel = index / plane % shape[1]
    return (max(0, channel - size / 2)...min(shape[1] - 1, channel + size / 2)).map { index + ($0 - channel) * plane }
  }
}

/// `dxⱼ = dyⱼ·bⱼ^−β − 2αβ/size·xⱼ·Σ dyᵢ·xᵢ·bᵢ^−(β+1)` over the window around j; inputs x, y, dy.
public struct LocalResponseGradient: Operation {
  package let forward: LocalResponseNormalization
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 3, for: "LocalResponseGradient")
    return [s[0]]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let base = forward.bases(x[0]), factor = 2 * forward.alpha * forward.beta / Double(forward.size)
    let spread = x[0].elements.indices.map { x[2].elements[$0] * x[0].elements[$0] * pow(base[$0], -forward.beta - 1) }
    let dx = x[0].elements.indices.map { j in
      x[2].elements[j] * pow(base[j], -forward.beta)
        - factor * x[0].elements[j] * forward.window(around: j, in: x[0].shape).reduce(0) { $0 + spread[$1] }
    }
    return [Tensor(x[0].shape, dx)]
  }
  public func gradients(_: GradientContext) -> [Value?] { secondOrder("LocalResponseGradient") }
}

extension Value {
  /// Local response normalisation, with PyTorch's defaults.
  public func normalizedAcrossChannels(size: Int, alpha: Double = 1e-4, beta: Double = 0.75, k: Double = 1) -> Value {
    builder.append(LocalResponseNormalization(size: size, alpha: alpha, beta: beta, k: k), [self])[0]
  }
}
