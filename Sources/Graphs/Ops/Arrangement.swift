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

/// Arrays joined along the first axis.
public struct Concatenate: Operation {
  public init() {}
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    guard let first = s.first, first.rank > 0, s.allSatisfy({ $0.extents.dropFirst() == first.extents.dropFirst() }) else {
      throw ShapeError("cannot concatenate \(s)")
    }
    return [Shape([s.reduce(0) { $0 + $1[0] }] + first.extents.dropFirst())]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let rows = x.reduce(0) { $0 + $1.shape[0] }
    return [Tensor(Shape([rows] + x[0].shape.extents.dropFirst()), x.flatMap(\.elements))]
  }
  public func gradients(_ n: GradientContext) -> [Value?] {
    var start = 0
    return n.inputs.map { input in
      defer { start += input.shape[0] }
      return n.outputGradients[0]?.rows(start..<start + input.shape[0])
    }
  }
}

/// A range of the first axis.
public struct Rows: Operation {
  package let range: Range<Int>
  public init(_ range: Range<Int>) { self.range = range }
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    guard s.count == 1, s[0].rank > 0, range.lowerBound >= 0, range.upperBound <= s[0][0] else {
      throw ShapeError("rows \(range) do not lie in \(s)")
    }
    return [Shape([range.count] + s[0].extents.dropFirst())]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let rest = x[0].shape.extents.dropFirst(), width = rest.reduce(1, *)
    return [Tensor(Shape([range.count] + rest), Array(x[0].elements[range.lowerBound * width..<range.upperBound * width]))]
  }
  /// Zero rows before and after.
  public func gradients(_ n: GradientContext) -> [Value?] {
    guard let dy = n.outputGradients[0] else { return [nil] }
    let rest = Shape(Array(n.inputs[0].shape.extents.dropFirst())), total = n.inputs[0].shape[0]
    var parts: [Value] = []
    if range.lowerBound > 0 { parts.append(dy.builder.append(Fill(0, [range.lowerBound] + rest), [])[0]) }
    parts.append(dy)
    if range.upperBound < total { parts.append(dy.builder.append(Fill(0, [total - range.upperBound] + rest), [])[0]) }
    return [parts.count == 1 ? dy : Value.concatenated(parts)]
  }
}

extension Value {
  public func reshaped(to shape: Shape) -> Value { builder.append(Reshape(to: shape), [self])[0] }
  /// `[N,...] -> [N,D]`.
  public func flattened() -> Value { reshaped(to: [shape[0], shape.count / max(1, shape[0])]) }
  public func mirrored() -> Value { builder.append(Mirror(), [self])[0] }
  public func rows(_ range: Range<Int>) -> Value { builder.append(Rows(range), [self])[0] }
  public static func concatenated(_ values: [Value]) -> Value { values[0].builder.append(Concatenate(), values)[0] }
}
