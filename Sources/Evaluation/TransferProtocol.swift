import Corpora
import Engine
import Foundation
import Host
import Tensors

/// How much of a downstream label frozen trunks lay open: every stage, every probe, trunks side by side.
///
/// A probe is fitted on the training runs and judged on validation runs; the stage with the best linear probe there is the
/// trunk's stage for the headline. Then the probe is fitted again on training and validation runs and scored once on the test
/// runs. No run is in two parts. Beside each score stands the control "predict the run": the same features and probe,
/// asked for the run of frames whose runs they have seen. Features that tell runs apart could have learnt the run.
///
/// Labels are scarce at a beamline: with a `LabelBudget` the probe learns from that many frames of each class alone.
public struct TransferProtocol: Sendable {
  public var probes: [any Probe]
  /// Each is judged on the same features; see `result(_:of:budget:)`.
  public var budgets: [LabelBudget]
  public var precision: Precision
  /// How many frames of each run "predict the run" looks at; it takes most of the time of a transfer otherwise, with a class for every run.
  public var framesOfRun: Int

  public init(
    probes: [any Probe] = ProbeCatalog.all.map { $0.init() }, budgets: [LabelBudget] = [.everything], precision: Precision = .float32,
    framesOfRun: Int = .max
  ) {
    precondition(!budgets.isEmpty, "a transfer needs a budget of labels")
    precondition(framesOfRun >= 2, "half of a run's frames are fitted to, and half judged; got \(framesOfRun)")
    self.probes = probes
    self.budgets = budgets
    self.precision = precision
    self.framesOfRun = framesOfRun
  }

  /// One trunk family on one task with one probe at one stage, over seeds.
  public struct Row: Codable, Hashable, Sendable {
    public var task: String
    public var family: String
    public var probe: String
    public var stage: String
    /// Balanced accuracy on the test runs, over the seeds of the family.
    public var test: Score
    /// A value for each test run, averaged over seeds, whose mean is the score and whose spread over runs is its error (`Probe.judged`): families are compared run
    /// by run, since a run that is hard for one is hard for all. `nil` in results that do not have it.
    public var testByRun: [String: Double]?
    /// The same on the validation runs: what stages are chosen by.
    public var validation: Score
    /// How well the same features name the run, over seeds; `nil` where only one run can be asked for.
    public var run: Score?
    /// Whether this is the stage that validation chose for its family, task and probe.
    public var isChosen: Bool
  }

  public struct Result: Codable, Hashable, Sendable {
    public var corpus: String
    /// What probes could learn from; `nil` in results of before there were budgets, which is everything.
    public var budget: LabelBudget?
    public var rows: [Row]
    /// Tasks, and `task, probe`, that could not be asked, and why.
    public var leftOut: [String: String]
    /// What instruments score on the same test pictures; `nil` in results that did not ask.
    public var baselines: [InstrumentBaseline]?

    /// The headline: one row per task, family and probe.
    public var chosen: [Row] { rows.filter(\.isChosen) }
  }

  /// What the probes read from one trunk: one entry per task, probe and stage, and why tasks were left out.
  public struct TrunkScores: Sendable {
    fileprivate var scores: [Key: Scores] = [:]
    /// Tasks that the corpus cannot answer, and why.
    fileprivate var leftOut: [String: String] = [:]
    /// Probes that could not answer, and why.
    fileprivate var silent: [Silence: String] = [:]

    fileprivate mutating func merge(_ other: TrunkScores) {
      scores.merge(other.scores) { first, _ in first }
      silent.merge(other.silent) { first, _ in first }
    }
  }

