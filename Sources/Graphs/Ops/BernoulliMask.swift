import Tensors

/// `y = x·m/(1 − rate)` with `m` 0 at the given rate and else 1, drawn per element (dropout) or per example (stochastic depth).
///
/// Inputs x and the counter `[seed, step]`. Unit i is dropped by a function of (stream, seed, step, i) alone: word i mod 4 of
/// Philox block ⌊i/4⌋, below `rate·2³²`. So a mask is the same for any number of threads and in a resumed run, needs no memory,
/// and the backward pass draws it again. Elements are counted row-major, whatever the layout in memory.
/// Sources: Srivastava et al., JMLR 15, 2014 (dropout); Huang et al., arXiv:1603.09382 (stochastic depth).
public struct BernoulliMask: Operation {
  public enum Unit: String, Codable, Sendable { case element, example }
  package let rate: Double
  package let stream: UInt64
  package let unit: Unit

  public init(rate: Double, stream: UInt64, per unit: Unit) {
    precondition((0..<1).contains(rate), "a rate of \(rate) is not in 0..<1")
    self.rate = rate
    self.stream = stream
    self.unit = unit
  }

  /// What the kept are multiplied by.
  package var gain: Double { 1 / (1 - rate) }
  /// Words below this are dropped.
  package var threshold: UInt32 { UInt32(min((rate * 0x1p32).rounded(), 0x1p32 - 1)) }

  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 2, for: "BernoulliMask")
    guard s[1] == [2] else { throw ShapeError("a counter holds seed and step, got \(s[1])") }
    guard s[0].rank > 0 else { throw ShapeError("a mask needs a first axis, got \(s[0])") }
    return [s[0]]
  }

  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let key = MaskCounter(fed: x[1].elements).key
    let width = unit == .element ? 1 : x[0].shape.extents.dropFirst().reduce(1, *)
    return [Tensor(x[0].shape, x[0].elements.indices.map { drops($0 / width, key: key) ? 0 : gain * x[0].elements[$0] })]
  }

  /// Linear in x with a fixed mask: the gradient passes through the same mask.
  public func gradients(_ n: GradientContext) -> [Value?] { [n.outputGradients[0]?.appended(self, [n.inputs[1]])[0], nil] }

  /// Whether unit `index` is dropped.
  package func drops(_ index: Int, key: UInt64) -> Bool {
    let block = Philox.block(counter: (UInt64(index / 4), stream), key: key)
    let half = index % 4 < 2 ? block.0 : block.1
    return UInt32(truncatingIfNeeded: half >> (index % 2 == 0 ? 0 : 32)) < threshold
  }
}
