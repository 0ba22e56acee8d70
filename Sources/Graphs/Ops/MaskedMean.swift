import Tensors

/// `Σ m·x / Σ m`, a scalar: the mean over the pixels that count. Inputs x `[N,C,H,W]` and m `[N,1,H,W]`, a weight per pixel
/// that all channels share. The weights of a whole batch may be zero; its mean is zero then and has no gradient.
public struct MaskedMean: Operation {
  public init() {}
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 2, for: "MaskedMean")
    guard s[0].rank == 4, s[1] == [s[0][0], 1, s[0][2], s[0][3]] else { throw ShapeError("mask \(s[1]) does not fit \(s[0])") }
    return [[]]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let shares = MaskedMean.shares(x[1], over: x[0].shape)
    return [Tensor([], [zip(shares, x[0].elements).reduce(0) { $0 + $1.0 * $1.1 }])]
  }
  /// The mask is a measurement, not a variable.
  public func gradients(_ n: GradientContext) -> [Value?] {
    [n.outputGradients[0]?.appended(MaskedMeanGradient(shape: n.inputs[0].shape), [n.inputs[1]])[0], nil]
  }

  /// What each element of `shape` contributes to the mean.
  static func shares(_ mask: Tensor<Double>, over shape: Shape) -> [Double] {
    let plane = shape[2] * shape[3], total = mask.elements.reduce(0, +) * Double(shape[1])
    return (0..<shape.count).map { i in
      total == 0 ? 0 : mask.elements[i / (plane * shape[1]) * plane + i % plane] / total
    }
  }
}

/// `dy·m/Σ m`; inputs dy and m.
public struct MaskedMeanGradient: Operation {
  package let shape: Shape
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 2, for: "MaskedMeanGradient")
    return [shape]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    [Tensor(shape, MaskedMean.shares(x[1], over: shape).map { $0 * x[0].elements[0] })]
  }
  public func gradients(_: GradientContext) -> [Value?] { secondOrder("MaskedMeanGradient") }
}

extension Value {
  /// The mean over pixels `[N,C,H,W]`, each weighted by `mask [N,1,H,W]`.
  public func mean(over mask: Value) -> Value { builder.append(MaskedMean(), [self, mask])[0] }
}