  /// Scores one trunk. Trunks may be scored side by side, each on a thread of its own.
  public func score(
    _ trunk: Trunk, on tasks: [DownstreamTask], of corpus: Corpus, progress: ProgressHandler = { _ in }
  ) throws -> TrunkScores {
    var result = TrunkScores()
    guard corpus.manifest.height == trunk.side, corpus.manifest.width == trunk.side else {
      throw InputError(
        path: corpus.folder, place: "image size", expected: "\(trunk.side)×\(trunk.side), the size that trunk \(trunk.family) was trained at",
        found: "\(corpus.manifest.height)×\(corpus.manifest.width); build the corpus at that size")
    }
    var asked: [(task: DownstreamTask, part: [Split: Part])] = []
    for task in tasks {
      switch usable(task, corpus) {
      case .success(let parts): asked.append((task, parts))
      case .failure(let reason): result.leftOut[task.name] = reason.text
      }
    }
    let embedded = try FrozenFeatures(trunk, of: corpus, records: asked.flatMap { $0.part.values.flatMap(\.records) }, precision: precision)
    var controls: [RunControl: Score?] = [:]
    for (index, (task, parts)) in asked.enumerated() {
      defer { progress(Progress("transfer", done: tasks.count - asked.count + index + 1, total: tasks.count, note: "\(task.name): \(trunk.family)")) }
      result.merge(try scores(trunk, task, parts, embedded, &controls))
    }
    return result
  }

  /// Every stage, probe and budget of one trunk on one task. A probe that cannot answer, for want of frames say, is left out with the
  /// reason; the others, and other tasks, can still be asked.
  private func scores(
    _ trunk: Trunk, _ task: DownstreamTask, _ parts: [Split: Part], _ features: FrozenFeatures, _ controls: inout [RunControl: Score?]
  ) throws -> TrunkScores {
    var found = TrunkScores()
    for stage in features.stages {
      let train = parts[.train]!.embeddings(features, stage), validation = parts[.validation]!.embeddings(features, stage)
      let test = parts[.test]!.embeddings(features, stage)
      for probe in probes {
        var run: Score?
        do {
          // Tasks that share their frames share the control, which has as many classes as there are runs.
          let control = RunControl(records: parts[.train]!.records, stage: stage, probe: type(of: probe).name)
          run = try controls[control] ?? runControl(train, probe: probe, seed: trunk.seed)
          controls[control] = .some(run)
        } catch let error as ProbeError {
          for budget in budgets { found.silent[Silence(task: task.name, probe: type(of: probe).name, budget: budget)] = error.description }
          continue
        }
        for budget in budgets {
          let key = Key(task: task.name, family: trunk.family, probe: type(of: probe).name, stage: stage, budget: budget)
          do {
            let draws = try budget.draws(of: train, seed: trunk.seed, task: task.name).map { drawn in
              try judged(probe, drawn, validation, test, budget, run, seed: trunk.seed)
            }
            found.scores[key] = .mean(of: draws, budget)
          } catch let error as ProbeError {
            found.silent[Silence(task: task.name, probe: type(of: probe).name, budget: budget)] = error.description
          }
        }
      }
    }
    return found
  }

  private func judged(
    _ probe: any Probe, _ train: Embeddings, _ validation: Embeddings, _ test: Embeddings, _ budget: LabelBudget, _ run: Score?, seed: UInt64
  ) throws -> Scores {
    // A budget counts the labels that the probe may learn from, so validation runs lend theirs only where there is none.
    guard budget.perClass != nil else {
      return Scores(
        test: try probe.judged(train: train.joined(with: validation), test: test, seed: seed),
        validation: try probe.score(train: train, test: validation, seed: seed), run: run)
    }
    let judged = try probe.judged(train: train, tests: [test, validation], seed: seed)
    return Scores(test: judged[0], validation: judged[1].score, run: run)
  }

