import Foundation
import Host
import Reports
import Tensors
import Testing

private let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
private let installed = path.split(separator: ":").contains { FileManager.default.isExecutableFile(atPath: $0 + "/gnuplot") }

/// A string that would run a command in a double-quoted gnuplot string, end a single-quoted one, start a new command,
/// run as a script in a page, and be taken for a format or markup.
private let hostile =
  "a`touch INJECTED`'.system('touch INJECTED').'\nsystem 'touch INJECTED'\r<script>alert(1)</script> \"&\" %s{/b}_\\n"

private func hostileFigures() -> [any Figure] {
  let axis = Axis(hostile, unit: hostile)
  return [
    LineChart(
      hostile, x: axis, y: axis, series: [.init(hostile, x: [1, 2], y: [1, 2], error: [0.1, 0.1])], reference: (hostile, 1.5)),
    BarChart(hostile, groups: [hostile], y: axis, series: [.init(hostile, [.init(1, error: 0.1)])], reference: (hostile, 0.5)),
    Histogram(hostile, x: axis, y: axis, edges: [0, 1], series: [.init(hostile, counts: [3])]),
    HeatMap(hostile, values: Tensor([1, 2], [1, 2]), palette: .sequential, colour: axis, x: axis, y: axis),
    ScatterChart(hostile, x: axis, y: axis, series: [.init(hostile, [.init(hostile, x: 1, y: 1, xError: 0.1)])], reference: (hostile, 0.5)),
  ]
}

@Test(.enabled(if: installed, "gnuplot is not installed"), arguments: 0..<5)
func hostileTitlesAreOnlyText(_ index: Int) throws {
  let marker = FileManager.default.currentDirectoryPath + "/INJECTED"
  let svg = try Gnuplot(searching: path).svg(hostileFigures()[index])
  #expect(!FileManager.default.fileExists(atPath: marker))
  #expect(!svg.contains("<script") && svg.contains("&lt;script>alert(1)&lt;/script>"))
  // The user's text arrives whole: back quotes, both quotes, percent sign and braces as they were.
  #expect(svg.contains("a`touch INJECTED`'.system('touch INJECTED').' system 'touch INJECTED'"))
  #expect(svg.contains("%s{/b}_\\n"))
  #expect(XMLProbe.isWellFormed(svg))
  var report = HTMLReport(title: hostile, subtitle: hostile)
  try report.figure(svg: svg, caption: hostile)
  #expect(!report.html.contains("<script"))
}

@Test(.enabled(if: installed, "gnuplot is not installed")) func gnuplotErrorsArriveInItsOwnWords() throws {
  struct Broken: Figure {
    let title = "broken", size = (width: 100, height: 100)
    func script() -> String { "plot nonsense\n" }
  }
  #expect { try Gnuplot(searching: path).svg(Broken()) } throws: { error in
    guard let error = error as? InputError else { return false }
    return error.place == "figure broken" && error.found.contains("undefined variable: nonsense")
  }
}

@Test func aMissingGnuplotNamesThePackage() {
  for attempt in [
    { try Gnuplot(searching: "/nowhere:/neither").svg(hostileFigures()[0]) },
    { try Gnuplot(executable: "/nowhere/gnuplot").svg(hostileFigures()[0]) },
  ] {
    #expect { try attempt() } throws: { ($0 as? InputError)?.kind == .missing && "\($0)".contains("gnuplot-nox") }
  }
}

@Test func whatCannotBeDrawnIsRefused() {
  let logarithmic = Axis("loss", scale: .logarithmic), step = Axis("step")
  #expect { try LineChart("t", x: step, y: logarithmic, series: [.init("a", x: [1, 2], y: [1, 0])]).script() } throws: {
    "\($0)".contains("positive loss")
  }
  #expect(throws: InputError.self) { try LineChart("t", x: step, y: step, series: [.init("a", x: [1], y: [.nan])]).script() }
  #expect(throws: InputError.self) {
    try HeatMap("t", values: Tensor([1, 1], [.nan]), palette: .diverging, colour: step).script()
  }
}

