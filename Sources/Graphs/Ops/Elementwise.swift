import Tensors

/// A constant tensor.
public struct Fill: Operation {
  package let value: Double
  let shape: Shape
  public init(_ value: Double, _ shape: Shape) {
    self.value = value
    self.shape = shape
  }
  public func outputShapes(_: [Shape]) -> [Shape] { [shape] }
  public func reference(_: [Tensor<Double>]) -> [Tensor<Double>] { [Tensor(repeating: value, shape)] }
  public func gradients(_: GradientContext) -> [Value?] { [] }
}

/// `a + b`, equal shapes.
public struct Add: Operation {
  public init() {}
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 2, for: "Add")
    guard s[0] == s[1] else { throw ShapeError("cannot add \(s[0]) and \(s[1])") }
    return [s[0]]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    [Tensor(x[0].shape, zip(x[0].elements, x[1].elements).map(+))]
  }
  public func gradients(_ n: GradientContext) -> [Value?] { [n.outputGradients[0], n.outputGradients[0]] }
}

/// `a · b` element by element, equal shapes.
public struct Multiply: Operation {
  public init() {}
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 2, for: "Multiply")
    guard s[0] == s[1] else { throw ShapeError("cannot multiply \(s[0]) and \(s[1])") }
    return [s[0]]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    [Tensor(x[0].shape, zip(x[0].elements, x[1].elements).map(*))]
  }
  public func gradients(_ n: GradientContext) -> [Value?] {
    n.outputGradients[0].map { [$0 * n.inputs[1], $0 * n.inputs[0]] } ?? [nil, nil]
  }
}

/// `factor · x`.
public struct Scale: Operation {
  package let factor: Double
  public init(_ factor: Double) { self.factor = factor }
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 1, for: "Scale")
    return s
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] { [x[0].map { $0 * factor }] }
  public func gradients(_ n: GradientContext) -> [Value?] { [n.outputGradients[0]?.scaled(by: factor)] }
}

extension Value {
  public static func + (a: Value, b: Value) -> Value { a.builder.append(Add(), [a, b])[0] }
  public static func - (a: Value, b: Value) -> Value { a + b.scaled(by: -1) }
  public static func * (a: Value, b: Value) -> Value { a.builder.append(Multiply(), [a, b])[0] }
  public func scaled(by factor: Double) -> Value { builder.append(Scale(factor), [self])[0] }
}
