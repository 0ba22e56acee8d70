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
public struct TransferProtocol: Sendable {
  public var probes: [any Probe]
  public var precision: Precision

  public init(probes: [any Probe] = ProbeCatalog.all.map { $0.init() }, precision: Precision = .float32) {
    self.probes = probes
    self.precision = precision
  }

  /// One trunk family on one task with one probe at one stage, over seeds.
  public struct Row: Codable, Hashable, Sendable {
    public var task: String
    public var family: String
    public var probe: String
    public var stage: String
    /// Balanced accuracy on the test runs, over the seeds of the family.
    public var test: Score
    /// The share of right answers on each test run, averaged over seeds: families are compared run by run, since a run that is
    /// hard for one is hard for all. `nil` in results that do not have it.
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
    public var rows: [Row]
    /// Tasks that could not be asked, and why.
    public var leftOut: [String: String]
    /// What instruments score on the same test pictures; `nil` in results that did not ask.
    public var baselines: [InstrumentBaseline]?

    /// The headline: one row per task, family and probe.
    public var chosen: [Row] { rows.filter(\.isChosen) }
  }

  /// What the probes read from one trunk: one entry per task, probe and stage, and why tasks were left out.
  public struct TrunkScores: Sendable {
    fileprivate var scores: [Key: Scores] = [:]
    fileprivate var leftOut: [String: String] = [:]
  }

  /// Scores one trunk. Trunks may be scored side by side, each on a thread of its own.
  public func score(
    _ trunk: Trunk, on tasks: [any DownstreamTask.Type], of corpus: Corpus, progress: ProgressHandler = { _ in }
  ) throws -> TrunkScores {
    var result = TrunkScores()
    guard corpus.manifest.height == trunk.side, corpus.manifest.width == trunk.side else {
      throw InputError(
        path: corpus.folder, place: "image size", expected: "\(trunk.side)×\(trunk.side), the size that trunk \(trunk.family) was trained at",
        found: "\(corpus.manifest.height)×\(corpus.manifest.width); build the corpus at that size")
    }
    let features = try Features(trunk, precision: precision)
    for (index, task) in tasks.enumerated() {
      defer { progress(Progress("transfer", done: index + 1, total: tasks.count, note: "\(task.name): \(trunk.family)")) }
      let parts: [Split: Part]
      switch try usable(task, corpus) {
      case .success(let found): parts = found
      case .failure(let reason):
        result.leftOut[task.name] = reason.text
        continue
      }
      do {
        result.scores.merge(try scores(trunk, task, parts, features)) { first, _ in first }
      } catch let error as ProbeError {
        // Too few frames for a probe, say: the other tasks can still be asked.
        result.leftOut[task.name] = error.description
      }
    }
    return result
  }

  /// Every stage and probe of one trunk on one task.
  private func scores(
    _ trunk: Trunk, _ task: any DownstreamTask.Type, _ parts: [Split: Part], _ features: Features
  ) throws -> [Key: Scores] {
    var found: [Key: Scores] = [:]
    let embedded = try parts.mapValues { try features($0.images) }
    for stage in features.stages {
      let train = parts[.train]!.embeddings(embedded[.train]![stage]!)
      let validation = parts[.validation]!.embeddings(embedded[.validation]![stage]!)
      let test = parts[.test]!.embeddings(embedded[.test]![stage]!)
      for probe in probes {
        let key = Key(task: task.name, family: trunk.family, probe: type(of: probe).name, stage: stage)
        let judged = try probe.judged(train: train.joined(with: validation), test: test, seed: trunk.seed)
        found[key] = Scores(
          test: judged.score,
          validation: try probe.score(train: train, test: validation, seed: trunk.seed),
          run: try TransferProtocol.runControl(train, probe: probe, seed: trunk.seed),
          testByRun: Dictionary(uniqueKeysWithValues: judged.byGroup.map { ("\($0.key)", $0.value) }))
      }
    }
    return found
  }

