import Host
import Tensors

/// A picture of numbers, such as where a detector of flips looks. The first row is on top, as in the image.
public struct HeatMap: Figure {
  public enum Palette: Sendable, Hashable {
    /// Dark to light, for amounts.
    case sequential
    /// Blue through white to red, symmetric about 0, for signed evidence.
    case diverging
  }

  public var title: String
  /// `[H,W]`; not-a-number where nothing was measured, drawn grey.
  public var values: Tensor<Float>
  public var palette: Palette
  /// What the colours mean.
  public var colour: Axis
  public var x: Axis
  public var y: Axis

  /// Traps unless `values` is `[H,W]` with at least one pixel, `x` and `y` are linear, and so is a diverging palette.
  public init(
    _ title: String, values: Tensor<Float>, palette: Palette, colour: Axis, x: Axis = Axis("column", unit: "pixel"),
    y: Axis = Axis("row", unit: "pixel")
  ) {
    precondition(values.shape.rank == 2 && values.shape.count > 0, "a heat map is [H,W], got \(values.shape)")
    precondition(x.scale == .linear && y.scale == .linear, "\(title): pixels are evenly spaced")
    precondition(palette == .sequential || colour.scale == .linear, "\(title): a diverging palette has no logarithm")
    self.title = title
    self.values = values
    self.palette = palette
    self.colour = colour
    self.x = x
    self.y = y
  }

  /// As high as keeps pixels square, within reason.
  public var size: (width: Int, height: Int) {
    let ratio = Double(values.shape[0]) / Double(values.shape[1])
    return (640, min(960, max(260, Int(440 * ratio) + 110)))
  }

  public func script() throws(InputError) -> String {
    try checkDrawable(values.elements.lazy.map(Double.init), of: title)
    let height = values.shape[0], width = values.shape[1]
    var text = x.commands("x", showing: []) + y.commands("y", showing: [])
    if colour.scale == .logarithmic {
      try colour.check(values.elements.lazy.map(Double.init).filter(\.isFinite), of: title)
      text += "set logscale cb 10\nset format cb '%g'\n"
    }
    text += "set cblabel \(Quoted(colour.caption))\nset cbrange [\(limits.lowerBound):\(limits.upperBound)]\n"
    text += Reports.Palette.command(palette == .diverging ? Reports.Palette.diverging : Reports.Palette.sequential)
    text += "set xrange [-0.5:\(Double(width) - 0.5)]\nset yrange [\(Double(height) - 0.5):-0.5]\n"
    text += "set size ratio \(Double(height) / Double(width))\nunset grid\nset border 15\n"
    text += "set lmargin at screen 0.1\nset rmargin at screen 0.81\n"
    text += "set object 1 rectangle from graph 0,0 to graph 1,1 behind fs solid noborder fc rgb '#c8c8c8'\n"
    text += "set colorbox user origin graph 1.03, graph 0 size 0.025, graph 1 noborder\n"
    // gnuplot draws no image of one row or column: there each pixel is drawn as two halves.
    let down = height == 1 ? 2 : 1, across = width == 1 ? 2 : 1
    let rows = (0..<height * down).map { row in
      (0..<width * across).map { column in
        let value = values.elements[row / down * width + column / across]
        return value.isFinite ? "\(value)" : "NaN"
      }.joined(separator: " ")
    }
    let x = across == 1 ? "1" : "($1/2-0.25)", y = down == 1 ? "2" : "($2/2-0.25)"
    return text + "$map << EOD\n" + rows.joined(separator: "\n") + "\nEOD\n"
      + "plot $map matrix using \(x):\(y):3 with image notitle\n"
  }

  /// What the colours span: the given range, else the data's; symmetric about 0 for a diverging palette.
  var limits: ClosedRange<Double> {
    let finite = values.elements.lazy.map(Double.init).filter(\.isFinite)
    var low = colour.range?.lowerBound ?? finite.reduce(.infinity) { min($0, $1) }
    var high = colour.range?.upperBound ?? finite.reduce(-.infinity) { max($0, $1) }
    if palette == .diverging {
      high = max(abs(low), abs(high))
      low = -high
    }
    // A flat map still needs a scale.
    return low < high ? low...high : low - 0.5...low + 0.5
  }
}
