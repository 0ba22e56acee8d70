import Corpora
import Foundation
import Host
import Tensors
import TestSupport
import Testing

struct CorpusSummaryTests {
  private func corpus(_ scratch: Scratch) throws -> Corpus {
    var runs = StackRuns()
    runs.pixel = { run, shot, row, column in column < 6 ? .nan : Float((run * 7 + shot * 13 + row * 5 + column * 3) % 11) }
    try runs.write(to: scratch)
    return try CorpusBuilder.build(
      runs.recipe(extra: "nonFinite: mask"), relativeTo: scratch.path, to: scratch("c"))
  }

  @Test func countsAddUp() throws {
    let scratch = Scratch()
    let summary = CorpusSummary(try corpus(scratch))
    #expect(summary.pictures.values.reduce(0, +) == 30)
    #expect(summary.runs.values.reduce(0, +) == 6)
    let kind = try #require(summary.labels.first)
    #expect(kind.classes.map(\.name) == ["none", "one"])
    #expect(kind.classes.map { $0.pictures.values.reduce(0, +) } == [18, 12])
    #expect(kind.classes.map(\.runs) == [6, 6])
    #expect(summary.text.contains("dropped 12: label kind: 2"))
    let lines = summary.text.split(separator: "\n")
    let header = try #require(lines.first { $0.contains("validation") })
    let row = try #require(lines.first { $0.hasPrefix("pictures") })
    #expect(header.count == row.count)
    #expect(try CanonicalJSON.value(CorpusSummary.self, from: CanonicalJSON.data(summary), path: "") == summary)
  }

  @Test func sheetsShowGapsInTheirOwnColour() throws {
    let scratch = Scratch()
    let corpus = try corpus(scratch)
    let sheet = try ContactSheet(label: "kind", columns: 3, seed: 4).picture(of: corpus)
    #expect(try ContactSheet(label: "kind", columns: 3, seed: 4).picture(of: corpus) == sheet)
    #expect(try ContactSheet(label: "kind", columns: 3, seed: 5).picture(of: corpus) != sheet)
    // 2 classes × 3 pictures, each 5×5 magnified 19 times, with one of five columns a gap.
    var gaps = 0
    for row in 0..<sheet.height { for column in 0..<sheet.width where sheet[row, column] == ContactSheet.gap { gaps += 1 } }
    #expect(gaps == 6 * 5 * 19 * 19)
  }

  @Test func anUnknownLabelIsAnError() throws {
    let scratch = Scratch()
    let corpus = try corpus(scratch)
    #expect(inputError { _ = try ContactSheet(label: "colour").picture(of: corpus) }?.expected.contains("kind") == true)
  }
}
