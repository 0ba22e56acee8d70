import Tensors

/// What it takes to draw how an instrument came to its reading: the picture, what it marked there, and curves.
public struct Sketch: Sendable {
  public var title: String
  public var image: MaskedImage
  /// Marked pixels: (row, column).
  public var marks: [(row: Int, column: Int)]
  public var panels: [Panel]

  /// Curves over one abscissa.
  public struct Panel: Sendable {
    public var title: String
    public var curves: [Curve]
    /// Abscissae to mark by a vertical line.
    public var lines: [Double]
    public init(title: String, curves: [Curve], lines: [Double] = []) { (self.title, self.curves, self.lines) = (title, curves, lines) }
  }

  public struct Curve: Sendable {
    public var name: String
    public var x: [Double], y: [Double]
    public init(name: String, x: [Double], y: [Double]) {
      precondition(x.count == y.count, "a curve has as many abscissae as ordinates")
      (self.name, self.x, self.y) = (name, x, y)
    }
  }

  public init(title: String, image: MaskedImage, marks: [(row: Int, column: Int)] = [], panels: [Panel] = []) {
    (self.title, self.image, self.marks, self.panels) = (title, image, marks, panels)
  }
}
