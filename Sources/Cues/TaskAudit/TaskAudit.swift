import Corpora
import Evaluation
import Foundation
import Host
import Pretexts
import Tensors
import Training

/// What part of a pretext accuracy is content: the pipeline's own residuals and every control, beside the headline. One run of one seed.
public struct TaskAudit: Codable, Sendable {
  public static let format = "psimagenet-task-audit-4"

  public var format: String
  public var run: String
  public var task: String
  public var seed: UInt64
  public var step: Int
  public var corpus: String
  public var split: String
  public var classes: [String]
  /// Examples that each control asked for.
  public var examples: Int
  public var acceptance: AuditAcceptance
  /// The accuracy on held-out pictures, each asked with every answer where these are few; of several tasks the mean over them. To be quoted
  /// only where it is not withheld.
  public var headline: Score
  public var headlineInterval: AccuracyInterval
  /// The headline of each, where several tasks were trained at once.
  public var parts: [Part]?
  public var commutation: CommutationTable
  public var findings: [ControlFinding]
  public var owns: [String]
  /// SHA-256 of the recipe but for its seed, its names and how often it saves, and of the audited corpus's manifest: what runs that are judged
  /// together must share. Audits of before these were kept lack them.
  public var recipeDigest: String?
  public var corpusDigest: String?
  /// SHA-256 of the twin corpus's manifest, where one was at hand, and of which kind it is.
  public var twinDigest: String?
  public var twinKind: TwinCorpus.Kind?
  /// XXH3 of the network's weights.
  public var weightsDigest: String?
  /// Runs that the pictures behind the headline come from; of several tasks the fewest.
  public var runs: Int?
  /// SHA-256 of the manifest of the corpus that the network learnt from, and the checkpoint of another run that it went on from, where it did.
  public var learntFrom: String?
  public var origin: String?
  /// Where its first weights come from, where not from a generator.
  public var initialWeights: String?
  /// The most steps of the planted cue's network.
  public var plantedSteps: Int?
  /// What follows from this run alone, and why its accuracy must not be quoted, where that is so: as model cards read it.
  public private(set) var verdict = ""
  public private(set) var withheld: [String] = []

  /// One of several tasks.
  public struct Part: Codable, Hashable, Sendable {
    public var name: String
    public var headline: Score
    public var headlineInterval: AccuracyInterval
  }

  /// A control that is answered, or a step that does not commute and that the recipe does not own up to.
  public var isWithheld: Bool { !reasons.isEmpty }

  /// Why the headline is withheld.
  public var reasons: [String] {
    commutation.failures.map { row in
      let place = row.worst.map { "\($0.symmetry) at \($0.height)×\($0.width)" } ?? ""
      return "\(row.key)\(row.source.isEmpty ? "" : " (\(row.source))") does not commute: \(place) leaves "
        + String(format: "%.4f", row.worst?.relative ?? 0) + " of an unrelated picture"
    } + findings.filter { $0.verdict == .leak }.map { "\($0.name): \($0.statement.hasSuffix(".") ? String($0.statement.dropLast()) : $0.statement)" }
  }

  public var remedies: [Remedy] { Remedy.allCases.filter { remedy in findings.contains { $0.verdict == .leak && $0.remedies.contains(remedy) } } }

  /// Audits the network of `checkpoint` on held-out pictures of `corpus`.
  ///
  /// - Parameters:
  ///   - twin: a corpus of the same events with a turned detector, for the control of mirrored geometry.
  ///   - examples: asked by each control; the acceptance's where left out.
  ///   - plantedSteps: the most of the fresh network of the planted cue; 0 leaves it out, and without a number the recipe decides.
  /// Cost: about fifteen times `examples` passes of the network for each task. Throws where the split has no pictures.
  public init(
    _ checkpoint: Checkpoint, path: String, corpus: Corpus, twin: Corpus? = nil, split: Split = .test, examples: Int? = nil, plantedSteps: Int? = nil,
    acceptance: AuditAcceptance = AuditAcceptance(), seed: UInt64 = 0, progress: @escaping ProgressHandler = { _ in }
  ) throws {
    let subject = try TaskSubject(
      checkpoint, path: path, corpus: corpus, twin: twin, split: split, examples: examples, plantedSteps: plantedSteps, acceptance: acceptance, seed: seed,
      progress: progress)
    let recipe = subject.recipe, controls = ControlCatalog.ofTasks, names = TaskExaminer.parts(of: subject.examiner.whole).map(\.name)
    (format, run, task, self.seed, step) = (TaskAudit.format, recipe.name, recipe.task.name, recipe.seed, checkpoint.description.step)
    (self.corpus, self.split, classes) = (corpus.manifest.name, split.rawValue, checkpoint.description.classes)
    (self.examples, self.acceptance, owns) = (subject.examples, acceptance, recipe.owns)
    (recipeDigest, self.plantedSteps) = (try TaskAudit.digest(recipe, corpus: checkpoint.description.corpus), subject.plantedSteps)
    corpusDigest = try Checksum.sha256(file: corpus.folder + "/manifest.json")
    twinDigest = try twin.map { try Checksum.sha256(file: $0.folder + "/manifest.json") }
    (twinKind, weightsDigest) = (subject.twins?.corpus.kind, checkpoint.weightsDigest)
    (learntFrom, origin, initialWeights) = (checkpoint.description.corpus, checkpoint.description.origin, recipe.initialWeights)
    let used = Set(corpus.records.filter(recipe.filter.accepts).map(\.source))
    let sources = try CorpusRecipe(reading: corpus.folder + "/recipe.yaml").sources.filter { used.contains($0.name) }
    let total = TaskAudit.steps(parts: names.count)
    var done = 0
    func note(_ text: String) {
      progress(Progress("audit \(recipe.name)", done: done, total: total, note: text))
      done += 1
    }
    note("commutation")
    commutation = try CommutationTable(recipe, scaling: subject.examiner.scaling, corpus: corpus)
    var headlines: [Part] = [], found: [ControlFinding] = [], asked: [Int] = []
    for name in names {
      let own = name == subject.examiner.part ? subject : try TaskSubject(subject, part: name, path: path)
      note(name.isEmpty ? "headline" : "\(name): headline")
      let sheet = try own.headline.get(), score = sheet.score(own.examiner.task.variants > 1 ? "paired accuracy" : "accuracy")
      asked.append(Set(sheet.runs).count)
      headlines.append(Part(name: name, headline: score, headlineInterval: AccuracyInterval(score)))
      for control in controls {
        note(name.isEmpty ? control.name : "\(name): \(control.name)")
        var finding = try control.init().finding(own)
        finding.part = name.isEmpty ? nil : name
        finding.remedies = finding.remedies.filter { $0.canHelp(own, sources: sources) }
        found.append(finding)
      }
    }
    (findings, runs) = (found, asked.min())
    headline = TaskAudit.mean(headlines.map(\.headline))
    headlineInterval = AccuracyInterval(headline)
    parts = names.count > 1 ? headlines : nil
    withheld = reasons
    verdict = TaskVerdict(of: self).sentence
    progress(Progress("audit \(recipe.name)", done: total, total: total))
  }

