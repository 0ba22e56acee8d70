import Corpora
import Foundation
import Frames
import Host
import Simulation
import Tensors
import TestSupport
import Testing

struct SplitRuleTests {
  /// u of (seed, experiment, run), computed with Python: int(sha256(f"{s}/{e}/{r}").hexdigest()[:16], 16) / 2**64.
  @Test(arguments: [
    (0 as UInt64, "cxitut13", 10, 0.9775876108360743), (0, "cxitut13", 11, 0.5697085162222731),
    (7, "amo86815", 69, 0.19352844352045695), (7, "amo86815", 70, 0.45637488080727795), (7, "", 3, 0.3557325824657215),
    (123_456_789, "xpptut15", 54, 0.0023978716162630087),
  ])
  func runsGoWhereTheirHashSays(seed: UInt64, experiment: String, run: Int, u: Double) {
    let key = RunKey(experiment: experiment, run: run)
    #expect(SplitRule(train: u - 1e-12, validation: 1 - u + 1e-12, test: 0).split(of: key, seed: seed) == .validation)
    #expect(SplitRule(train: u + 1e-12, validation: 0, test: 1 - u - 1e-12).split(of: key, seed: seed) == .train)
  }

  @Test func framesOfARunNeverPart() {
    var random = Philox(seed: 1, 1)
    for _ in 0..<200 {
      let train = random.uniform(), rest = 1 - train, validation = rest * random.uniform()
      let seed = random.next()
      let rule = SplitRule(train: train, validation: validation, test: rest - validation)
      for run in 0..<20 {
        let key = RunKey(experiment: "e\(random.next() % 3)", run: run)
        let splits = Set((0..<5).map { rule.split(of: key, frame: "\($0)", seed: seed) })
        #expect(splits.count == 1)
      }
    }
  }

  @Test func sharesAreMetByManyRuns() {
    let rule = SplitRule(train: 0.6, validation: 0.3, test: 0.1)
    var counts: [Split: Int] = [:]
    for run in 0..<20000 { counts[rule.split(of: RunKey(experiment: "e", run: run), seed: 3), default: 0] += 1 }
    // Five standard deviations of a binomial count.
    for (split, share) in [(Split.train, 0.6), (.validation, 0.3), (.test, 0.1)] {
      let expected = 20000 * share, sigma = (20000 * share * (1 - share)).squareRoot()
      #expect(abs(Double(counts[split] ?? 0) - expected) < 5 * sigma)
    }
  }

  @Test func runsAssignedByHandGoThere() {
    let keys = (0..<50).map { RunKey(experiment: "x", run: $0) }
    let rule = SplitRule(runs: [.test: keys])
    #expect(keys.allSatisfy { rule.split(of: $0, seed: 9) == .test })
  }

  @Test func frameSplitsPartARun() {
    let rule = SplitRule(by: .frame, train: 0.5, validation: 0.25, test: 0.25, allowFrameSplit: true)
    let splits = Set((0..<50).map { rule.split(of: RunKey(experiment: "x", run: 1), frame: "\($0)", seed: 2) })
    #expect(splits == Set(Split.allCases))
  }

  @Test func runKeysAreReadAsWritten() {
    #expect(RunKey("cxitut13:10") == RunKey(experiment: "cxitut13", run: 10))
    #expect(RunKey(":7") == RunKey(experiment: "", run: 7))
    #expect(RunKey("a:b:7") == RunKey(experiment: "a:b", run: 7))
    #expect(RunKey("7") == nil)
    #expect(RunKey("x:") == nil)
    #expect(RunKey("x:7a") == nil)
  }
}

struct DarkSetSplitTests {
  /// Runs 1-12 of an XTCAV, with the constants of `firsts` for the runs from there on.
  private func write(_ scratch: Scratch, darkSets firsts: [Int], runs: ClosedRange<Int>) throws {
    var plan = SimulationPlan(detector: .xtcav)
    (plan.runs, plan.shotsPerRun, plan.darksPerRun, plan.xtcav.width, plan.xtcav.height) = (Array(runs), 2, 0, 64, 64)
    try SimulatedRuns.write(plan, to: scratch.path)
    let folder = scratch("calib/Camera::CalibV1/XrayTransportDiagnostic.0:Opal1000.0/pedestals")
    for run in runs where !firsts.contains(run) { try FileManager.default.removeItem(atPath: "\(folder)/\(run)-\(run).data") }
    for first in firsts where runs.contains(first) {
      try FileManager.default.moveItem(atPath: "\(folder)/\(first)-\(first).data", toPath: "\(folder)/\(first)-end.data")
    }
  }

  private func splits(_ scratch: Scratch, by: String, to name: String) throws -> [Int: Split] {
    let recipe = try CorpusRecipe(
      yaml: """
        name: dark
        image: {height: 9, width: 9}
        split: {by: \(by), train: 0.34, validation: 0.33, test: 0.33, allowEmpty: true}
        sources: [{name: xtcav, files: ["*.xtc"], detector: xtcav, calibration: calib}]
        """)
    let corpus = try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch(name))
    return Dictionary(corpus.records.map { ($0.event.run, $0.split) }, uniquingKeysWith: { first, _ in first })
  }

  @Test func runsOfOneDarkSetStayTogetherAndLaterDarksMoveNone() throws {
    let scratch = Scratch()
    try write(scratch, darkSets: [1, 3, 6], runs: 1...8)
    let before = try splits(scratch, by: "darkSet", to: "one")
    for set in [1...2, 3...5, 6...8] { #expect(Set(set.map { before[$0] }).count == 1) }
    try write(scratch, darkSets: [9, 11], runs: 9...12)
    let after = try splits(scratch, by: "darkSet", to: "two")
    #expect(after.count == 12)
    for run in 1...8 { #expect(after[run] == before[run]) }
    #expect(Set((9...10).map { after[$0] }).count == 1)
    // By run, some dark set comes apart: with three splits and eight runs this seed does.
    let byRun = try splits(scratch, by: "run", to: "three")
    #expect([1...2, 3...5, 6...8].contains { Set($0.map { byRun[$0] }).count > 1 })
  }
}
