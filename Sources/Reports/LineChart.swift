import Host

/// Curves over a common axis, such as a training's losses; each may carry an error band.
public struct LineChart: Figure {
  public struct Series: Sendable {
    public var name: String
    public var x: [Double]
    public var y: [Double]
    /// Half the height of the band about `y`; empty for none.
    public var error: [Double]
    /// `nil`: told apart by its place among the series.
    public var style: Style?

    /// Traps unless all arrays that are not empty have one length. A series without a name is not in the key.
    public init(_ name: String, x: [Double], y: [Double], error: [Double] = [], style: Style? = nil) {
      precondition(
        x.count == y.count && (error.isEmpty || error.count == y.count),
        "\(name): \(x.count), \(y.count), \(error.count) values")
      self.name = name
      self.x = x
      self.y = y
      self.error = error
      self.style = style
    }
  }

  /// For series that belong together, such as seeds of one family.
  public struct Style: Sendable, Hashable {
    /// Index into the house colours.
    public var colour: Int
    public var isDashed: Bool

    public init(colour: Int, isDashed: Bool) {
      self.colour = colour
      self.isDashed = isDashed
    }
  }

  public var title: String
  public var x: Axis
  public var y: Axis
  public var series: [Series]
  /// A dashed horizontal line, such as the chance level.
  public var reference: (name: String, value: Double)?
  public var size = (width: 720, height: 440)

  public init(
    _ title: String, x: Axis, y: Axis, series: [Series], reference: (name: String, value: Double)? = nil
  ) {
    self.title = title
    self.x = x
    self.y = y
    self.series = series
    self.reference = reference
  }

  public func script() throws(InputError) -> String {
    try checkDrawable(series.flatMap(\.y), of: title)
    try x.check(series.flatMap(\.x), of: title)
    try y.check(series.flatMap(\.y) + (reference.map { [$0.value] } ?? []), of: title)
    let heights = series.flatMap { one in
      one.y + zip(one.y, one.error).flatMap { [$0 - $1, $0 + $1] }
    }
    var text = x.commands("x", showing: series.flatMap(\.x)), plots: [String] = []
    text += y.commands("y", showing: heights + (reference.map { [$0.value] } ?? []))
    for (i, one) in series.enumerated() {
      let colour = Palette.colour(one.style?.colour ?? i), dash = one.style.map { $0.isDashed ? 2 : 1 } ?? Palette.dash(i)
      if !one.error.isEmpty {
        try y.check(zip(one.y, one.error).map { $0 - $1 }, of: title)
        text += dataBlock("band\(i)", one.x.indices.map { [one.x[$0], one.y[$0] - one.error[$0], one.y[$0] + one.error[$0]] })
        plots.append("$band\(i) using 1:2:3 with filledcurves fc rgb '\(colour)' fs transparent solid 0.18 noborder notitle")
      }
      text += dataBlock("line\(i)", one.x.indices.map { [one.x[$0], one.y[$0]] })
      // Points only where they can be told apart.
      let style = one.x.count <= 40 ? "linespoints pt \([7, 5, 9, 11, 13][(one.style?.colour ?? i) % 5]) ps 0.5" : "lines"
      plots.append(
        "$line\(i) using 1:2 with \(style) lc rgb '\(colour)' dt \(dash) lw \(one.style == nil ? 2 : 1.3) "
          + (one.name.isEmpty ? "notitle" : "title \(Quoted(one.name))"))
    }
    if let reference {
      plots.append("\(reference.value) with lines lc rgb '#666666' dt '-' lw 1.2 title \(Quoted(reference.name))")
    }
    return text + "plot " + plots.joined(separator: ", \\\n  ") + "\n"
  }
}
