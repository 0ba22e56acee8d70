import Corpora
import Evaluation
import Foundation
import Frames
import Host
import Testing

/// A corpus of tiny pictures in two classes, with an instrument's verdict beside the truth: `wrong` of 24 test pictures a class are
/// mistaken and `silent` have no answer.
private func corpus(in folder: String, wrong: Int, silent: Int) throws -> Corpus {
  var table = "file,index,hit,verdict\n"
  for run in 1...3 {
    for (name, other) in [("hit", "miss"), ("miss", "hit")] {
      let file = "\(name)-run\(run)/frames.npy"
      let array = NPYArray(element: .uint8, shape: [12, 9, 9], bytes: (0..<12 * 81).map { UInt8($0 % 251) })
      try AtomicFile.write(Data(array.file), to: "\(folder)/raw/\(file)")
      for index in 0..<12 { table += "raw/\(file),\(index),\(name),\(index < wrong ? other : index < wrong + silent ? "none" : name)\n" }
    }
  }
  try AtomicFile.write(Data(table.utf8), to: "\(folder)/table.csv")
  func rule(_ label: String, _ column: String) -> LabelRule { LabelRule(name: label, .table(.init(file: "table.csv", column: column))) }
  let source = SourceRecipe(
    name: "made", files: ["raw/*/frames.npy"], experiment: .named("made"), run: .folder, labels: [rule("hit", "hit"), rule("hit-peaks", "verdict")])
  return try CorpusBuilder.build(
    CorpusRecipe(
      name: "made", image: .init(height: 9, width: 9),
      split: SplitRule(runs: [
        .train: [RunKey(experiment: "made", run: 1)], .validation: [RunKey(experiment: "made", run: 2)], .test: [RunKey(experiment: "made", run: 3)],
      ]), sources: [source]),
    relativeTo: folder, to: folder + "/corpus")
}

@Suite struct InstrumentBaselineTests {
  /// 24 test pictures; those without an answer are wrong, and counted.
  @Test(arguments: [(0, 0), (3, 0), (2, 4)])
  func verdictsAreScoredOnTheTestPicturesWithCountAndError(_ wrong: Int, _ silent: Int) throws {
    let folder = NSTemporaryDirectory() + "psimagenet-baseline-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let corpus = try corpus(in: folder, wrong: wrong, silent: silent)
    let baselines = InstrumentBaseline.scores(on: DownstreamTaskCatalog.all, of: corpus)
    #expect(baselines.count == 1)
    let baseline = try #require(baselines.first)
    #expect(baseline.task == "hit" && baseline.instrument == "peaks" && baseline.unanswered == 2 * silent)
    let share = 1 - Double(wrong + silent) / 12
    #expect(abs(baseline.test.value - share) < 1e-12 && baseline.test.count == 24 && baseline.test.chance == 0.5 && baseline.test.seeds == nil)
    // Two binomials of 12 each, averaged.
    if wrong + silent > 0 { #expect(abs(baseline.test.standardError - (2 * 0.25 * share * (1 - share) / 12).squareRoot()) < 1e-12) }
    #expect(baseline.test.notes.isEmpty == (silent == 0))
  }

  @Test func aCorpusWithoutVerdictsHasNoBaseline() throws {
    for task in DownstreamTaskCatalog.all { #expect((task.instrument == nil) == (task.name == "camera")) }
  }
}
