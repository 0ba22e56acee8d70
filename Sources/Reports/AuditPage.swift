import Audits
import Corpora
import Evaluation
import Foundation
import Host
import Tensors

extension CorpusAudit {
  /// Pairs of pictures that are shown.
  private static let shownPairs = 8

  /// The audit as a page; `folder` is the corpus, of which near-duplicates are shown.
  public func html(folder: String) throws -> HTMLReport {
    var report = HTMLReport(
      title: "Audit of \(corpus)",
      subtitle: "\(pictures) pictures" + (manifestSHA256.isEmpty ? "" : ", manifest \(manifestSHA256.prefix(12))") + (passed ? ": passed" : ": failed"))
    let failed = gates.filter { $0.verdict == .failed }
    if failed.isEmpty {
      report.paragraph("No gate failed." + (gates.contains { $0.verdict == .undecided } ? " Where a gate is undecided, there were too few pictures or runs to exclude a leak: nothing is shown either way." : ""))
    }
    for gate in failed { report.warning("FAILED: \(gate.name.rawValue)", gate.statement) }
    report.heading("Gates")
    var table = Table([.init("gate"), .init("verdict"), .init("what was found")])
    for gate in gates {
      let verdict = Table.Cell.text(gate.verdict.rawValue)
      table.append([.text(gate.name.rawValue), gate.verdict == .failed ? .emphasized(verdict) : verdict, .text(gate.statement)])
    }
    report.table(table, caption: "A corpus passes when no gate fails. Undecided gates say that nothing was excluded.")
    for gate in gates where !gate.findings.isEmpty {
      report.heading("\(gate.name.rawValue): \(gate.count) found", level: 3)
      report.list(gate.findings + (gate.count > gate.findings.count ? ["… and more"] : []))
    }
    addProbes(to: &report)
    try addDuplicates(to: &report, folder)
    addSources(to: &report)
    report.heading("Bounds")
    report.code(String(decoding: try CanonicalJSON.data(bounds), as: UTF8.self))
    return report
  }

  private func addProbes(to report: inout HTMLReport) {
    report.heading("Labels without pictures")
    report.paragraph(
      "Each label is asked for from what is not the picture, within one source at a time. A probe fails where even the lower one-sided bound of its "
        + "balanced accuracy lies above what is allowed; the bounds hold for all \(probes.count) probes together at \(decimal(100 * (1 - bounds.falseAlarm), 0)) %.")
    var table = Table([
      .init("label"), .init("source"), .init("told from"), .init("by"), .init("balanced accuracy", .right), .init("chance", .right),
      .init("at least", .right), .init("allowed", .right), .init("n", .right), .init("verdict"),
    ])
    for probe in worstProbes {
      let score = Table.Cell.measured(probe.score.value, error: probe.score.standardError, digits: 3)
      table.append([
        .text(probe.label + (probe.oneClass.map { ": \($0)" } ?? "")), .text(probe.source), .text(probe.cue.rawValue), .text(probe.method), probe.verdict == .failed ? .emphasized(score) : score,
        .number(probe.score.chance ?? .nan, digits: 3), .number(probe.lower, digits: 3), .number(probe.limit, digits: 3), .integer(probe.score.count),
        .text(probe.verdict.rawValue),
      ])
    }
    if !table.rows.isEmpty { report.table(table, caption: "All probes, the nearest to its bound first; ± is one standard error, runs considered.") }
    if !unprobed.isEmpty { report.list(unprobed.sorted { $0.key < $1.key }.map { "\($0.key): not asked, \($0.value)" }) }
  }

  private func addDuplicates(to report: inout HTMLReport, _ folder: String) throws {
    guard !duplicates.isEmpty else { return }
    report.heading("Near-duplicates")
    var table = Table([
      .init("source"), .init("pictures", .right), .init("across splits", .right), .init("within a split", .right), .init("noise a pixel", .right),
      .init("noise by"),
    ])
    for search in duplicates {
      table.append([
        .text(search.source), .integer(search.pictures), .integer(search.acrossSplits), .integer(search.withinSplit), .number(search.noise, digits: 4),
        .text(search.noiseOrigin),
      ])
    }
    report.table(
      table, caption: "Pictures with a near-duplicate: the mean squared difference is below \(decimal(bounds.copy, 2)) of what independent noise makes, or below "
        + "\(decimal(bounds.sameScene, 2)) where the pictures show more than a dark frame does.")
    let pairs = duplicates.flatMap(\.pairs).sorted { $0.ratio < $1.ratio }.prefix(Self.shownPairs)
    guard !pairs.isEmpty else { return }
    let opened = try Corpus(opening: folder), places = Dictionary(uniqueKeysWithValues: opened.records.map { ($0.id, $0) })
    var images: [(png: Data, label: String)] = []
    for pair in pairs {
      for (id, split) in [(pair.first, pair.firstSplit), (pair.second, pair.secondSplit)] {
        guard let record = places[id] else { continue }
        images.append((Data(AuditPicture.png(of: try opened.image(record))), "\(record.run) frame \(record.eventIndex), \(split.rawValue), \(decimal(pair.ratio, 2))"))
      }
    }
    try report.images(images, caption: "The nearest pairs across splits, side by side, with their difference in units of what noise makes.", columns: 4)
  }

  private func addSources(to report: inout HTMLReport) {
    guard !sources.isEmpty else { return }
    report.heading("What a flip detector could use without light")
    var table = Table([
      .init("source"), .init("detector"), .init("runs", .right), .init("mask and mirror image", .right), .init("best registered", .right),
      .init("kept by both", .right), .init("dark frames"),
    ])
    for source in sources {
      table.append([
        .text(source.source), .text(source.detector), .integer(source.runs), .number(source.mirrorOverlap, digits: 3),
        .number(source.registeredMirrorOverlap, digits: 3), .number(source.keptByBoth, digits: 3), .text(source.darkSentence),
      ])
    }
    report.table(
      table, caption: "Intersection over union of the measured pixels with their mirror image, in place and for the best shift, and the share of measured pixels that "
        + "the mirrored mask keeps too: 1.000 says nothing about left and right. The flip floor is what a linear detector reaches on the fixed pattern of the "
        + "dark frames if their noise is white; a flip accuracy means nothing below it.")
  }
}

/// A corpus picture in grey, black to white from its 1st to its 99.5th percentile; gaps in the contact sheets' blue.
enum AuditPicture {
  static func png(of image: MaskedImage) -> [UInt8] {
    let values = image.pixels.elements, weights = image.weight.elements
    let measured = values.indices.filter { weights[$0] > 0 && values[$0].isFinite }.map { Double(values[$0]) }
    let black = measured.isEmpty ? 0 : Statistics.quantile(measured, 0.01), range = (measured.isEmpty ? 0 : Statistics.quantile(measured, 0.995)) - black
    var picture = ColourImage(height: image.height, width: image.width, filledWith: ContactSheet.gap)
    for row in 0..<image.height {
      for column in 0..<image.width {
        let i = row * image.width + column
        guard weights[i] > 0, values[i].isFinite else { continue }
        let share = range > 0 ? (Double(values[i]) - black) / range : 0.5
        picture[row, column] = .grey(UInt8(max(0, min(255, share * 255))))
      }
    }
    return picture.png()
  }
}
