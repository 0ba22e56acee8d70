import Corpora
import Evaluation
import Foundation
import Frames
import Host
import Networks
import Pretexts
import Tensors
import Testing

private let side = 33

/// Frames of six runs, half of them "lasing": a bright bar, `strength` above unit noise, on a background of `offset(run)`.
private func corpus(in folder: String, strength: Float, offset: (Int) -> Float = { _ in 0 }) throws -> Corpus {
  var values: [String: String] = [:]
  for run in 1...8 {
    for (name, height) in [("lasing", strength), ("quiet", 0)] {
      var random = Philox(seed: 6, UInt64(run), name == "quiet" ? 1 : 0), elements: [Float] = []
      for _ in 0..<24 {
        let row = Int.random(in: 4..<26, using: &random)
        elements += (0..<side * side).map { i in
          Float(random.normal()) + offset(run) + ((row..<row + 4).contains(i / side) && (8..<24).contains(i % side) ? height : 0)
        }
      }
      let array = NPYArray(element: .float32, shape: [24, side, side], bytes: elements.withUnsafeBytes { Array($0) })
      try AtomicFile.write(Data(array.file), to: "\(folder)/raw/\(name)-run\(run)/frames.npy")
      values["\(name)-run\(run)"] = name
    }
  }
  let source = SourceRecipe(
    name: "made", files: ["raw/*/frames.npy"], experiment: .named("made"), run: .folder,
    labels: [LabelRule(name: "lasing", .folder(level: 1), values: values)])
  let keys = { (runs: ClosedRange<Int>) in runs.map { RunKey(experiment: "made", run: $0) } }
  return try CorpusBuilder.build(
    CorpusRecipe(
      name: "made", image: .init(height: side, width: side),
      split: SplitRule(runs: [.train: keys(1...4), .validation: keys(5...6), .test: keys(7...8)]), sources: [source]),
    relativeTo: folder, to: folder + "/corpus")
}

private func transfer(
  strength: Float, budget: LabelBudget = .everything, offset: (Int) -> Float = { _ in 0 }
) throws -> TransferProtocol.Result {
  let folder = NSTemporaryDirectory() + "psimagenet-transfer-\(UUID().uuidString)"
  defer { try? FileManager.default.removeItem(atPath: folder) }
  let corpus = try corpus(in: folder, strength: strength, offset: offset)
  let images = try corpus.images(corpus.records(in: .train)), scaling = InputScaling(fitting: images)!
  let trunks = try [1, 2].map { try Trunk.random(ResNet10(width: 4), seed: $0, scaling: scaling, images: images) }
  return try TransferProtocol(budgets: [budget]).run(trunks, on: DownstreamTaskCatalog.all, of: corpus)
}

@Test func aVisibleLabelIsReadFromFrozenFeaturesAndAnAbsentOneIsNot() throws {
  let visible = try transfer(strength: 3), absent = try transfer(strength: 0)
  for probe in ["linear", "nearest neighbours"] {
    let seen = try #require(visible.chosen.first { $0.probe == probe }), none = try #require(absent.chosen.first { $0.probe == probe })
    #expect(seen.test.value > 0.9, "\(probe)")
    #expect(abs(none.test.value - 0.5) < 4 * none.test.largerStandardError, "\(probe)")
    #expect(seen.test.count == 96 && seen.test.seeds?.count == 2 && seen.test.chance == 0.5)
  }
  // By run: two test runs of equal size and balance, so their mean is the score.
  let row = try #require(visible.chosen.first { $0.probe == "linear" }), byRun = try #require(row.testByRun)
  #expect(byRun.count == 2 && abs(Statistics.mean(Array(byRun.values)) - row.test.value) < 1e-9)
  // Every stage and probe was scored, one stage chosen for each probe.
  #expect(visible.rows.count == 4 * ProbeCatalog.all.count && visible.chosen.count == ProbeCatalog.all.count)
}

/// The control beside the score: it is at chance for runs that look alike and near 1 for runs that do not.
@Test func theRunControlTellsRunsThatDiffer() throws {
  let alike = try transfer(strength: 3), different = try transfer(strength: 3) { Float($0) * 2 }
  let same = try #require(alike.chosen.first { $0.probe == "linear" }?.run), other = try #require(different.chosen.first { $0.probe == "linear" }?.run)
  #expect(same.chance == 0.25 && abs(same.value - 0.25) < 4 * same.largerStandardError)
  #expect(other.value > 0.75)
}

/// Ten labelled frames a class still read a bright bar, each draw scored on the same 96 test frames; of a faint one they read less
/// than all 288 do.
@Test func fewLabelsReadLessThanAll() throws {
  let few = try transfer(strength: 3, budget: LabelBudget(perClass: 10, draws: 3))
  let row = try #require(few.chosen.first { $0.probe == "linear" })
  #expect(row.test.value > 0.8 && row.test.count == 96 && few.budget == LabelBudget(perClass: 10, draws: 3))
  #expect(row.test.notes.contains("10 labelled frames a class, mean of 3 draws"))
  let fewest = try transfer(strength: 1, budget: LabelBudget(perClass: 10, draws: 5)), all = try transfer(strength: 1)
  let low = try #require(fewest.chosen.first { $0.probe == "linear" }), high = try #require(all.chosen.first { $0.probe == "linear" })
  #expect(low.test.value < high.test.value)
}

@Test func aTaskThatTheCorpusCannotAnswerIsLeftOutWithAReason() throws {
  let result = try transfer(strength: 1)
  #expect(Set(result.leftOut.keys) == ["hit", "edge", "camera"])
  #expect(result.leftOut["hit"] == "the corpus has no label \"hit\"")
}

@Test func everyDownstreamFileIsCatalogued() throws {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/Evaluation/Downstream").path
  let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { !["DownstreamCatalog.swift", "DownstreamTask.swift"].contains($0) }
  let named = try files.map { file in
    let text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
    return DownstreamTaskCatalog.all.filter { text.contains("name: \"\($0.name)\"") }.map(\.name)
  }
  #expect(named.allSatisfy { $0.count == 1 } && Set(named.joined()) == Set(DownstreamTaskCatalog.all.map(\.name)))
}
