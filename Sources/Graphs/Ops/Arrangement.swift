import Tensors

/// The same elements under another shape.
public struct Reshape: Operation {
  let shape: Shape
  public init(to shape: Shape) { self.shape = shape }
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    guard s.count == 1, s[0].count == shape.count else { throw ShapeError("cannot reshape \(s) to \(shape)") }
    return [shape]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] { [x[0].reshaped(to: shape)] }
  public func gradients(_ n: GradientContext) -> [Value?] { [n.outputGradients[0]?.reshaped(to: n.inputs[0].shape)] }
}

/// Left and right exchanged: `y[..., j] = x[..., W-1-j]`.
public struct Mirror: Operation {
  public init() {}
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    guard s.count == 1, s[0].rank > 0 else { throw ShapeError("Mirror takes one array with a last axis, got \(s)") }
    return s
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let width = x[0].shape.extents.last!
    var y = x[0]
    for i in y.elements.indices { y.elements[i] = x[0].elements[i / width * width + (width - 1 - i % width)] }
    return [y]
  }
  public func gradients(_ n: GradientContext) -> [Value?] { [n.outputGradients[0]?.mirrored()] }
}

extension Value {
  public func reshaped(to shape: Shape) -> Value { builder.append(Reshape(to: shape), [self])[0] }
  /// `[N,...] -> [N,D]`.
  public func flattened() -> Value { reshaped(to: [shape[0], shape.count / max(1, shape[0])]) }
  public func mirrored() -> Value { builder.append(Mirror(), [self])[0] }
}
