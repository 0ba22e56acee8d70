import Tensors

/// Batch normalisation per channel of `[N,C,H,W]`, `y = γ·(x − μ)/√(σ² + ε) + β`, optionally `max(0, y)` or `min(limit, max(0, y))`.
///
/// With three inputs (x, γ, β) μ and σ² are the batch's own (biased) and are outputs 1 and 2, `[C]`.
/// With five inputs (x, γ, β, μ, σ²) they are given constants and y is the only output.
/// Source: Ioffe and Szegedy, arXiv:1502.03167.
public struct Normalization: Operation {
  package let epsilon: Double
  package let rectifies: Bool
  package let limit: Double?

  public init(epsilon: Double = 1e-5, rectifies: Bool = false, upTo limit: Double? = nil) {
    precondition(limit.map { rectifies && $0 > 0 } ?? true, "a limit of \(limit ?? 0) needs a rectifier and must be positive")
    self.epsilon = epsilon
    self.rectifies = rectifies
    self.limit = limit
  }

  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    guard s.count == 3 || s.count == 5 else { throw ShapeError("Normalization takes 3 or 5 inputs, got \(s.count)") }
    guard s[0].rank == 4, s.dropFirst().allSatisfy({ $0 == [s[0][1]] }) else {
      throw ShapeError("channel numbers \(s.dropFirst().map(\.description)) do not fit image \(s[0])")
    }
    return s.count == 3 ? [s[0], s[1], s[1]] : [s[0]]
  }

  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let shape = x[0].shape, (mean, variance) = x.count == 5 ? (x[3].elements, x[4].elements) : moments(x[0])
    var y = x[0]
    forEachPixel(of: shape) { channel, i in
      let z = x[1].elements[channel] * (x[0].elements[i] - mean[channel]) / (variance[channel] + epsilon).squareRoot()
        + x[2].elements[channel]
      y.elements[i] = rectifies ? min(limit ?? .infinity, max(0, z)) : z
    }
    return x.count == 5 ? [y] : [y, Tensor([shape[1]], mean), Tensor([shape[1]], variance)]
  }

  /// The batch statistics feed running averages only; no gradient enters through them.
  public func gradients(_ n: GradientContext) -> [Value?] {
    precondition(
      n.outputGradients.dropFirst().allSatisfy { $0 == nil }, "the loss depends on batch statistics: not defined")
    guard let dy = n.outputGradients[0] else { return Array(repeating: nil, count: n.inputs.count) }
    let own = n.inputs.count == 3
    let statistics = own ? Array(n.outputs[1...2]) : Array(n.inputs[3...4])
    let rule = NormalizationGradient(forward: self, usesBatchStatistics: own)
    let g = dy.builder.append(rule, [n.inputs[0], n.inputs[1]] + statistics + [n.outputs[0], dy])
    return own ? [g[0], g[1], g[2]] : [g[0], g[1], g[2], nil, nil]
  }

  func moments(_ x: Tensor<Double>) -> (mean: [Double], variance: [Double]) {
    let channels = x.shape[1], count = Double(x.shape[0] * x.shape[2] * x.shape[3])
    var mean = [Double](repeating: 0, count: channels), variance = mean
    forEachPixel(of: x.shape) { mean[$0] += x.elements[$1] / count }
    forEachPixel(of: x.shape) { variance[$0] += (x.elements[$1] - mean[$0]) * (x.elements[$1] - mean[$0]) / count }
    return (mean, variance)
  }

  func forEachPixel(of shape: Shape, _ body: (_ channel: Int, _ index: Int) -> Void) {
    let plane = shape[2] * shape[3]
    for i in 0..<shape.count { body(i / plane % shape[1], i) }
  }
}

/// Gradients of a normalisation; inputs x, γ, μ, σ², y, dy; outputs dx, dγ, dβ.
public struct NormalizationGradient: Operation {
  package let forward: Normalization
  package let usesBatchStatistics: Bool

  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 6, for: "NormalizationGradient")
    return [s[0], s[1], s[1]]
  }

  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let shape = x[0].shape, channels = shape[1], count = Double(shape[0] * shape[2] * shape[3])
    let scale = x[3].elements.map { 1 / ($0 + forward.epsilon).squareRoot() }
    var dGamma = [Double](repeating: 0, count: channels), dBeta = dGamma, dx = x[0]
    func passes(_ y: Double) -> Bool { !forward.rectifies || (y > 0 && y < forward.limit ?? .infinity) }
    func upstream(_ i: Int) -> Double { passes(x[4].elements[i]) ? x[5].elements[i] : 0 }
    func normalized(_ c: Int, _ i: Int) -> Double { (x[0].elements[i] - x[2].elements[c]) * scale[c] }
    forward.forEachPixel(of: shape) { c, i in
      dGamma[c] += upstream(i) * normalized(c, i)
      dBeta[c] += upstream(i)
    }
    forward.forEachPixel(of: shape) { c, i in
      let centred = usesBatchStatistics ? upstream(i) - dBeta[c] / count - normalized(c, i) * dGamma[c] / count : upstream(i)
      dx.elements[i] = x[1].elements[c] * scale[c] * centred
    }
    return [dx, Tensor([channels], dGamma), Tensor([channels], dBeta)]
  }

  public func gradients(_: GradientContext) -> [Value?] { secondOrder("NormalizationGradient") }
}

/// `(1 − momentum)·old + momentum·correction·new`: one step of a running average. Inputs old, new.
public struct RunningAverage: Operation {
  package let momentum: Double
  package let correction: Double
  public init(momentum: Double, correction: Double = 1) {
    self.momentum = momentum
    self.correction = correction
  }
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 2, for: "RunningAverage")
    guard s[0] == s[1] else { throw ShapeError("cannot average \(s[0]) and \(s[1])") }
    return [s[0]]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    [Tensor(x[0].shape, zip(x[0].elements, x[1].elements).map { (1 - momentum) * $0 + momentum * correction * $1 })]
  }
  public func gradients(_ n: GradientContext) -> [Value?] {
    [n.outputGradients[0]?.scaled(by: 1 - momentum), n.outputGradients[0]?.scaled(by: momentum * correction)]
  }
}