  /// Puts the scores of all trunks together: the seeds of a family are averaged, and its stage is chosen.
  ///
  /// - Parameter budget: One of `budgets`; the first where left out.
  public func result(_ scored: [TrunkScores], of corpus: Corpus, budget: LabelBudget? = nil) -> Result {
    let budget = budget ?? budgets[0]
    precondition(budgets.contains(budget), "\(budget) was not judged")
    var scores: [Key: [Scores]] = [:], leftOut: [String: String] = [:]
    for trunk in scored {
      for (key, score) in trunk.scores where key.budget == budget { scores[key, default: []].append(score) }
      leftOut.merge(trunk.leftOut) { first, _ in first }
      for (silence, reason) in trunk.silent where silence.budget == budget { leftOut["\(silence.task), \(silence.probe)"] = reason }
    }
    // What one trunk could not answer has nothing to compare.
    scores = scores.filter { leftOut[$0.key.task] == nil && leftOut["\($0.key.task), \($0.key.probe)"] == nil }
    let asked = DownstreamTaskCatalog.all.filter { task in scores.keys.contains { $0.task == task.name } }
    return Result(
      corpus: corpus.manifest.name, budget: budget, rows: combined(scores), leftOut: leftOut,
      baselines: InstrumentBaseline.scores(on: asked, of: corpus))
  }

  /// Scores `trunks` (several seeds of each family) one after the other.
  public func run(
    _ trunks: [Trunk], on tasks: [DownstreamTask], of corpus: Corpus, progress: ProgressHandler = { _ in }
  ) throws -> Result {
    var scored: [TrunkScores] = []
    for (index, trunk) in trunks.enumerated() {
      scored.append(try score(trunk, on: tasks, of: corpus) {
        progress(Progress("transfer", done: index * tasks.count + $0.done, total: trunks.count * tasks.count, note: $0.note))
      })
    }
    return result(scored, of: corpus)
  }

  fileprivate struct Key: Hashable { let task, family, probe, stage: String, budget: LabelBudget }
  fileprivate struct Silence: Hashable { let task, probe: String, budget: LabelBudget }
  private struct RunControl: Hashable { let records: [Int], stage, probe: String }
  private struct Reason: Error { let text: String }

  fileprivate struct Scores {
    let test, validation: Score, run: Score?, testByRun: [String: Double]

    init(test: (score: Score, byGroup: [Int: Double]), validation: Score, run: Score?) {
      (self.test, self.validation, self.run) = (test.score, validation, run)
      testByRun = Dictionary(uniqueKeysWithValues: test.byGroup.map { ("\($0.key)", $0.value) })
    }

    private init(test: Score, validation: Score, run: Score?, testByRun: [String: Double]) {
      (self.test, self.validation, self.run, self.testByRun) = (test, validation, run, testByRun)
    }

    /// Over the draws of one trunk, which share its test frames: so do the means.
    static func mean(of draws: [Scores], _ budget: LabelBudget) -> Scores {
      guard budget.perClass != nil else { return draws[0] }
      let first = draws[0]
      return Scores(
        test: budget.mean(draws.map(\.test)), validation: budget.mean(draws.map(\.validation)), run: first.run,
        testByRun: Dictionary(
          uniqueKeysWithValues: first.testByRun.keys.map { run in (run, Statistics.mean(draws.compactMap { $0.testByRun[run] })) }))
    }
  }

  /// The records of one split that answer a task.
  private struct Part {
    let records: [Int], labels: [Int], classes: [String], groups: [Int]
    func embeddings(_ features: FrozenFeatures, _ stage: String) -> Embeddings {
      Embeddings(vectors: features.vectors(of: records, stage), labels: labels, classes: classes, groups: groups)
    }
  }

  private func usable(_ task: DownstreamTask, _ corpus: Corpus) -> Swift.Result<[Split: Part], Reason> {
    let answers = corpus.records.map { task.answer($0) }, answered = answers.indices.filter { answers[$0] != nil }
    let classes = Set(answers.compactMap { $0 }).sorted()
    guard classes.count > 1 else {
      return .failure(Reason(text: "the corpus has \(classes.isEmpty ? "no" : "only one class of") label \"\(task.label)\""))
    }
    let runs = Set(answered.map { corpus.records[$0].run }).sorted()
    var parts: [Split: Part] = [:]
    for split in Split.allCases {
      let records = answered.filter { corpus.records[$0].split == split }
      let present = Set(records.compactMap { answers[$0] })
      guard present.count == classes.count else {
        return .failure(Reason(text: "split \(split) has only \(present.sorted().joined(separator: ", ")) of \(classes.joined(separator: ", "))"))
      }
      parts[split] = Part(
        records: records, labels: records.map { classes.firstIndex(of: answers[$0]!)! }, classes: classes,
        groups: records.map { runs.firstIndex(of: corpus.records[$0].run)! })
    }
    return .success(parts)
  }

