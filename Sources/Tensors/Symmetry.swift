/// The eight symmetries of the square (the dihedral group D4): the only place where mirrors and quarter turns are defined. Pictures, masks,
/// points, boxes and detectors all go by it: `Symmetry+Places`, and `Symmetry+Detectors` in `Frames`.
///
/// A symmetry acts on an image by `y[i,j] = x[σ(i,j)]`. It is written as "transpose if `transposes`, then reverse rows if
/// `reversesRows`, then reverse columns if `reversesColumns`".
public struct Symmetry: Hashable, Sendable, CaseIterable {
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
  @inlinable
  public func callAsFunction<Element>(_ image: Tensor<Element>) -> Tensor<Element> {
    precondition(image.shape.rank == 2, "a symmetry acts on [H,W], got \(image.shape)")
    let h = image.shape[0], w = image.shape[1], rows = transposes ? w : h, columns = transposes ? h : w
    var elements = image.elements
    write(image.elements.span, height: h, width: w) { elements[$0] = $1 }
    return Tensor([rows, columns], elements)
  }

  /// Gives every element of `image` `[height,width]` with its place in the result, row-major.
  @inlinable @inline(__always)
  public func write<Element>(_ image: Span<Element>, height: Int, width: Int, _ put: (Int, Element) -> Void) {
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

  /// σ, row-major: pixel i of the result shows pixel `sources[i]` of a picture of `height`×`width`.
  public func sources(height: Int, width: Int) -> [Int] { self(Tensor([height, width], Array(0..<height * width))).elements }

  /// Each of `tiles`×`tiles` equal tiles by itself, in its place. Traps unless tiles divide the sides, and are square where it transposes.
  @inlinable
  public func callAsFunction<Element>(_ image: Tensor<Element>, tiles: Int) -> Tensor<Element> {
    guard tiles > 1 else { return self(image) }
    let (height, width) = (image.shape[0], image.shape[1]), (h, w) = (height / tiles, width / tiles)
    precondition(h * tiles == height && w * tiles == width, "\(tiles) tiles do not divide \(image.shape)")
    precondition(!transposes || h == w, "tiles of \(h)×\(w) cannot be transposed in their places")
    var result = image
    let sources = sources(height: h, width: w)
    for first in (0..<tiles * tiles).map({ $0 / tiles * h * width + $0 % tiles * w }) {
      for (i, source) in sources.enumerated() {
        result.elements[first + i / w * width + i % w] = image.elements[first + source / w * width + source % w]
      }
    }
    return result
  }
}
