import Tensors

/// The sum of all elements, a scalar.
public struct Sum: Operation {
  public init() {}
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 1, for: "Sum")
    return [[]]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] { [Tensor([], [x[0].elements.reduce(0, +)])] }
  public func gradients(_ n: GradientContext) -> [Value?] {
    [n.outputGradients[0].map { $0.builder.append(Broadcast(to: n.inputs[0].shape), [$0])[0] }]
  }
}

/// A scalar repeated over a shape.
public struct Broadcast: Operation {
  let shape: Shape
  public init(to shape: Shape) { self.shape = shape }
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    guard s.count == 1, s[0].count == 1 else { throw ShapeError("Broadcast takes one scalar, got \(s)") }
    return [shape]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] { [Tensor(repeating: x[0].elements[0], shape)] }
  public func gradients(_ n: GradientContext) -> [Value?] { [n.outputGradients[0]?.sum()] }
}

extension Value {
  public func sum() -> Value { builder.append(Sum(), [self])[0] }
  /// The mean of all elements, a scalar.
  public func mean() -> Value { sum().scaled(by: 1 / Double(shape.count)) }
}
