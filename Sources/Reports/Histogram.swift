import Host

/// Counts in bins, one outline a series: over panels, radius, azimuth or pixel values.
public struct Histogram: Figure {
  public struct Series: Sendable, Hashable {
    public var name: String
    public var counts: [Double]

    public init(_ name: String, counts: [Double]) {
      self.name = name
      self.counts = counts
    }
  }

  public var title: String
  public var x: Axis
  public var y: Axis
  /// Bounds of the bins, rising, one more than bins.
  public var edges: [Double]
  public var series: [Series]
  public var size = (width: 720, height: 400)

  /// Traps unless the edges rise and each series has a count for each bin.
  public init(_ title: String, x: Axis, y: Axis = Axis("images"), edges: [Double], series: [Series]) {
    precondition(edges.count > 1 && zip(edges, edges.dropFirst()).allSatisfy { $0 < $1 }, "\(title): bin edges must rise")
    precondition(series.allSatisfy { $0.counts.count == edges.count - 1 }, "\(title): \(edges.count - 1) bins and other counts")
    self.title = title
    self.x = x
    self.y = y
    self.edges = edges
    self.series = series
  }

  /// On a logarithmic count axis an empty bin is drawn at one half.
  public func script() throws(InputError) -> String {
    try checkDrawable(series.flatMap(\.counts), of: title)
    try x.check(edges, of: title)
    let floor = y.scale == .logarithmic ? 0.5 : 0
    var x = x, y = y, text = "", plots: [String] = []
    if x.range == nil { x.range = edges[0]...edges[edges.count - 1] }
    let top = series.flatMap(\.counts).filter(\.isFinite).reduce(1) { max($0, $1) }
    if y.scale == .logarithmic && y.range == nil { y.range = floor...top * 1.3 }
    text += x.commands("x", showing: edges) + y.commands("y", showing: [])
    if y.range == nil { text += "set yrange [\(floor):*]\n" }
    for (i, one) in series.enumerated() {
      var rows = [[edges[0], floor]]
      for (bin, count) in one.counts.enumerated() {
        rows += [[edges[bin], max(floor, count)], [edges[bin + 1], max(floor, count)]]
      }
      rows.append([edges[edges.count - 1], floor])
      text += dataBlock("bins\(i)", rows)
      let colour = Palette.colour(i)
      plots.append(
        "$bins\(i) using 1:2 with filledcurves y1=\(floor) fc rgb '\(colour)' fs transparent solid \(series.count == 1 ? 0.55 : 0.22) noborder notitle"
      )
      plots.append(
        "$bins\(i) using 1:2 with lines lc rgb '\(colour)' dt \(Palette.dash(i)) lw 1.8 "
          + (one.name.isEmpty ? "notitle" : "title \(Quoted(one.name))"))
    }
    return text + "plot " + plots.joined(separator: ", \\\n  ") + "\n"
  }
}
