import Tensors

/// The eight symmetries of the square (the dihedral group D4): the only place where mirrors and quarter turns are defined.
///
/// A symmetry acts on an image by `y[i,j] = x[σ(i,j)]`. It is written as "transpose if `transposes`, then reverse rows if
/// `reversesRows`, then reverse columns if `reversesColumns`".
public struct Symmetry: Hashable, Codable, Sendable, CaseIterable {
  public let transposes: Bool
  public let reversesRows: Bool
  public let reversesColumns: Bool

  public init(transposes: Bool, reversesRows: Bool, reversesColumns: Bool) {
    self.transposes = transposes
    self.reversesRows = reversesRows
    self.reversesColumns = reversesColumns
  }

  public static let identity = Symmetry(transposes: false, reversesRows: false, reversesColumns: false)
  /// Left and right exchanged.
  public static let mirror = Symmetry(transposes: false, reversesRows: false, reversesColumns: true)
  /// Up and down exchanged.
  public static let upsideDown = Symmetry(transposes: false, reversesRows: true, reversesColumns: false)
  /// Rows and columns exchanged.
  public static let transposition = Symmetry(transposes: true, reversesRows: false, reversesColumns: false)
  public static let halfTurn = Symmetry(transposes: false, reversesRows: true, reversesColumns: true)
  /// A quarter turn counter-clockwise (`numpy.rot90`).
  public static let quarterTurn = Symmetry(transposes: true, reversesRows: true, reversesColumns: false)

  public static let allCases: [Symmetry] = [false, true].flatMap { t in
    [false, true].flatMap { r in [false, true].map { Symmetry(transposes: t, reversesRows: r, reversesColumns: $0) } }
  }

  /// The symmetry that applies `self` first and `next` second.
  public func followed(by next: Symmetry) -> Symmetry {
    // Moving a transposition past reversals exchanges rows and columns.
    let rows = next.transposes ? reversesColumns : reversesRows, columns = next.transposes ? reversesRows : reversesColumns
    return Symmetry(
      transposes: transposes != next.transposes, reversesRows: rows != next.reversesRows,
      reversesColumns: columns != next.reversesColumns)
  }

  public var inverse: Symmetry {
    transposes ? Symmetry(transposes: true, reversesRows: reversesColumns, reversesColumns: reversesRows) : self
  }

  /// Whether handedness changes: -1 for reflections, +1 for rotations.
  public var determinant: Int { (transposes != reversesRows) != reversesColumns ? -1 : 1 }

  /// The four rotations: `rotations[k]` turns by k quarter turns counter-clockwise.
  public static let rotations: [Symmetry] = (1..<4).reduce(into: [identity]) { list, _ in list.append(list.last!.followed(by: quarterTurn)) }

  /// `[H,W] -> [H,W]`, or `[W,H]` where it transposes. No pixel is resampled.
  public func callAsFunction<Element>(_ image: Tensor<Element>) -> Tensor<Element> {
    precondition(image.shape.rank == 2, "a symmetry acts on [H,W], got \(image.shape)")
    let h = image.shape[0], w = image.shape[1], rows = transposes ? w : h, columns = transposes ? h : w
    var elements = image.elements
    write(image.elements.span, height: h, width: w) { elements[$0] = $1 }
    return Tensor([rows, columns], elements)
  }

  /// Gives every element of `image` `[height,width]` with its place in the result, row-major.
  @inline(__always)
  func write<Element>(_ image: Span<Element>, height: Int, width: Int, _ put: (Int, Element) -> Void) {
    let rows = transposes ? width : height, columns = transposes ? height : width
    // y[i,j] = x[first + i·down + j·across].
    let down = reversesRows ? -1 : 1, across = reversesColumns ? -1 : 1
    let first = (reversesRows ? rows - 1 : 0) * (transposes ? 1 : width) + (reversesColumns ? columns - 1 : 0) * (transposes ? width : 1)
    for i in 0..<rows {
      let start = first + i * down * (transposes ? 1 : width), step = across * (transposes ? width : 1)
      for j in 0..<columns { put(i * columns + j, image[start + j * step]) }
    }
  }

  public func callAsFunction(_ image: MaskedImage) -> MaskedImage {
    MaskedImage(pixels: self(image.pixels), weight: self(image.weight))
  }
}
