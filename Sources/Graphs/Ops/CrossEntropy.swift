import Foundation
import Tensors

/// `−Σₖ tₖ log softmax(z)ₖ` per example: logits `[N,K]` and target distributions `[N,K]` -> `[N]`, in nats.
public struct CrossEntropy: Operation {
  public init() {}
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 2, for: "CrossEntropy")
    guard s[0].rank == 2, s[0] == s[1] else { throw ShapeError("targets \(s[1]) do not fit logits \(s[0])") }
    return [[s[0][0]]]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let rows = x[0].shape[0], classes = x[0].shape[1]
    return [
      Tensor([rows], (0..<rows).map { n in
        let z = x[0].elements[n * classes..<(n + 1) * classes], t = x[1].elements[n * classes..<(n + 1) * classes]
        let top = z.max()!, logSum = top + log(z.reduce(0) { $0 + exp($1 - top) })
        return zip(z, t).reduce(0) { $0 + $1.1 * (logSum - $1.0) }
      })
    ]
  }
  public func gradients(_ n: GradientContext) -> [Value?] {
    [n.outputGradients[0].map { $0.builder.append(CrossEntropyGradient(), [n.inputs[0], n.inputs[1], $0])[0] }, nil]
  }
}

/// `dyₙ·(softmax(z)·Σt − t)`; inputs logits, targets, dy.
public struct CrossEntropyGradient: Operation {
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 3, for: "CrossEntropyGradient")
    return [s[0]]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let classes = x[0].shape[1]
    var dz = x[0]
    for n in 0..<x[0].shape[0] {
      let z = x[0].elements[n * classes..<(n + 1) * classes], top = z.max()!
      let total = z.reduce(0) { $0 + exp($1 - top) }
      let mass = x[1].elements[n * classes..<(n + 1) * classes].reduce(0, +)
      for i in n * classes..<(n + 1) * classes {
        dz.elements[i] = x[2].elements[n] * (mass * exp(x[0].elements[i] - top) / total - x[1].elements[i])
      }
    }
    return [dz]
  }
  public func gradients(_: GradientContext) -> [Value?] { secondOrder("CrossEntropyGradient") }
}

/// `log(1 + eᶻ) − t·z` per example: one logit and one target in 0...1 each, `[N]` and `[N] -> [N]`, in nats.
public struct BinaryCrossEntropy: Operation {
  public init() {}
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 2, for: "BinaryCrossEntropy")
    guard s[0].rank == 1, s[0] == s[1] else { throw ShapeError("targets \(s[1]) do not fit logits \(s[0])") }
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
  public func crossEntropy(_ targets: Value) -> Value { builder.append(CrossEntropy(), [self, targets])[0] }
  public func binaryCrossEntropy(_ targets: Value) -> Value { builder.append(BinaryCrossEntropy(), [self, targets])[0] }
}
