import Foundation
import Host

/// Points in a plane, each with its name beside it and a bar of one standard error each way: how one number goes with another.
public struct ScatterChart: Figure {
  public struct Point: Sendable, Hashable {
    public var name: String
    public var x: Double
    public var y: Double
    /// One standard error each; 0 for no bar.
    public var xError: Double
    public var yError: Double
    /// Drawn as an outline, for what is less sure than the others.
    public var isHollow: Bool

    public init(_ name: String, x: Double, y: Double, xError: Double = 0, yError: Double = 0, isHollow: Bool = false) {
      (self.name, self.x, self.y, self.xError, self.yError, self.isHollow) = (name, x, y, xError, yError, isHollow)
    }
  }

  /// Points of one colour and one symbol.
  public struct Series: Sendable, Hashable {
    public var name: String
    public var points: [Point]

    public init(_ name: String, _ points: [Point]) { (self.name, self.points) = (name, points) }
  }

  public var title: String
  public var x: Axis
  public var y: Axis
  public var series: [Series]
  /// A dashed horizontal line, such as what no training reaches.
  public var reference: (name: String, value: Double)?
  public var size = (width: 860, height: 600)

  /// Traps unless both axes are linear.
  public init(_ title: String, x: Axis, y: Axis, series: [Series], reference: (name: String, value: Double)? = nil) {
    precondition(x.scale == .linear && y.scale == .linear, "\(title): names are placed on linear axes alone")
    (self.title, self.x, self.y, self.series, self.reference) = (title, x, y, series, reference)
  }

  /// Where the axes lie in the figure, as shares of its sides: known, so that names can be placed.
  private static let frame = (left: 0.09, right: 0.975, bottom: 0.2, top: 0.92)
  private static let font = (size: 11, width: 6.7, height: 14.0)
  /// gnuplot's symbols, filled and hollow: circle, square, triangle, diamond.
  private static let symbols = [(7, 6), (5, 4), (9, 8), (13, 12)]

  public func script() throws(InputError) -> String {
    let points = series.flatMap(\.points)
    guard points.allSatisfy({ $0.x.isFinite && $0.y.isFinite && $0.xError.isFinite && $0.yError.isFinite }), !points.isEmpty else {
      throw InputError(
        path: "", place: "figure \(title)", expected: "points with finite numbers", found: points.isEmpty ? "none" : "others")
    }
    let across = x.range ?? ScatterChart.range(points.flatMap { [$0.x - $0.xError, $0.x + $0.xError] })
    let along =
      y.range ?? ScatterChart.range(points.flatMap { [$0.y - $0.yError, $0.y + $0.yError] } + (reference.map { [$0.value] } ?? []))
    var (xAxis, yAxis) = (x, y)
    (xAxis.range, yAxis.range) = (across, along)
    let frame = ScatterChart.frame
    var text = xAxis.commands("x", showing: []) + yAxis.commands("y", showing: [])
    text += "set lmargin at screen \(frame.left)\nset rmargin at screen \(frame.right)\n"
    text += "set bmargin at screen \(frame.bottom)\nset tmargin at screen \(frame.top)\nset key at screen 0.5,0.005 center bottom\n"
    text += names(of: points, across, along)
    var plots: [String] = []
    if let reference {
      plots.append("\(reference.value) with lines lc rgb '#666666' dt '-' lw 1.2 title \(Quoted(reference.name))")
    }
    for (s, one) in series.enumerated() where !one.points.isEmpty {
      let colour = Palette.colour(s), (filled, hollow) = ScatterChart.symbols[s % 4]
      func plot(_ name: String, _ rows: [[Double]], _ style: String) {
        guard !rows.isEmpty else { return }
        text += dataBlock("\(name)\(s)", rows)
        plots.append("$\(name)\(s) using \(style)")
      }
      // Vectors without heads: gnuplot's own error bars leave a white spot at the value.
      // Of the series' colour, half transparent: `#AARRGGBB`, where gnuplot counts transparency.
      let bar = "with vectors nohead lc rgb '#90\(colour.dropFirst())' lw 1 notitle"
      plot("across", one.points.filter { $0.xError > 0 }.map { [$0.x - $0.xError, $0.y, 2 * $0.xError, 0] }, "1:2:3:4 \(bar)")
      plot("along", one.points.filter { $0.yError > 0 }.map { [$0.x, $0.y - $0.yError, 0, 2 * $0.yError] }, "1:2:3:4 \(bar)")
      let solid = one.points.filter { !$0.isHollow }, open = one.points.filter(\.isHollow)
      func symbol(_ type: Int, _ title: String) -> String { "1:2 with points pt \(type) ps 0.8 lw 1.6 lc rgb '\(colour)' \(title)" }
      let title = "title \(Quoted(one.name))"
      plot("solid", solid.map { [$0.x, $0.y] }, symbol(filled, title))
      plot("open", open.map { [$0.x, $0.y] }, symbol(hollow, solid.isEmpty ? title : "notitle"))
    }
    return text + "plot " + plots.joined(separator: ", \\\n  ") + "\n"
  }

  /// Names, with a line to the point where one stands apart from it.
  private func names(of points: [Point], _ across: ClosedRange<Double>, _ along: ClosedRange<Double>) -> String {
    let frame = ScatterChart.frame, font = ScatterChart.font
    let width = (frame.right - frame.left) * Double(size.width), height = (frame.top - frame.bottom) * Double(size.height)
    let right = width / (across.upperBound - across.lowerBound), up = height / (along.upperBound - along.lowerBound)
    let places = points.map { (x: ($0.x - across.lowerBound) * right, y: ($0.y - along.lowerBound) * up) }
    let line = reference.map { LabelPlacement.Box(x: width / 2, y: ($0.value - along.lowerBound) * up, width: width, height: 2) }
    let bars =
      (line.map { [$0] } ?? [])
      + zip(points, places).flatMap { point, place in
        [
          LabelPlacement.Box(x: place.x, y: place.y, width: 2 * point.xError * right, height: 2),
          LabelPlacement.Box(x: place.x, y: place.y, width: 2, height: 2 * point.yError * up),
        ]
      }
    let sizes = points.map { (width: Double($0.name.count) * font.width + 2, height: font.height) }
    let boxes = LabelPlacement(points: places, sizes: sizes, bars: bars, inside: (width, height)).boxes
    var text = ""
    for (i, box) in boxes.enumerated() {
      text +=
        "set label \(Quoted(points[i].name)) at graph \(box.x / width), graph \(box.y / height) center font ',\(font.size)' tc rgb '#222222' front\n"
      let end = box.nearest(to: places[i]), gap = hypot(end.x - places[i].x, end.y - places[i].y)
      guard gap > 2 * LabelPlacement.reach else { continue }
      text +=
        "set arrow from graph \(places[i].x / width), graph \(places[i].y / height) to graph \(end.x / width), graph \(end.y / height) "
        + "nohead lc rgb '#999999' lw 0.8 back\n"
    }
    return text
  }

  /// The values with a margin of 6 % on either side; of 1 about a value that stands alone.
  private static func range(_ values: [Double]) -> ClosedRange<Double> {
    let low = values.min()!, high = values.max()!, margin = high > low ? 0.06 * (high - low) : 0.5
    return low - margin...high + margin
  }
}
