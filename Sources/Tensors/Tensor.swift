/// A dense row-major array on the host.
public struct Tensor<Element: BitwiseCopyable & Sendable>: Sendable {
  public let shape: Shape
  public var elements: [Element]

  /// Traps when the number of elements is not `shape.count`.
  public init(_ shape: Shape, _ elements: [Element]) {
    precondition(elements.count == shape.count, "\(elements.count) elements cannot fill \(shape)")
    self.shape = shape
    self.elements = elements
  }

  public init(repeating value: Element, _ shape: Shape) {
    self.init(shape, Array(repeating: value, count: shape.count))
  }

  /// The same elements under another shape of equal count.
  public func reshaped(to shape: Shape) -> Tensor { Tensor(shape, elements) }

  public func map<Other: BitwiseCopyable & Sendable>(_ transform: (Element) -> Other) -> Tensor<Other> {
    Tensor<Other>(shape, elements.map(transform))
  }

  /// Slice `index` along the first axis: `[N, ...] -> [...]`.
  public subscript(first index: Int) -> Tensor {
    let rest = Shape(Array(shape.extents.dropFirst()))
    return Tensor(rest, Array(elements[index * rest.count..<(index + 1) * rest.count]))
  }

  /// Joins tensors of one shape along a new first axis: N of `[...]` -> `[N, ...]`. Traps when empty or unequal.
  public static func stacked(_ tensors: [Tensor]) -> Tensor {
    guard let first = tensors.first else { preconditionFailure("nothing to stack") }
    var elements: [Element] = []
    elements.reserveCapacity(first.shape.count * tensors.count)
    for tensor in tensors {
      precondition(tensor.shape == first.shape, "cannot stack \(tensor.shape) on \(first.shape)")
      elements += tensor.elements
    }
    return Tensor([tensors.count] + first.shape, elements)
  }
}

extension Tensor: Equatable where Element: Equatable {}
