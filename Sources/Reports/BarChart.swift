import Host

/// Groups of bars with error bars, such as a table of transfers: one group a task, one bar a checkpoint.
public struct BarChart: Figure {
  public struct Bar: Sendable, Hashable {
    public var value: Double
    /// One standard error.
    public var error: Double

    public init(_ value: Double, error: Double) {
      self.value = value
      self.error = error
    }
  }

  public struct Series: Sendable, Hashable {
    public var name: String
    /// One for each group; `nil` where the number is withheld, which the figure says in its place.
    public var bars: [Bar?]

    public init(_ name: String, _ bars: [Bar?]) {
      self.name = name
      self.bars = bars
    }
  }

  public var title: String
  public var groups: [String]
  public var y: Axis
  public var series: [Series]
  /// A dashed horizontal line, such as the chance level.
  public var reference: (name: String, value: Double)?
  /// What the groups are; `nil` where their names say it.
  public var x: String?
  public var size = (width: 760, height: 440)

  /// Traps unless each series has a bar for each group.
  public init(_ title: String, groups: [String], y: Axis, series: [Series], reference: (name: String, value: Double)? = nil) {
    precondition(
      series.allSatisfy { $0.bars.count == groups.count }, "\(title): a series without a bar for each of \(groups.count) groups"
    )
    self.title = title
    self.groups = groups
    self.y = y
    self.series = series
    self.reference = reference
  }

  public func script() throws(InputError) -> String {
    try checkDrawable(series.flatMap { $0.bars.compactMap { $0?.value } }, of: title)
    try y.check(series.flatMap { $0.bars.compactMap { $0?.value } }, of: title)
    let width = 0.8 / Double(series.count)
    var axis = y
    if axis.range == nil && axis.scale == .linear {
      // Bars begin at 0; a broken baseline exaggerates.
      let ends =
        series.flatMap { $0.bars.compactMap { $0 } }.flatMap { [$0.value - $0.error, $0.value + $0.error] } + [
          reference?.value ?? 0
        ]
      let low = ends.reduce(0) { min($0, $1) }, high = ends.reduce(0) { max($0, $1) }
      axis.range = low * 1.05...(high > low ? high * 1.05 : 1)
    }
    var text = axis.commands("y", showing: series.flatMap { $0.bars.compactMap { $0?.value } })
    text +=
      "set xrange [-0.6:\(Double(groups.count) - 0.4)]\nset xtics scale 0 ("
      + groups.enumerated().filter { groups.count <= 16 || $0.offset % 4 == 0 }.map { "\(Quoted(tic: $0.element)) \($0.offset)" }.joined(separator: ",") + ")\n"
    if groups.count <= 16 && groups.contains(where: { $0.count > 50 / groups.count }) { text += "set xtics rotate by 25 right\n" }
    if let x { text += "set xlabel \(Quoted(x))\n" }
    var plots: [String] = []
    for (s, one) in series.enumerated() {
      let shift = (Double(s) - Double(series.count - 1) / 2) * width
      let rows = one.bars.enumerated().compactMap { g, bar in bar.map { [Double(g) + shift, $0.value, $0.error] } }
      for (g, bar) in one.bars.enumerated() where bar == nil {
        text +=
          "set label 'withheld' at first \(Double(g) + shift), graph 0.03 rotate by 90 left font ',10' tc rgb '#B00020' front\n"
      }
      // A series that is withheld throughout keeps its key.
      text += dataBlock("bars\(s)", rows.isEmpty ? [[-100, 0, 0]] : rows)
      plots.append(
        "$bars\(s) using 1:2:(\(width * 0.9)) with boxes fs solid 0.9 noborder lc rgb '\(Palette.colour(s))' title \(Quoted(one.name))"
      )
      // Vectors with flat heads: gnuplot's own error bars leave a white spot at the value.
      guard rows.contains(where: { $0[2] > 0 }) else { continue }
      plots.append(
        "$bars\(s) using 1:($2-$3):(0):(2*$3) with vectors heads size screen 0.005,90 lc rgb '#111111' lw 1.4 notitle")
    }
    if let reference {
      plots.append("\(reference.value) with lines lc rgb '#444444' dt '-' lw 1.4 title \(Quoted(reference.name))")
    }
    return text + "plot " + plots.joined(separator: ", \\\n  ") + "\n"
  }
}
