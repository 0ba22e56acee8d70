/// Symmetries of places in a picture: labels of points and boxes, beam centres, pixel coordinates of a detector.
///
/// Coordinates are in pixels from the middle of the first pixel, x along a row and y down a column: pixel [i,j] lies at (j, i), and
/// the picture's outer edge at −½ and width − ½.
extension Symmetry {
  /// Where what lay at `point` of a picture of `height`×`width` lies afterwards.
  public func callAsFunction(_ point: SIMD2<Double>, height: Int, width: Int) -> SIMD2<Double> {
    var (x, y) = transposes ? (point.y, point.x) : (point.x, point.y)
    let (rows, columns) = transposes ? (width, height) : (height, width)
    if reversesRows { y = Double(rows - 1) - y }
    if reversesColumns { x = Double(columns - 1) - x }
    return SIMD2(x, y)
  }

  /// A direction: the same without regard to where the picture ends.
  public func callAsFunction(direction: SIMD2<Double>) -> SIMD2<Double> {
    let turned = transposes ? SIMD2(direction.y, direction.x) : direction
    return SIMD2(reversesColumns ? -turned.x : turned.x, reversesRows ? -turned.y : turned.y)
  }

  public func callAsFunction(_ box: PixelBox, height: Int, width: Int) -> PixelBox {
    let (rows, columns) = transposes ? (box.columns, box.rows) : (box.rows, box.columns)
    func reversed(_ range: Range<Double>, _ extent: Int) -> Range<Double> {
      Double(extent - 1) - range.upperBound..<Double(extent - 1) - range.lowerBound
    }
    return PixelBox(
      rows: reversesRows ? reversed(rows, transposes ? width : height) : rows,
      columns: reversesColumns ? reversed(columns, transposes ? height : width) : columns)
  }
}

/// A rectangle of a picture. One around pixel [i,j] alone spans i − ½ ..< i + ½ and j − ½ ..< j + ½.
public struct PixelBox: Hashable, Sendable {
  public var rows: Range<Double>
  public var columns: Range<Double>
  public init(rows: Range<Double>, columns: Range<Double>) { (self.rows, self.columns) = (rows, columns) }
}
