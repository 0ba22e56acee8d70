/// The extent of a tensor along each axis, outermost first; `[]` is a scalar.
public struct Shape: Hashable, Codable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
  public var extents: [Int]

  public init(_ extents: [Int]) { self.extents = extents }
  public init(arrayLiteral extents: Int...) { self.extents = extents }

  public init(from decoder: any Decoder) throws {
    extents = try decoder.singleValueContainer().decode([Int].self)
  }

  public func encode(to encoder: any Encoder) throws {
    var box = encoder.singleValueContainer()
    try box.encode(extents)
  }

  public var rank: Int { extents.count }
  /// The number of elements; 1 for a scalar.
  public var count: Int { extents.reduce(1, *) }
  public subscript(axis: Int) -> Int { extents[axis] }
  public var description: String { "[" + extents.map(String.init).joined(separator: "×") + "]" }

  /// The axes of `a` followed by the axes of `b`.
  public static func + (a: Shape, b: Shape) -> Shape { Shape(a.extents + b.extents) }

  /// The number of elements, or `nil` where an extent is negative or the product overflows.
  /// For shapes read from files, which may say anything.
  public var checkedCount: Int? {
    var product = 1
    for extent in extents {
      guard extent >= 0 else { return nil }
      let (next, overflow) = product.multipliedReportingOverflow(by: extent)
      guard !overflow else { return nil }
      product = next
    }
    return product
  }
}
