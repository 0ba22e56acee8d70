import Foundation
import Reports
import Tensors
import Testing

private let folder = ProcessInfo.processInfo.environment["PSIMAGENET_GALLERY_FOLDER"]

/// Writes one report with every kind of content, for the eye: open gallery.html in a browser.
@Test(.enabled(if: folder != nil, "PSIMAGENET_GALLERY_FOLDER is not set")) func theGalleryIsWritten() throws {
  let folder = try #require(folder)
  let gnuplot = try Gnuplot(searching: ProcessInfo.processInfo.environment["PATH"] ?? "")
  var random = Philox(seed: 1)
  let steps = (1...200).map { Double($0) * 10 }
  func curve(_ start: Double, _ floor: Double) -> [Double] {
    steps.map { floor + start * exp(-$0 / 500) + random.normal(0, 0.01) }
  }
  var report = HTMLReport(title: "Gallery of figures", subtitle: "Simulated numbers; nothing here was measured.")
  report.paragraph(
    "A paragraph of text, as wide as it may be, which shows how the lines run, how far apart they stand, and whether the page can be read at length without tiring."
  )
  report.warning(
    "This number is withheld: leak found",
    "The validity mask alone tells original from mirrored images in 99.8 ± 0.2 % of the cases. The accuracy of the flip task on this corpus says nothing about physics."
  )
  report.note("Standard errors are over three seeds; the error within a seed stands beside it.")
  report.heading("Training")
  try report.figure(
    svg: gnuplot.svg(
      LineChart(
        "Training loss", x: Axis("step"), y: Axis("cross-entropy", unit: "nats", scale: .logarithmic),
        series: [
          .init("training", x: steps, y: curve(0.65, 0.1)),
          .init(
            "validation", x: stride(from: 100, through: 2000, by: 100).map { Double($0) },
            y: (1...20).map { 0.15 + 0.6 * exp(-Double($0) / 5) }, error: Array(repeating: 0.03, count: 20)),
        ], reference: ("chance, ln 2", 0.693))), caption: "Loss of the flip task; the band is one standard error.")
  report.heading("Transfer")
  try report.figure(
    svg: gnuplot.svg(
      BarChart(
        "Transfer to downstream tasks", groups: ["hit finding", "panel", "lasing", "run (control)"],
        y: Axis("balanced accuracy"),
        series: [
          .init(
            "random trunk",
            [.init(0.71, error: 0.02), .init(0.55, error: 0.02), .init(0.61, error: 0.03), .init(0.4, error: 0.02)]),
          .init("flip", [.init(0.87, error: 0.02), .init(0.78, error: 0.03), nil, .init(0.55, error: 0.02)]),
          .init("crop position", [.init(0.91, error: 0.01), .init(0.83, error: 0.02), nil, .init(0.6, error: 0.02)]),
        ], reference: ("chance", 0.5))), caption: "Linear probes on frozen features.")
  var table = Table([
    .init("checkpoint"), .init("task"), .init("n", .right), .init("balanced accuracy", .right), .init("remark"),
  ])
  table.append(["flip", "hit finding", .integer(240), .measured(0.873, error: 0.021, digits: 3), "three seeds"])
  table.append(["flip", "lasing", .integer(180), .withheld("run 69 is the only run without lasing"), ""])
  table.append(["crop position", "hit finding", .integer(1240), .measured(0.91, error: 0.009, digits: 3), .missing])
  report.table(table, caption: "Scores with standard errors.")
  func peaks(_ scale: Double) -> [Double] {
    (0..<30).map { Double(random.poisson(scale * exp(-Double($0 * $0) / 120))) }
  }
  report.heading("Corpus")
  try report.figure(
    svg: gnuplot.svg(
      Histogram(
        "Bragg peaks by radius", x: Axis("radius", unit: "mm"), y: Axis("peaks", scale: .logarithmic),
        edges: (0...30).map { Double($0) * 3 },
        series: [
          .init("train", counts: peaks(400)), .init("test", counts: peaks(90)),
        ])), caption: "Counts in 3 mm bins.")
  try report.figure(
    svg: gnuplot.svg(
      Histogram(
        "Frames by panel", x: Axis("panel"), y: Axis("frames"), edges: (0...32).map { Double($0) - 0.5 },
        series: [.init("", counts: (0..<32).map { _ in Double(random.poisson(200)) })])), caption: "One bin a panel.")
  report.heading("Cues")
  let side = 48
  func blob(_ i: Int, _ width: Int, _ row: Double, _ column: Double, _ radius: Double) -> Double {
    let y = (Double(i / width) - row) / radius, x = (Double(i % width) - column) / radius
    return exp(-x * x - y * y)
  }
  let map: [Float] = (0..<side * side).map { i in
    let value = 1.5 * blob(i, side, 20, 32, 8) - 0.8 * blob(i, side, 28, 12, 6) + random.normal(0, 0.05)
    return i % side == 24 ? .nan : Float(value)
  }
  let mean: [Float] = (0..<24 * 48).map { Float(100 * blob($0, 48, 12, 24, 9)) }
  try report.figure(
    svg: gnuplot.svg(
      HeatMap(
        "Evidence for \"mirrored\"", values: Tensor([side, side], map), palette: .diverging,
        colour: Axis("evidence", unit: "logit per pixel"))),
    caption: "Signed evidence; grey was not measured.")
  try report.figure(
    svg: gnuplot.svg(
      HeatMap("Mean frame", values: Tensor([24, 48], mean), palette: .sequential, colour: Axis("intensity", unit: "photons"))),
    caption: "A mean.")
  report.code("psimagenet transfer --checkpoint flip --tasks all --seeds 3")
  report.list(["First remark", "Second remark"])
  try report.write(to: folder + "/gallery.html")
  print(TextTable(table, width: 80))
}