  /// Puts the scores of all trunks together: the seeds of a family are averaged, and its stage is chosen.
  public func result(_ scored: [TrunkScores], of corpus: Corpus) -> Result {
    var scores: [Key: [Scores]] = [:], leftOut: [String: String] = [:]
    for trunk in scored {
      for (key, score) in trunk.scores { scores[key, default: []].append(score) }
      leftOut.merge(trunk.leftOut) { first, _ in first }
    }
    // A task that one trunk could not answer has nothing to compare.
    scores = scores.filter { leftOut[$0.key.task] == nil }
    let asked = DownstreamTaskCatalog.all.filter { task in scores.keys.contains { $0.task == task.name } }
    return Result(
      corpus: corpus.manifest.name, rows: combined(scores), leftOut: leftOut, baselines: InstrumentBaseline.scores(on: asked, of: corpus))
  }

  /// Scores `trunks` (several seeds of each family) one after the other.
  public func run(
    _ trunks: [Trunk], on tasks: [any DownstreamTask.Type], of corpus: Corpus, progress: ProgressHandler = { _ in }
  ) throws -> Result {
    var scored: [TrunkScores] = []
    for (index, trunk) in trunks.enumerated() {
      scored.append(try score(trunk, on: tasks, of: corpus) {
        progress(Progress("transfer", done: index * tasks.count + $0.done, total: trunks.count * tasks.count, note: $0.note))
      })
    }
    return result(scored, of: corpus)
  }

  fileprivate struct Key: Hashable { let task, family, probe, stage: String }
  fileprivate struct Scores { let test, validation: Score, run: Score?, testByRun: [String: Double] }
  private struct Reason: Error { let text: String }

  /// The pictures of one split that answer a task.
  private struct Part {
    let images: [MaskedImage], labels: [Int], classes: [String], groups: [Int]
    func embeddings(_ vectors: Tensor<Float>) -> Embeddings {
      Embeddings(vectors: vectors, labels: labels, classes: classes, groups: groups)
    }
  }

  private func usable(_ task: any DownstreamTask.Type, _ corpus: Corpus) throws(InputError) -> Swift.Result<[Split: Part], Reason> {
    let answered = corpus.records.filter { task.answer($0) != nil }
    let classes = Set(answered.compactMap { task.answer($0) }).sorted()
    guard classes.count > 1 else {
      return .failure(Reason(text: "the corpus has \(classes.isEmpty ? "no" : "only one class of") label \"\(task.label)\""))
    }
    let runs = Set(answered.map(\.run)).sorted()
    var parts: [Split: Part] = [:]
    for split in Split.allCases {
      let records = answered.filter { $0.split == split }
      let present = Set(records.compactMap { task.answer($0) })
      guard present.count == classes.count else {
        return .failure(Reason(text: "split \(split) has only \(present.sorted().joined(separator: ", ")) of \(classes.joined(separator: ", "))"))
      }
      parts[split] = Part(
        images: try corpus.images(records), labels: records.map { classes.firstIndex(of: task.answer($0)!)! }, classes: classes,
        groups: records.map { runs.firstIndex(of: $0.run)! })
    }
    return .success(parts)
  }

  /// Can the features name the run? Fitted on the even frames of every training run, scored on the odd ones; `nil` for one run.
  ///
  /// A linear probe is fitted with one fixed strength here: a control needs no tuning, and tuning it would take longer than
  /// everything else, since it has as many classes as there are runs.
  static func runControl(_ train: Embeddings, probe: any Probe, seed: UInt64) throws -> Score? {
    let runs = Set(train.groups).sorted()
    guard runs.count > 1 else { return nil }
    let control: any Probe = probe is LinearProbe ? LinearProbe(strengths: [1e-2]) : probe
    let relabelled = Embeddings(
      vectors: train.vectors, labels: train.groups.map { runs.firstIndex(of: $0)! }, classes: runs.map { "run \($0)" },
      groups: Array(0..<train.count))
    var seen: [Int: Int] = [:], even: [Int] = [], odd: [Int] = []
    for (index, run) in train.groups.enumerated() {
      let position = seen[run, default: 0]
      seen[run] = position + 1
      if position % 2 == 0 { even.append(index) } else { odd.append(index) }
    }
    return try control.score(train: relabelled.subset(even), test: relabelled.subset(odd), seed: seed)
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
    }.sorted { ($0.task, $0.family, $0.probe, $0.stage) < ($1.task, $1.family, $1.probe, $1.stage) }
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
