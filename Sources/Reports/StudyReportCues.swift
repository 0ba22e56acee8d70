import Corpora
import Cues
import Evaluation
import Foundation
import Host
import Tensors

extension StudyReport {
  func addCues(to report: inout HTMLReport, _ gnuplot: Gnuplot) throws {
    report.heading("What the flip detector looked at")
    for cue in cues {
      report.heading("Run \(cue.run) on corpus \(cue.corpus), \(cue.split) split", level: 3)
      report.paragraph(cue.verdict)
      report.table(
        controlTable(cue),
        caption: "Flip accuracy by source beside the controls that must stay at chance (0.500). One control that is answered withholds the accuracy. "
          + "The overlap is that of the mask with its mirror image: 1.000 for a mask that looks the same both ways.")
      report.table(
        plantedTable(cue),
        caption: "Positive control: white noise with one hot pixel of \(decimal(cue.planted.amplitude, 1)) standard deviations at row "
          + "\(cue.planted.row), column \(cue.planted.column). The best linear detector is right in Φ(A/√2) of the frames. A network that misses "
          + "it could have missed a real cue too: then a control at chance proves little.")
      for source in cue.sources { try add(source, of: cue, to: &report, gnuplot) }
    }
  }

  private func add(_ source: CueReport.Source, of cue: CueReport, to report: inout HTMLReport, _ gnuplot: Gnuplot) throws {
    report.heading("\(source.name): evidence", level: 3)
    if source.isWithheld {
      report.warning("WITHHELD: flip accuracy of \(cue.run) on \(source.name)", source.verdict)
    } else {
      report.paragraph("Flip accuracy \(source.accuracy). \(source.verdict)")
    }
    report.paragraph(peakSentence(source.peaks))
    let mean = HeatMap(
      "\(source.name): mean evidence for “mirrored”", values: Tensor([cue.side, cue.side], source.meanEvidence), palette: .diverging,
      colour: Axis("evidence", unit: "Grad-CAM, logit scale"))
    var figures = [try gnuplot.svg(mean)]
    for (title, axis, bins) in [
      ("by distance from the middle", "distance (\(source.peaks.radiusUnit))", source.peaks.radius),
      ("by azimuth", "start of the 45° sector (°)", source.peaks.azimuth), ("by panel", "panel", source.peaks.panels),
    ] where bins.contains(where: { $0.count > 0 || $0.expected > 0 }) {
      figures.append(try gnuplot.svg(peakChart("\(source.name): strongest evidence \(title)", axis: axis, bins, total: measured(source.peaks))))
    }
    try report.figures(
      svgs: figures,
      caption: "Mean over the \(source.accuracy.count) held-out frames of \(source.name) in their recorded orientation: blue speaks for “as recorded” "
        + "(the right answer), red for “mirrored”. Bars: frames whose strongest evidence lies there, beside what evidence spread evenly over the "
        + "measured pixels would give, ± √(n p (1 − p)). Look for bars that stand far out: a fixed place on the camera is a cue of the instrument, "
        + "one that follows the beam may be physics.")
    guard !source.examples.isEmpty else { return }
    let pictures = source.examples.prefix(4).map { example in
      let answer = example.logit == 0 ? "undecided" : example.logit > 0 ? "says “mirrored” (wrong)" : "says “as recorded” (right)"
      // Beside a withheld accuracy no example may hint at it.
      return (
        png: Data(EvidencePicture(example, side: cue.side).image.png()),
        label: "\(example.record): " + (source.isWithheld ? "answer withheld" : "logit \(signed(Double(example.logit))), \(answer)")
      )
    }
    try report.images(
      pictures,
      caption: "Held-out frames as the network saw them (left) and with its signed evidence (right), each on its own scale; the green square marks the strongest.",
      columns: 4)
  }

  private func controlTable(_ cue: CueReport) -> Table {
    var table = Table([
      .init("source"), .init("detector"), .init("flip accuracy", .right), .init("mask only", .right), .init("dark frames", .right),
      .init("mask/mirror overlap", .right),
    ])
    func cell(_ score: Score, _ remark: String? = nil) -> Table.Cell {
      .detailed(
        .measured(score.value, error: score.largerStandardError, digits: 3), (["n = \(score.count)"] + (remark.map { [$0] } ?? [])).joined(separator: ", "))
    }
    for source in cue.sources {
      table.append([
        .text(source.name), .text(source.detector), source.isWithheld ? .withheld("a control is answered too") : cell(source.accuracy),
        cell(source.maskOnly, source.maskOnlyVerdict.rawValue),
        source.dark.map { cell($0, source.darkVerdict?.rawValue) } ?? .text("none in the corpus"), .number(source.maskMirrorOverlap, digits: 3),
      ])
    }
    return table
  }

  private func plantedTable(_ cue: CueReport) -> Table {
    let planted = cue.planted
    var table = Table([.init("planted pixel"), .init("share right", .right), .init("n", .right)])
    table.append(["oracle, Φ(A/√2)", .number(planted.oracle, digits: 3), .text("theory")])
    for (name, score) in [
      ("antisymmetric linear template", planted.linear), ("network of the same kind", planted.network),
      ("evidence at the pixel or its mirror twin", planted.localized),
    ] {
      table.append([.text(name), .measured(score.value, error: score.largerStandardError, digits: 3), .integer(score.count)])
    }
    return table
  }

