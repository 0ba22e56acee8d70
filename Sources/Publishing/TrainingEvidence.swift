import Corpora
import Host
import Training

/// What a run is known to have been trained on and to have reached: only what its files tell.
struct TrainingEvidence {
  /// Pictures that the recipe uses, by run and split.
  let pictures: [RunKey: [Split: Int]]
  /// Pictures of the whole corpus.
  let corpusPictures: Int
  let validation: Accuracy?
  let cues: CueVerdict?

  struct Accuracy {
    let value: Double
    /// √(p(1−p)/n) with n distinct pictures; p is replaced by (right + ½)/(n + 1) where nothing or everything is right,
    /// since no finite set can promise an error of 0.
    let standardError: Double
    /// Questions asked; more than one a picture on a small split.
    let answers: Int
    let pictures: Int
    let runs: Int
    /// What answering without looking reaches, and how.
    let chance: Double
    let chanceRule: String
    /// Looks at this split, of which the published step is the best one.
    let looks: Int
  }

  /// What a cue report says, as far as it says it.
  struct CueVerdict {
    let verdict: String?
    /// The figures that must not be quoted.
    let withheld: [String]
    /// The step whose network it judged; `nil` where it does not say.
    let step: Int?
    /// XXH3 of that network's weights; `nil` where it does not say.
    let weights: String?
  }

  /// XXH3 of the published network's weights.
  let weights: String

  /// - Parameter checkpoint: the one that is published, whose step decides which line of the metrics counts.
  /// - Parameter reports: what `cues` and `audit` wrote into the run folder, by path: what either withholds is withheld, whichever step it judged.
  init(
    _ checkpoint: Checkpoint.Description, weights: String, metrics: [RunFolder.Metric], corpus: Corpus, reports: [(path: String, value: JSONValue)]
  ) throws(InputError) {
    self.weights = weights
    let used = corpus.records.filter(checkpoint.recipe.filter.accepts)
    var pictures: [RunKey: [Split: Int]] = [:]
    for record in used { pictures[record.run, default: [:]][record.split, default: 0] += 1 }
    self.pictures = pictures
    corpusPictures = corpus.records.count
    var verdicts: [CueVerdict] = []
    for report in reports { verdicts.append(try CueVerdict(report.value, path: report.path)) }
    // The first that withholds speaks; else the first of the published step, and a report of another network when there is no better one.
    let speaker = verdicts.first { !$0.withheld.isEmpty } ?? verdicts.first { $0.step == checkpoint.step && ($0.weights ?? weights) == weights } ?? verdicts.first
    cues = speaker.map { CueVerdict(verdict: $0.verdict, withheld: verdicts.flatMap(\.withheld), step: $0.step, weights: $0.weights) }

    let looks = metrics.filter { $0.split == Split.validation.rawValue }
    guard let metric = looks.last(where: { $0.step == checkpoint.step }) else {
      validation = nil
      return
    }
    let shown = used.filter { $0.split == .validation }
    guard !shown.isEmpty, (0...1).contains(metric.accuracy), metric.count >= shown.count else {
      throw InputError(
        path: "metrics.jsonl", place: "step \(metric.step)", expected: "an accuracy of 0 to 1 over at least the \(shown.count) validation pictures",
        found: "\(metric.accuracy) over \(metric.count)")
    }
    let n = Double(shown.count), isExtreme = metric.accuracy == 0 || metric.accuracy == 1
    let p = isExtreme ? (metric.accuracy * n + 0.5) / (n + 1) : metric.accuracy
    var chance = 1 / Double(max(1, checkpoint.classes.count)), rule = "one of \(checkpoint.classes.count) equally frequent answers"
    let task = try checkpoint.recipe.task.task(path: "")
    if let own = task.chance(batch: checkpoint.recipe.batch) { (chance, rule) = (own.share, own.rule) }
    if let label = task.label {
      let most = Dictionary(grouping: shown, by: { $0.labels[label] ?? "" }).max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }!
      (chance, rule) = (Double(most.value.count) / n, "always the most frequent answer, \(most.key)")
    }
    validation = Accuracy(
      value: metric.accuracy, standardError: (p * (1 - p) / n).squareRoot(), answers: metric.count, pictures: shown.count,
      runs: Set(shown.map(\.run)).count, chance: chance, chanceRule: rule, looks: looks.count)
  }

  func count(_ split: Split) -> Int { pictures.values.reduce(0) { $0 + ($1[split] ?? 0) } }
  func runs(_ split: Split) -> Int { pictures.values.count { ($0[split] ?? 0) > 0 } }
}

extension TrainingEvidence.CueVerdict {
  /// Reads `verdict` (a string), `withheld` (an array of strings) and `step` (a number) where they are present.
  init(_ value: JSONValue, path: String) throws(InputError) {
    guard case .object(let fields) = value else {
      throw InputError(path: path, place: "", expected: "a JSON object", found: "something else")
    }
    verdict = try fields["verdict"].map { value throws(InputError) in try value.decoded(as: String.self, path: path, place: "verdict") }
    withheld = try fields["withheld"].map { value throws(InputError) in try value.decoded(as: [String].self, path: path, place: "withheld") } ?? []
    step = try fields["step"].map { value throws(InputError) in try value.decoded(as: Int.self, path: path, place: "step") }
    weights = try fields["weightsDigest"].map { value throws(InputError) in try value.decoded(as: String.self, path: path, place: "weightsDigest") }
  }
}
