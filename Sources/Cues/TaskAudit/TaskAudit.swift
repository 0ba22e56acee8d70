import Corpora
import Evaluation
import Foundation
import Host
import Pretexts
import Tensors
import Training

/// What part of a pretext accuracy is content: the pipeline's own residuals and every control, beside the headline. One run of one seed.
public struct TaskAudit: Codable, Sendable {
  public static let format = "psimagenet-task-audit-1"

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
  /// The accuracy on held-out pictures; to be quoted only where it is not withheld.
  public var headline: Score
  public var headlineInterval: AccuracyInterval
  public var commutation: CommutationTable
  public var findings: [ControlFinding]
  public var owns: [String]
  /// What follows from this run alone, and why its accuracy must not be quoted, where that is so: as model cards read it.
  public private(set) var verdict = ""
  public private(set) var withheld: [String] = []

  /// A leak that nobody owns up to, or a step that does not commute.
  public var isWithheld: Bool { !reasons.isEmpty }

  /// Why the headline is withheld.
  public var reasons: [String] {
    commutation.failures.map { row in
      let place = row.worst.map { "\($0.symmetry) at \($0.height)×\($0.width)" } ?? ""
      return "\(row.key)\(row.source.isEmpty ? "" : " (\(row.source))") does not commute: \(place) leaves "
        + String(format: "%.4f", row.worst?.relative ?? 0) + " of an unrelated picture"
    } + findings.filter { $0.verdict == .leak }.map { "\($0.control): \($0.statement.hasSuffix(".") ? String($0.statement.dropLast()) : $0.statement)" }
  }

  public var remedies: [Remedy] { Remedy.allCases.filter { remedy in findings.contains { $0.verdict == .leak && $0.remedies.contains(remedy) } } }

  /// Audits the network of `checkpoint` on held-out pictures of `corpus`.
  ///
  /// - Parameters:
  ///   - twin: a corpus of the same events with a turned detector, for the control of mirrored geometry.
  ///   - examples: asked by each control; the acceptance's where left out.
  ///   - plantedSteps: of the fresh network of the planted cue; 0 leaves it out.
  /// Cost: about fifteen times `examples` passes of the network. Throws where the task has no classes or the split no pictures.
  public init(
    _ checkpoint: Checkpoint, path: String, corpus: Corpus, twin: Corpus? = nil, split: Split = .test, examples: Int? = nil, plantedSteps: Int = 150,
    acceptance: AuditAcceptance = AuditAcceptance(), seed: UInt64 = 0, progress: @escaping ProgressHandler = { _ in }
  ) throws {
    let subject = try TaskSubject(
      checkpoint, path: path, corpus: corpus, twin: twin, split: split, examples: examples, plantedSteps: plantedSteps, acceptance: acceptance, seed: seed,
      progress: progress)
    let recipe = subject.recipe, controls = ControlCatalog.ofTasks
    (format, run, task, self.seed, step) = (TaskAudit.format, recipe.name, recipe.task.name, recipe.seed, checkpoint.description.step)
    (self.corpus, self.split, classes) = (corpus.manifest.name, split.rawValue, subject.examiner.classes)
    (self.examples, self.acceptance, owns) = (subject.examples, acceptance, recipe.owns)
    progress(Progress("audit \(recipe.name)", done: 0, total: controls.count + 2, note: "headline"))
    headline = try subject.headline.get().score("accuracy")
    headlineInterval = AccuracyInterval(headline)
    progress(Progress("audit \(recipe.name)", done: 1, total: controls.count + 2, note: "commutation"))
    commutation = try CommutationTable(recipe, scaling: subject.examiner.scaling, corpus: corpus)
    findings = []
    for (index, control) in controls.enumerated() {
      progress(Progress("audit \(recipe.name)", done: index + 2, total: controls.count + 2, note: control.name))
      var finding = try control.init().finding(subject)
      if finding.verdict == .leak, recipe.owns.contains(finding.control) { finding.verdict = .owned }
      findings.append(finding)
    }
    withheld = reasons
    verdict = TaskVerdict([self]).sentence
    progress(Progress("audit \(recipe.name)", done: controls.count + 2, total: controls.count + 2))
  }

  /// What an audit may ask for so that it takes about a fifth of the run's time: a step of training is three passes, an audit about
  /// fifteen for each example, and a planted cue's network is trained where its steps are a fiftieth of the run's.
  public static func share(of recipe: TrainingRecipe) -> (examples: Int, plantedSteps: Int) {
    let passes = 3 * Double(recipe.steps) * Double(recipe.batch)
    return (min(AuditAcceptance().examples, max(64, Int(0.2 * passes / 15))), recipe.steps >= 50 * 150 ? 150 : 0)
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

/// The audits of one recipe's runs from several seeds, taken together.
public struct TaskVerdict: Codable, Sendable {
  public enum Standing: String, Codable, Sendable {
    /// Every control of every seed passed or is owned, with as many examples and seeds as acceptance asks for.
    case accepted
    /// No leak was found, but too little was asked to exclude one.
    case provisional
    case withheld
  }

  public var standing: Standing
  /// Of all seeds; absent where withheld.
  public var headline: Score?
  /// What is missing, or what leaks.
  public var reasons: [String]
  public var remedies: [Remedy]

  /// Traps without audits.
  public init(_ audits: [TaskAudit]) {
    precondition(!audits.isEmpty, "no audits to judge")
    let leaks = audits.flatMap { audit in audit.reasons.map { audits.count > 1 ? "seed \(audit.seed): \($0)" : $0 } }
    remedies = Remedy.allCases.filter { remedy in audits.contains { $0.remedies.contains(remedy) } }
    guard leaks.isEmpty else {
      (standing, headline, reasons) = (.withheld, nil, leaks)
      return
    }
    let acceptance = audits[0].acceptance, seeds = Set(audits.map(\.seed)).count
    var missing: [String] = []
    if seeds < acceptance.seeds { missing.append("\(seeds) of \(acceptance.seeds) seeds") }
    if let least = audits.map(\.examples).min(), least < acceptance.examples { missing.append("\(least) of \(acceptance.examples) examples a control") }
    for audit in audits {
      for finding in audit.findings where finding.verdict == .undecided { missing.append("\(finding.control) of seed \(audit.seed) is undecided") }
    }
    reasons = missing
    standing = missing.isEmpty ? .accepted : .provisional
    let own = audits.map { Score(
      metric: $0.headline.metric, value: $0.headline.value, standardError: $0.headline.standardError, count: $0.headline.count, seeds: [$0.seed],
      chance: $0.headline.chance) }
    headline = seeds == audits.count ? Score.combined(own) : own[0]
  }

  public var sentence: String {
    switch standing {
    case .accepted: "ACCEPTED: accuracy \(headline!), and every control is at chance or owned up to."
    case .provisional: "PROVISIONAL: accuracy \(headline!); no leak was found, but not excluded either: \(reasons.joined(separator: "; "))."
    case .withheld: "WITHHELD: \(reasons.joined(separator: "; "))."
    }
  }
}