  /// Can the features name the run? Fitted on the even frames of every training run, scored on the odd ones; `nil` for one run.
  ///
  /// A linear probe is fitted with one fixed strength here: a control needs no tuning, and tuning it would take longer than
  /// everything else, since it has as many classes as there are runs.
  func runControl(_ train: Embeddings, probe: any Probe, seed: UInt64) throws -> Score? {
    let runs = Set(train.groups).sorted()
    guard runs.count > 1 else { return nil }
    let control: any Probe = probe is LinearProbe ? LinearProbe(strengths: [1e-2]) : probe
    // Each frame by itself for the fit, whose runs are its classes; those of a run err together where they are judged.
    let labels = train.groups.map { runs.firstIndex(of: $0)! }, classes = runs.map { "run \($0)" }
    let fitted = Embeddings(vectors: train.vectors, labels: labels, classes: classes, groups: Array(0..<train.count))
    var seen: [Int: Int] = [:], even: [Int] = [], odd: [Int] = []
    for (index, run) in train.groups.enumerated() {
      let position = seen[run, default: 0]
      seen[run] = position + 1
      guard position < framesOfRun else { continue }
      if position % 2 == 0 { even.append(index) } else { odd.append(index) }
    }
    return try control.score(train: fitted.subset(even), test: train.relabelled(labels, classes: classes).subset(odd), seed: seed)
  }

  /// Whether what is called `a` comes before `b` on the way through a network: stages by their number, then fully connected layers (`fc6`, `fc7`).
  public static func isShallower(_ a: String, _ b: String) -> Bool {
    func depth(_ name: String) -> (Int, String) { name.hasPrefix("stage ") ? (Int(name.dropFirst(6)) ?? 0, "") : (.max, name) }
    return depth(a) < depth(b)
  }

  /// One row per key, with the stage of each family, task and probe that validation prefers.
  private func combined(_ scores: [Key: [Scores]]) -> [Row] {
    var rows = scores.map { key, scores in
      let runs = scores.compactMap(\.run)
      return Row(
        task: key.task, family: key.family, probe: key.probe, stage: key.stage, test: .combined(scores.map(\.test)),
        testByRun: Dictionary(
          uniqueKeysWithValues: scores[0].testByRun.keys.map { run in (run, Statistics.mean(scores.compactMap { $0.testByRun[run] })) }),
        validation: .combined(scores.map(\.validation)), run: runs.count == scores.count ? .combined(runs) : nil, isChosen: false)
    }.sorted { a, b in
      let (first, second) = ((a.task, a.family, a.probe), (b.task, b.family, b.probe))
      return first == second ? TransferProtocol.isShallower(a.stage, b.stage) : first < second
    }
    for group in Set(rows.map { [$0.task, $0.family, $0.probe] }) {
      let indices = rows.indices.filter { [rows[$0].task, rows[$0].family, rows[$0].probe] == group }
      // The deeper of equal stages.
      let best = indices.max { (rows[$0].validation.value, $0) < (rows[$1].validation.value, $1) }!
      rows[best].isChosen = true
    }
    return rows
  }
}

extension Embeddings {
  /// These examples followed by `other`'s; traps unless both have the same width and classes.
  public func joined(with other: Embeddings) -> Embeddings {
    precondition(width == other.width && classes == other.classes, "embeddings of unequal width or classes")
    return Embeddings(
      vectors: Tensor([count + other.count, width], vectors.elements + other.vectors.elements), labels: labels + other.labels,
      classes: classes, groups: groups + other.groups)
  }
}