@Test(.enabled(if: installed, "gnuplot is not installed")) func logarithmicColoursNeedPositiveValues() throws {
  let colour = Axis("intensity", unit: "photons", scale: .logarithmic)
  let bright = HeatMap("t", values: Tensor([1, 3], [1, .nan, 1000]), palette: .sequential, colour: colour)
  let svg = try Gnuplot(searching: path).svg(bright)
  // Decades, as a linear scale would not have them, and the picture as embedded pixels that stay sharp.
  #expect(svg.contains("<text>10</text>") && svg.contains("<text>100</text>") && svg.contains("image-rendering:pixelated"))
  #expect(throws: InputError.self) {
    try HeatMap("t", values: Tensor([1, 2], [0, 1]), palette: .sequential, colour: colour).script()
  }
}

@Test(.enabled(if: installed, "gnuplot is not installed"), arguments: [[1, 1], [1, 4], [4, 1], [3, 5]])
func everyHeatMapIsDrawnWhole(_ extents: [Int]) throws {
  let values = Tensor(Shape(extents), (0..<extents[0] * extents[1]).map { Float($0 + 1) })
  let svg = try Gnuplot(searching: path).svg(HeatMap("t", values: values, palette: .sequential, colour: Axis("c")))
  func attribute(_ name: String, _ tag: Substring) -> Double? {
    tag.range(of: " \(name)='").flatMap { Double(tag[$0.upperBound...].prefix { $0 != "'" }) }
  }
  // One embedded picture, whose sides are as columns to rows.
  let images = svg.components(separatedBy: "<image ").dropFirst().map { " " + $0.prefix { $0 != ">" } }
  let tag = try #require(images.count == 1 ? Substring(images[0]) : nil)
  let width = try #require(attribute("width", tag)), height = try #require(attribute("height", tag))
  #expect(abs(width / height / (Double(extents[1]) / Double(extents[0])) - 1) < 0.02)
}

@Test func divergingColoursAreSymmetricAboutZero() throws {
  let map = HeatMap("t", values: Tensor([1, 3], [-1, .nan, 4]), palette: .diverging, colour: Axis("evidence"))
  #expect(try map.script().contains("set cbrange [-4.0:4.0]"))
  let flat = HeatMap("t", values: Tensor([1, 1], [2]), palette: .sequential, colour: Axis("evidence"))
  #expect(try flat.script().contains("set cbrange [1.5:2.5]"))
}

@Test(.enabled(if: installed, "gnuplot is not installed")) func drawnHeightsFollowTheData() throws {
  // One box of height 3 and one of height 1 on an axis from 0: their drawn heights must be as 3 to 1.
  let chart = BarChart(
    "t", groups: ["a", "b"], y: Axis("y", range: 0...4), series: [.init("s", [.init(3, error: 0), .init(1, error: 0)])])
  let svg = try Gnuplot(searching: path).svg(chart)
  let heights = svg.split(separator: "<polygon").compactMap { piece -> Double? in
    guard let start = piece.range(of: "points = '") else { return nil }
    let y = piece[start.upperBound...].prefix { $0 != "'" }.split(separator: " ").compactMap {
      Double($0.split(separator: ",").last ?? "")
    }
    guard y.count >= 4, let low = y.min(), let high = y.max(), high - low > 20 else { return nil }
    return high - low
  }
  #expect(heights.count == 2 && abs(heights[0] / heights[1] - 3) < 0.02, "\(heights)")
}

/// Whether text is well-formed as far as tags go: each closed in order.
enum XMLProbe {
  static let empty: Set<String> = ["meta", "img", "br"]

  static func isWellFormed(_ text: String) -> Bool {
    var open: [String] = []
    var rest = Substring(text)
    while let start = rest.firstIndex(of: "<") {
      rest = rest[rest.index(after: start)...]
      // Quoted attributes may hold any character.
      var quote: Character?
      guard
        let end = rest.firstIndex(where: { c in
          if let q = quote {
            if c == q { quote = nil }
          } else if c == "'" || c == "\"" {
            quote = c
          } else if c == ">" {
            return true
          }
          return false
        })
      else { return false }
      let tag = rest[..<end]
      rest = rest[rest.index(after: end)...]
      let name = String(tag.prefix { !$0.isWhitespace && $0 != "/" || $0 == "/" && tag.first == "/" })
      if name.hasPrefix("!") || name.hasPrefix("?") || tag.hasSuffix("/") || empty.contains(name) { continue }
      if name.hasPrefix("/") {
        guard open.popLast() == String(name.dropFirst()) else { return false }
      } else {
        open.append(name)
        if name == "style" {  // Its content is no markup.
          guard let close = rest.range(of: "</style>") else { return false }
          rest = rest[close.lowerBound...]
        }
      }
    }
    return open.isEmpty
  }
}
