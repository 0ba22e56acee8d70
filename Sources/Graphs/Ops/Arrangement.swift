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

/// One axis reversed: for the last one left and right exchanged, `y[..., j] = x[..., W-1-j]`.
public struct Mirror: Operation {
  package let axis: Int
  public init(axis: Int) {
    precondition(axis >= 0, "there is no axis \(axis)")
    self.axis = axis
  }
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    guard s.count == 1, axis < s[0].rank else { throw ShapeError("Mirror takes one array with an axis \(axis), got \(s)") }
    return s
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    var y = x[0]
    for i in y.elements.indices { y.elements[i] = x[0].elements[source(of: i, in: x[0].shape)] }
    return [y]
  }
  public func gradients(_ n: GradientContext) -> [Value?] { [n.outputGradients[0]?.mirrored(axis: axis)] }

  /// Where element `index` of the result comes from.
  package func source(of index: Int, in shape: Shape) -> Int {
    let below = shape.extents.dropFirst(axis + 1).reduce(1, *), extent = shape[axis], place = index / below % extent
    return index + (extent - 1 - 2 * place) * below
  }
}

extension Value {
  public func reshaped(to shape: Shape) -> Value { builder.append(Reshape(to: shape), [self])[0] }
  /// `[N,...] -> [N,D]`.
  public func flattened() -> Value { reshaped(to: [shape[0], shape.count / max(1, shape[0])]) }
  /// Along the last axis: left and right exchanged.
  public func mirrored() -> Value { mirrored(axis: shape.rank - 1) }
  public func mirrored(axis: Int) -> Value { builder.append(Mirror(axis: axis), [self])[0] }
}
