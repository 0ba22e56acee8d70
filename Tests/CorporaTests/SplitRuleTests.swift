import Corpora
import Tensors
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
