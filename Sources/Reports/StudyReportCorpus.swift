import Corpora
import Foundation
import Host

extension StudyReport {
  /// Bytes that all contact sheets may take together.
  private static let sheetBudget = 2_000_000

  func addCorpus(_ corpus: Corpus, to report: inout HTMLReport) throws {
    let summary = CorpusSummary(corpus)
    report.heading("What was in the corpus")
    report.paragraph(
      "\(summary.name): pictures of \(summary.height)×\(summary.width) pixels from \(summary.sources.count) "
        + "\(summary.sources.count == 1 ? "source" : "sources"), split by \(corpus.manifest.splitBy.rawValue).")
    for warning in summary.warnings { report.warning("The corpus warns", warning) }

    var table = Table([
      .init("label"), .init("class"), .init("train", .right), .init("validation", .right), .init("test", .right),
      .init("all", .right), .init("runs", .right),
    ])
    func cells(_ counts: [Split: Int]) -> [Table.Cell] {
      Split.allCases.map { .integer(counts[$0, default: 0]) } + [.integer(counts.values.reduce(0, +))]
    }
    table.append(["all pictures", ""] + cells(summary.pictures) + [.integer(summary.runs.values.reduce(0, +))])
    table.append(["runs", ""] + cells(summary.runs) + [""])
    for label in summary.labels {
      for (i, one) in label.classes.enumerated() {
        table.append([.text(i == 0 ? label.name : ""), .text(one.name)] + cells(one.pictures) + [.integer(one.runs)])
      }
    }
    report.table(
      table, caption: "Pictures by label, class and split. A class that comes from one run cannot be told from that run; look for classes of few runs.")

    var sources = Table([
      .init("source"), .init("detector"), .init("unit"), .init("pictures", .right), .init("files", .right),
      .init("dropped", .right), .init("from raw to value"),
    ])
    for source in summary.sources {
      let dropped = source.dropped.values.reduce(0, +) + source.skipped.values.reduce(0, +)
      let why = (source.dropped.map { ($0, $1) } + source.skipped.map { ($0, $1) }).sorted { $0.0 < $1.0 }
        .map { "\($0.1) \($0.0)" }.joined(separator: "; ")
      sources.append([
        .text(source.name), .text(source.detector), .text(source.unit), .integer(source.pictures), .integer(source.files.count),
        why.isEmpty ? .integer(dropped) : .detailed(.integer(dropped), why), .text(source.transforms.joined(separator: " → ")),
      ])
    }
    report.table(sources, caption: "Where the pictures come from; dropped events with the reason.")
    try addSheets(of: corpus, to: &report)
  }

  /// By source, and by each label whose classes fit on a page.
  private func addSheets(of corpus: Corpus, to report: inout HTMLReport) throws {
    guard !corpus.records.isEmpty else { return }
    let labels = [nil] + corpus.labels.filter { (2...8).contains(corpus.classes(of: $0).count) }.map(Optional.some)
    let side = max(corpus.manifest.width, 96 / max(corpus.manifest.height, corpus.manifest.width) * corpus.manifest.width) + 6
    for label in labels {
      var columns = max(2, min(14, 1000 / side)), png: [UInt8]
      repeat {
        png = try ContactSheet(label: label, columns: columns).picture(of: corpus).png()
        if png.count <= StudyReport.sheetBudget / labels.count { break }
        columns /= 2
      } while columns > 0
      let what = label.map { "label “\($0)”" } ?? "source"
      guard columns > 0 else {
        report.note("The contact sheet by \(what) is left out: its pictures are too large for a page that can be mailed.")
        continue
      }
      try report.picture(
        Data(png),
        caption: "Contact sheet by \(what): one row each, drawn by chance; black to white spans 1 % to 99.5 % of each picture, blue was not measured."
          + (label == nil ? "" : " Look whether the eye can tell the rows apart: if not, a network hardly will."))
    }
  }
}