  /// Where peaks gather most, in words, and how many lie where nothing was measured.
  private func peakSentence(_ peaks: PeakCounts) -> String {
    var parts: [String] = []
    let places =
      peaks.panels.map { ("panel \($0.name)", $0) } + peaks.radius.map { ("distance \($0.name)", $0) }
      + peaks.azimuth.map { ("azimuth from \($0.name)°", $0) }
    // Excess in units of the error that an even spread would have.
    func excess(_ bin: PeakCounts.Bin) -> Double {
      let error = evenError(bin, total: measured(peaks))
      return error > 0 ? (Double(bin.count) - bin.expected) / error : 0
    }
    if let (name, bin) = places.max(by: { excess($0.1) < excess($1.1) }), excess(bin) > 2 {
      parts.append(
        "Strongest excess: \(name), with \(bin.count) of \(measured(peaks)) peaks on measured pixels, where evenly spread evidence would put \(decimal(bin.expected, 1)) ± \(decimal(evenError(bin, total: measured(peaks)), 1)).")
    } else {
      parts.append("In no panel, ring or sector do the \(measured(peaks)) peaks on measured pixels exceed an even spread by more than 2 standard errors.")
    }
    if peaks.inGaps > 0 { parts.append("\(peaks.inGaps) of \(peaks.total) peaks lie in gaps between panels, where nothing was measured.") }
    return parts.joined(separator: " ")
  }

  private func measured(_ peaks: PeakCounts) -> Int { max(0, peaks.total - peaks.inGaps) }

  /// √(n p (1 − p)) with p = expected/n.
  private func evenError(_ bin: PeakCounts.Bin, total: Int) -> Double {
    guard total > 0 else { return 0 }
    return max(0, bin.expected * (1 - bin.expected / Double(total))).squareRoot()
  }

  private func peakChart(_ title: String, axis: String, _ bins: [PeakCounts.Bin], total: Int) -> BarChart {
    var chart = BarChart(
      title, groups: bins.map(\.name), y: Axis("frames"),
      series: [
        .init("observed", bins.map { .init(Double($0.count), error: 0) }),
        .init("if evenly spread", bins.map { .init($0.expected, error: evenError($0, total: total)) }),
      ])
    chart.x = axis
    chart.size = (640, 460)
    return chart
  }
}

/// A frame beside the same frame under its signed evidence: red for "mirrored", blue for "as recorded".
struct EvidencePicture {
  let image: ColourImage

  /// Larger frames are shown by every n-th pixel, smaller ones enlarged, so that a page stays small.
  private static let target = 192

  /// Traps unless the maps have side×side numbers.
  init(_ example: CueReport.Example, side: Int) {
    precondition(example.view.count == side * side && example.evidence.count == side * side, "maps of another side than \(side)")
    let zoom = max(1, EvidencePicture.target / side), skip = max(1, side / EvidencePicture.target), shown = (side + skip - 1) / skip
    let width = shown * zoom, gap = 6
    let values = example.view.map(Double.init).filter(\.isFinite)
    let black = values.isEmpty ? 0 : Statistics.quantile(values, 0.01), white = values.isEmpty ? 1 : Statistics.quantile(values, 0.995)
    let strongest = example.evidence.reduce(Float(0)) { max($0, abs($1)) }
    var image = ColourImage(height: width, width: 2 * width + gap, filledWith: .grey(255))
    for row in 0..<shown {
      for column in 0..<shown {
        let i = row * skip * side + column * skip
        let share = white > black ? (Double(example.view[i]) - black) / (white - black) : 0.5
        let grey = share.isFinite ? max(0, min(255, share * 255)) : 0
        let evidence = strongest > 0 ? Double(example.evidence[i] / strongest) : 0
        // Half strength at most hides the frame; weak evidence leaves it as it is.
        let cover = min(0.8, abs(evidence) * 0.8), tint = evidence > 0 ? (178.0, 24.0, 43.0) : (33.0, 102.0, 172.0)
        func mixed(_ tint: Double) -> UInt8 { UInt8(max(0, min(255, grey * (1 - cover) + tint * cover))) }
        for r in row * zoom..<(row + 1) * zoom {
          for c in column * zoom..<(column + 1) * zoom {
            image[r, c] = .grey(UInt8(grey))
            image[r, width + gap + c] = .init(mixed(tint.0), mixed(tint.1), mixed(tint.2))
          }
        }
      }
    }
    EvidencePicture.mark(
      row: example.peakRow / skip * zoom + zoom / 2, column: width + gap + example.peakColumn / skip * zoom + zoom / 2, left: width + gap, on: &image)
    self.image = image
  }

  /// An open square, cut off at the border.
  private static func mark(row: Int, column: Int, left: Int, on image: inout ColourImage) {
    let reach = 9
    for d in -reach...reach {
      for e in [-reach, -reach + 1, reach - 1, reach] {
        for (r, c) in [(row + d, column + e), (row + e, column + d)]
        where (0..<image.height).contains(r) && (left..<image.width).contains(c) {
          image[r, c] = .init(0, 220, 90)
        }
      }
    }
  }
}