  /// How many steps the progress of an audit counts.
  public static func steps(of recipe: TrainingRecipe) throws(InputError) -> Int {
    steps(parts: TaskExaminer.parts(of: try recipe.task.task(path: recipe.name)).count)
  }

  /// The commutation table, and of each task its headline and every control.
  private static func steps(parts: Int) -> Int { parts * (ControlCatalog.ofTasks.count + 1) + 1 }

  /// The mean over several tasks, whose pictures are the same: their errors are not averaged away.
  private static func mean(_ scores: [Score]) -> Score {
    guard scores.count > 1 else { return scores[0] }
    return Score(
      metric: "mean accuracy", value: Statistics.mean(scores.map(\.value)), standardError: Statistics.mean(scores.map(\.largerStandardError)),
      count: scores.map(\.count).min() ?? 0, chance: Statistics.mean(scores.map { $0.chance ?? 0 }))
  }

  /// Of what decides the run, but for the seed: of names, and of how often it looks and saves, nothing.
  /// - Parameter corpus: the checksum of its manifest, which stands for the place where it lies.
  static func digest(_ recipe: TrainingRecipe, corpus: String) throws(InputError) -> String {
    var recipe = recipe
    (recipe.name, recipe.about, recipe.corpus, recipe.seed) = ("", "", corpus, 0)
    (recipe.validateEvery, recipe.checkpointEvery, recipe.owns) = (1, 1, recipe.owns.sorted())
    return Checksum.sha256(try CanonicalJSON.data(recipe))
  }

  /// What an audit may ask for so that its controls take about a fifth of the run's time: a step of training is three passes, an audit about
  /// fifteen for each example of each task. Networks for the planted cues are trained where their 150 steps see no more than another fifth of the
  /// run's examples.
  ///
  /// Throws where the recipe's task cannot be had.
  public static func share(of recipe: TrainingRecipe) throws(InputError) -> (examples: Int, plantedSteps: Int) {
    let seen = Double(recipe.steps) * Double(recipe.batch), parts = TaskExaminer.parts(of: try recipe.task.task(path: recipe.name)).count
    let planted = 150 * Double(try plantedBatch(of: recipe))
    return (min(AuditAcceptance().examples, max(64, Int(0.2 * 3 * seen / 15) / parts)), planted <= 0.2 * seen ? 150 : 0)
  }

  /// Examples that a step of the planted cues' networks sees, of several tasks together.
  public static func plantedBatch(of recipe: TrainingRecipe) throws(InputError) -> Int {
    TaskExaminer.parts(of: try recipe.task.task(path: recipe.name)).reduce(0) { $0 + PlantedCue.batch(of: $1.task, trainedWith: recipe.batch) }
  }

  /// The findings as they may be read: what is withheld must not be told in other words either.
  public func shown(withholding isWithheld: Bool) -> [ControlFinding] {
    guard isWithheld else { return findings }
    let telling = [BatchStatistics.name, LeaveOneRunOut.name, MirroredGeometry.name]
    return findings.map { finding in
      guard telling.contains(finding.control), finding.verdict != .leak else { return finding }
      var finding = finding
      (finding.score, finding.interval, finding.expected) = (nil, nil, nil)
      finding.statement = "Withheld with the accuracy."
      return finding
    }
  }

  public func finding(_ control: any TaskControl.Type) -> ControlFinding? { findings.first { $0.control == control.name } }
}
