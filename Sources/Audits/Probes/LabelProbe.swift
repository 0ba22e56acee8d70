import Corpora
import Cues
import Evaluation
import Foundation
import Host
import Tensors

/// How well one label of one source is told from one side channel, and whether that is too well.
public struct LabelProbe: Codable, Hashable, Sendable {
  public var label: String
  public var source: String
  /// The class that is told from the rest, where a label has 3 to 32: one that a channel gives away must not hide among others that it
  /// does not. `nil` where the score is that of all classes.
  public var oneClass: String?
  public var cue: Cue
  /// What was asked: `linear`, `nearest neighbours`, `vote of the run`, `frame before`.
  public var method: String
  /// Balanced accuracy. Its chance level is 1/classes, and ½ for one class against the rest.
  public var score: Score
  /// What the score is compared with instead of chance where another channel explains it: the run's own score for the frame before.
  public var reference: Double
  /// The most that is allowed: reference + share·(1 − reference).
  public var limit: Double
  /// One-sided confidence bounds of the score, at the level that all probes of the audit share.
  public var lower: Double
  public var upper: Double
  public var verdict: Gate.Verdict

  /// In words.
  public var sentence: String {
    let numbers = String(
      format: "%.3f ± %.3f (n = %d, chance %.3f, at least %.3f, allowed %.3f)", score.value, score.standardError, score.count, score.chance ?? 0, lower,
      limit)
    return "\(label)\(oneClass.map { " \($0)" } ?? "") (\(source)): \(cue.rawValue) tells \(numbers) by \(method)"
  }

  /// Classes above which nearest neighbours answer in place of a linear model, whose cost grows with their number, and above which
  /// single classes have too few pictures to be asked for.
  private static let manyClasses = 32
  /// Pictures asked at most; drawn by chance from more.
  private static let mostLinear = 4000, mostNeighbours = 20_000
  private static let folds = 5

  /// Asks every question through every channel.
  static func all(
    _ questions: [LabelQuestion], _ scan: PictureScan, _ bounds: AuditBounds, progress: ProgressHandler
  ) throws -> [LabelProbe] {
    var raw: [LabelProbe] = []
    for (number, question) in questions.enumerated() {
      guard let source = scan.sources.first(where: { $0.name == question.source }) else { continue }
      progress(Progress("audit labels", done: number, total: questions.count, note: "\(question.label) of \(question.source)"))
      raw += try asked(question, source, bounds)
    }
    // One family of tests: each is held to its share of the false alarms.
    let sigmas = raw.isEmpty ? 0 : normalQuantile(1 - bounds.falseAlarm / Double(raw.count))
    return raw.map { $0.judged(sigmas: sigmas, share: bounds.share($0.cue)) }
  }

  private init(_ question: LabelQuestion, _ oneClass: String?, _ cue: Cue, _ method: String, _ score: Score, reference: Double?) {
    (label, source, self.oneClass, self.cue, self.method, self.score) = (question.label, question.source, oneClass, cue, method, score)
    self.reference = max(reference ?? 0, score.chance ?? 0)
    (limit, lower, upper) = (1, 0, 1)
    verdict = .undecided
  }

  /// What one channel tells: of all classes, or of each. Beside `explained`, what another channel tells already.
  private static func probes(
    _ question: LabelQuestion, _ cue: Cue, _ answers: Answers, explained: Answers? = nil
  ) -> [LabelProbe] {
    guard (3...manyClasses).contains(question.classes.count) else {
      return [LabelProbe(question, nil, cue, answers.method, answers.score(), reference: explained?.score().value)]
    }
    return question.classes.enumerated().compactMap { number, name -> LabelProbe? in
      // A class that is all or nothing of what was asked has no rest.
      guard answers.truth.contains(number), answers.truth.contains(where: { $0 != number }) else { return nil }
      return LabelProbe(question, name, cue, answers.method, answers.score(of: number), reference: explained?.score(of: number).value)
    }
  }

  private func judged(sigmas: Double, share: Double) -> LabelProbe {
    var probe = self
    probe.limit = reference + share * (1 - reference)
    probe.lower = max(0, score.value - sigmas * score.standardError)
    probe.upper = min(1, score.value + sigmas * score.standardError)
    probe.verdict = probe.lower > probe.limit ? .failed : probe.upper <= probe.limit ? .passed : .undecided
    return probe
  }

  private static func asked(_ question: LabelQuestion, _ source: PictureScan.Source, _ bounds: AuditBounds) throws -> [LabelProbe] {
    let sample = Sample(question, source, seed: bounds.seed)
    var found: [LabelProbe] = []
    let run = sample.voteOfTheRun(seed: bounds.seed)
    if let run { found += probes(question, .run, run) }
    if let before = sample.frameBefore() { found += probes(question, .frameNumber, before, explained: run) }
    let most = question.classes.count > manyClasses ? mostNeighbours : mostLinear
    let small = sample.drawn(most, seed: bounds.seed)
    for (cue, features) in [
      (Cue.header, HeaderFeatures.vectors(small.records)), (.mask, small.digests.map(\.mask)), (.frameNumber, FrameNumberFeatures.vectors(small.records)),
    ] {
      if let answers = try crossValidated(small, features, bounds) { found += probes(question, cue, answers) }
    }
    return found
  }

  /// Fitted on the runs of all folds but one, tried on those of that one. `nil` for one run.
  private static func crossValidated(_ sample: Sample, _ features: [[Float]], _ bounds: AuditBounds) throws -> Answers? {
    let runs = Set(sample.groups).sorted()
    guard runs.count > 1, let width = features.first?.count else { return nil }
    let examples = Embeddings(
      vectors: Tensor([features.count, width], features.flatMap { $0 }), labels: sample.labels, classes: sample.classes, groups: sample.groups)
    var random = Philox(seed: bounds.seed).keyed("audit folds")
    let shuffled = runs.shuffled(using: &random), count = min(folds, runs.count)
    let fold = Dictionary(uniqueKeysWithValues: shuffled.enumerated().map { ($1, $0 % count) })
    let probe: any Probe
    if sample.classes.count > manyClasses {
      probe = NearestNeighbours(neighbours: 5, metric: .euclidean)
    } else {
      probe = LinearProbe(strengths: [1e-2])
    }
    var guesses = [Int](repeating: 0, count: examples.count)
    for part in 0..<count {
      let testing = examples.labels.indices.filter { fold[examples.groups[$0]] == part }
      let fitting = examples.labels.indices.filter { fold[examples.groups[$0]] != part }
      let train = examples.subset(fitting), known = Set(train.labels)
      let answers: [Int]
      if known.count == 1 {
        answers = testing.map { _ in train.labels[0] }
      } else if train.count < 5 {
        return nil
      } else {
        answers = try probe.predictions(train: train, test: examples.subset(testing), seed: bounds.seed).labels
      }
      for (index, answer) in zip(testing, answers) { guesses[index] = answer }
    }
    return Answers(
      predicted: guesses, truth: examples.labels, runs: examples.groups, method: "\(type(of: probe).name), on runs left out of \(count) folds")
  }
}

/// Φ⁻¹(p), by bisection.
package func normalQuantile(_ p: Double) -> Double {
  precondition(p > 0 && p < 1, "a probability lies in (0, 1), got \(p)")
  var low = -40.0, high = 40.0
  for _ in 0..<80 {
    let middle = (low + high) / 2
    if Statistics.normalCDF(middle) < p { low = middle } else { high = middle }
  }
  return (low + high) / 2
}
