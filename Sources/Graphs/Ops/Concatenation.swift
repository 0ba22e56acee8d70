import Tensors

/// Arrays joined along one axis; their other extents are equal.
public struct Concatenate: Operation {
  package let axis: Int
  public init(axis: Int = 0) {
    precondition(axis >= 0, "there is no axis \(axis)")
    self.axis = axis
  }
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    func others(_ shape: Shape) -> [Int] { shape.extents.enumerated().filter { $0.offset != axis }.map(\.element) }
    guard let first = s.first, axis < first.rank, s.allSatisfy({ $0.rank == first.rank && others($0) == others(first) }) else {
      throw ShapeError("cannot concatenate \(s) along axis \(axis)")
    }
    var joined = first
    joined.extents[axis] = s.reduce(0) { $0 + $1[axis] }
    return [joined]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    var shape = x[0].shape, y: [Double] = []
    shape.extents[axis] = x.reduce(0) { $0 + $1.shape[axis] }
    y.reserveCapacity(shape.count)
    for outer in 0..<shape.extents.prefix(axis).reduce(1, *) {
      for part in x {
        let inner = part.shape.extents.dropFirst(axis).reduce(1, *)
        y += part.elements[outer * inner..<(outer + 1) * inner]
      }
    }
    return [Tensor(shape, y)]
  }
  public func gradients(_ n: GradientContext) -> [Value?] {
    var start = 0
    return n.inputs.map { input in
      defer { start += input.shape[axis] }
      return n.outputGradients[0]?.sliced(start..<start + input.shape[axis], axis: axis)
    }
  }
}

/// A range of one axis.
public struct Slice: Operation {
  package let axis: Int
  package let range: Range<Int>
  public init(axis: Int = 0, range: Range<Int>) {
    precondition(axis >= 0 && !range.isEmpty, "range \(range) of axis \(axis) holds nothing")
    self.axis = axis
    self.range = range
  }
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    guard s.count == 1, axis < s[0].rank, range.lowerBound >= 0, range.upperBound <= s[0][axis] else {
      throw ShapeError("range \(range) of axis \(axis) does not lie in \(s)")
    }
    return [part(of: s[0])]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let shape = x[0].shape, below = shape.extents.dropFirst(axis + 1).reduce(1, *)
    var y: [Double] = []
    for outer in 0..<shape.extents.prefix(axis).reduce(1, *) {
      let start = outer * shape[axis] * below
      y += x[0].elements[start + range.lowerBound * below..<start + range.upperBound * below]
    }
    return [Tensor(part(of: shape), y)]
  }
  /// The gradient between zeros.
  public func gradients(_ n: GradientContext) -> [Value?] {
    guard let dy = n.outputGradients[0] else { return [nil] }
    func zeros(_ count: Int) -> [Value] {
      var shape = n.inputs[0].shape
      shape.extents[axis] = count
      return count == 0 ? [] : [dy.constant(0, shape)]
    }
    let parts = zeros(range.lowerBound) + [dy] + zeros(n.inputs[0].shape[axis] - range.upperBound)
    return [parts.count == 1 ? dy : .concatenated(parts, axis: axis)]
  }
  private func part(of shape: Shape) -> Shape {
    var part = shape
    part.extents[axis] = range.count
    return part
  }
}

extension Value {
  public static func concatenated(_ values: [Value], axis: Int = 0) -> Value {
    values[0].builder.append(Concatenate(axis: axis), values)[0]
  }
  /// This value first, then the others.
  public func concatenated(with others: [Value], axis: Int) -> Value { .concatenated([self] + others, axis: axis) }
  public func sliced(_ range: Range<Int>, axis: Int) -> Value { builder.append(Slice(axis: axis, range: range), [self])[0] }
  /// A range of the first axis.
  public func rows(_ range: Range<Int>) -> Value { sliced(range, axis: 0) }
}
