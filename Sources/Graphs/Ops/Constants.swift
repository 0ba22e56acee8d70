import Tensors

/// A tensor of given numbers, the same in every run: masks and patterns of a loss.
public struct Literal: Operation {
  package let tensor: Tensor<Double>
  public init(_ tensor: Tensor<Double>) { self.tensor = tensor }
  public func outputShapes(_: [Shape]) -> [Shape] { [tensor.shape] }
  public func reference(_: [Tensor<Double>]) -> [Tensor<Double>] { [tensor] }
  public func gradients(_: GradientContext) -> [Value?] { [] }
}

/// The same values, through which no gradient flows: "stop-gradient".
public struct Detach: Operation {
  public init() {}
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 1, for: "Detach")
    return s
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] { x }
  public func gradients(_: GradientContext) -> [Value?] { [nil] }
}

extension Value {
  /// A constant in the graph of this value.
  public func constant(_ tensor: Tensor<Double>) -> Value { builder.append(Literal(tensor), [])[0] }
  /// This value as a constant of the loss.
  public func detached() -> Value { builder.append(Detach(), [self])[0] }
}
