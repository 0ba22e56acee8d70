import Foundation
import Tensors

/// `−Σₖ tₖ log softmax(z)ₖ` over axis 1, in nats: logits and target distributions `[N,K] -> [N]`, or per pixel
/// `[N,K,H,W] -> [N,1,H,W]`. No gradient flows to the targets.
public struct CrossEntropy: Operation {
  public init() {}
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 2, for: "CrossEntropy")
    guard s[0].rank == 2 || s[0].rank == 4, s[0] == s[1] else { throw ShapeError("targets \(s[1]) do not fit logits \(s[0])") }
    return [CrossEntropy.lossShape(s[0])]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let losses = CrossEntropy.rows(of: x[0].shape).map { row in
      let z = row.map { x[0].elements[$0] }, t = row.map { x[1].elements[$0] }
      let top = z.max()!, logSum = top + log(z.reduce(0) { $0 + exp($1 - top) })
      return zip(z, t).reduce(0) { $0 + $1.1 * (logSum - $1.0) }
    }
    return [Tensor(CrossEntropy.lossShape(x[0].shape), losses)]
  }
  public func gradients(_ n: GradientContext) -> [Value?] {
    [n.outputGradients[0].map { $0.builder.append(CrossEntropyGradient(), [n.inputs[0], n.inputs[1], $0])[0] }, nil]
  }

  static func lossShape(_ logits: Shape) -> Shape {
    logits.rank == 2 ? [logits[0]] : [logits[0], 1, logits[2], logits[3]]
  }

  /// The indices of the K logits of every example or pixel.
  static func rows(of shape: Shape) -> [[Int]] {
    let classes = shape[1], plane = shape.extents.dropFirst(2).reduce(1, *)
    return (0..<shape[0] * plane).map { pixel in
      (0..<classes).map { (pixel / plane * classes + $0) * plane + pixel % plane }
    }
  }
}

/// `dy·(softmax(z)·Σt − t)`; inputs logits, targets, dy.
public struct CrossEntropyGradient: Operation {
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 3, for: "CrossEntropyGradient")
    return [s[0]]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    var dz = x[0]
    for (row, dy) in zip(CrossEntropy.rows(of: x[0].shape), x[2].elements) {
      let top = row.map { x[0].elements[$0] }.max()!, total = row.reduce(0) { $0 + exp(x[0].elements[$1] - top) }
      let mass = row.reduce(0) { $0 + x[1].elements[$1] }
      for i in row { dz.elements[i] = dy * (mass * exp(x[0].elements[i] - top) / total - x[1].elements[i]) }
    }
    return [dz]
  }
  public func gradients(_: GradientContext) -> [Value?] { secondOrder("CrossEntropyGradient") }
}

/// `log(1 + eᶻ) − t·z`, in nats, of each logit with its target in 0...1: per example `[N]` or per pixel `[N,C,H,W]`.
/// No gradient flows to the targets.
public struct BinaryCrossEntropy: Operation {
  public init() {}
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 2, for: "BinaryCrossEntropy")
    guard s[0].rank == 1 || s[0].rank == 4, s[0] == s[1] else {
      throw ShapeError("targets \(s[1]) do not fit logits \(s[0])")
    }
    return [s[0]]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    [Tensor(x[0].shape, zip(x[0].elements, x[1].elements).map { z, t in max(z, 0) + log1p(exp(-abs(z))) - t * z })]
  }
  public func gradients(_ n: GradientContext) -> [Value?] {
    [n.outputGradients[0].map { $0.builder.append(BinaryCrossEntropyGradient(), [n.inputs[0], n.inputs[1], $0])[0] }, nil]
  }
}

/// `dy·(σ(z) − t)`; inputs logits, targets, dy.
public struct BinaryCrossEntropyGradient: Operation {
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 3, for: "BinaryCrossEntropyGradient")
    return [s[0]]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    [Tensor(x[0].shape, x[0].elements.indices.map { x[2].elements[$0] * (1 / (1 + exp(-x[0].elements[$0])) - x[1].elements[$0]) })]
  }
  public func gradients(_: GradientContext) -> [Value?] { secondOrder("BinaryCrossEntropyGradient") }
}

extension Value {
  /// Per example, or per pixel: then `.mean(over: mask)` leaves out what was not measured.
  ///
  /// `smoothing` ε mixes the targets with the uniform distribution, `t' = (1 − ε)·t + ε/K`. Source: Szegedy et al., arXiv:1512.00567.
  public func crossEntropy(_ targets: Value, smoothing: Double = 0) -> Value {
    precondition((0...1).contains(smoothing), "a label smoothing of \(smoothing) is not in 0...1")
    guard smoothing > 0 else { return builder.append(CrossEntropy(), [self, targets])[0] }
    let uniform = constant(smoothing / Double(shape[1]), targets.shape)
    return builder.append(CrossEntropy(), [self, targets.scaled(by: 1 - smoothing) + uniform])[0]
  }
  public func binaryCrossEntropy(_ targets: Value) -> Value { builder.append(BinaryCrossEntropy(), [self, targets])[0] }
}
