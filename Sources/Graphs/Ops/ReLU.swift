import Tensors

/// `max(0, x)`, or `max(0, a + b)` of two inputs: the end of a residual block. With a limit, `min(limit, max(0, x))`.
///
/// A limit of 6 is the ReLU6 of MobileNet (Howard et al., arXiv:1704.04861).
public struct ReLU: Operation {
  package let limit: Double?
  public init(upTo limit: Double? = nil) {
    precondition(limit.map { $0 > 0 } ?? true, "a rectifier up to \(limit ?? 0) lets nothing through")
    self.limit = limit
  }
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    guard s.count == 1 || s.count == 2 else { throw ShapeError("ReLU takes 1 or 2 inputs, got \(s.count)") }
    guard s.allSatisfy({ $0 == s[0] }) else { throw ShapeError("cannot add \(s[0]) and \(s[1])") }
    return [s[0]]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let sum = x.count == 2 ? zip(x[0].elements, x[1].elements).map(+) : x[0].elements
    return [Tensor(x[0].shape, sum.map { min(limit ?? .infinity, max(0, $0)) })]
  }
  public func gradients(_ n: GradientContext) -> [Value?] {
    let dx = n.outputGradients[0].map { n.outputs[0].builder.append(ReLUGradient(limit: limit), [n.outputs[0], $0])[0] }
    return Array(repeating: dx, count: n.inputs.count)
  }
}

/// `dy` where `y > 0` and below the limit, else 0 (also at the limit itself, as PyTorch has it); inputs `y`, `dy`.
public struct ReLUGradient: Operation {
  package let limit: Double?
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 2, for: "ReLUGradient")
    return [s[0]]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    [Tensor(x[0].shape, zip(x[0].elements, x[1].elements).map { $0 > 0 && $0 < limit ?? .infinity ? $1 : 0 })]
  }
  /// The derivative of a step is zero almost everywhere.
  public func gradients(_: GradientContext) -> [Value?] { [nil, nil] }
}

extension Value {
  /// `max(0, self)`, cut at `limit` where one is given.
  public func relu(upTo limit: Double? = nil) -> Value { builder.append(ReLU(upTo: limit), [self])[0] }
  /// `max(0, self + other)`.
  public func addedReLU(_ other: Value) -> Value { builder.append(ReLU(), [self, other])[0] }
}
