import Corpora
import Evaluation
import Foundation
import Pretexts

/// A control that any task can be put to: it asks the task for its examples and the network for its answers.
public protocol TaskControl: Control {
  /// What can be done where it is answered.
  static var remedies: [Remedy] { get }
  /// What it means, and what can be done, where views of such pictures are found among a batch: something else than for an answer about one
  /// picture, where a control says so.
  static var findingViews: (meaning: String, remedies: [Remedy]) { get }
  init()
  func finding(_ subject: TaskSubject) throws -> ControlFinding
}

extension TaskControl {
  public static var findingViews: (meaning: String, remedies: [Remedy]) { (meaning, remedies) }
}

/// What a control found.
public struct ControlFinding: Codable, Hashable, Sendable {
  public enum Verdict: String, Codable, Sendable {
    /// Shown to be harmless: within the bounds of acceptance.
    case passed
    /// Shown to be none: the headline is withheld.
    case leak
    /// Not shown either way.
    case undecided
    case notApplicable = "not applicable"

    /// A leak is worse than what is not decided, and that is worse than what is shown to be harmless or cannot be asked.
    func isWorse(than other: Verdict) -> Bool {
      let order: [Verdict] = [.leak, .undecided]
      return (order.firstIndex(of: self) ?? order.count) < (order.firstIndex(of: other) ?? order.count)
    }
  }

  public var control: String
  /// Which of several tasks was asked; `nil` for a task by itself.
  public var part: String?
  public var score: Score?
  public var interval: AccuracyInterval?
  /// What the score is held against: chance, an oracle, another score.
  public var expected: Double?
  public var verdict: Verdict
  /// One sentence.
  public var statement: String
  public var remedies: [Remedy]

  public init(
    _ control: any TaskControl.Type, _ verdict: Verdict, _ statement: String, score: Score? = nil, expected: Double? = nil
  ) {
    (self.control, self.verdict, self.statement, self.score, self.expected) = (control.name, verdict, statement, score, expected)
    interval = score.map { AccuracyInterval($0) }
    remedies = verdict == .leak ? control.remedies : []
  }

  /// The control, with the task that it was put to where there are several.
  public var name: String { part.map { "\($0): \(control)" } ?? control }

  /// A score that must be chance.
  ///
  /// A leak is more than the tolerance and more than `sigmas` standard errors away, on either side: a detector that is always wrong has
  /// found something, too. Passed where the whole 95 % interval lies within the tolerance, and undecided in between.
  /// - Parameter onlyAbove: where a detector without information may be below chance: that is no leak then.
  /// - Parameter meaning: of a leak; the control's own where left out.
  init(
    _ control: any TaskControl.Type, mustBeChance score: Score, _ acceptance: AuditAcceptance, sigmas: Double = AuditAcceptance.sigmas,
    onlyAbove: Bool = false, meaning: String? = nil
  ) {
    let chance = score.chance ?? 0.5, interval = AccuracyInterval(score)
    let distance = onlyAbove ? score.value - chance : abs(score.value - chance)
    if distance > acceptance.tolerance, distance > sigmas * score.largerStandardError {
      self.init(control, .leak, "Answered (\(score), chance \(decimals(chance))): \(meaning ?? control.meaning).", score: score, expected: chance)
    } else if onlyAbove || interval.lower >= chance - acceptance.tolerance, interval.upper <= chance + acceptance.tolerance {
      let words = onlyAbove ? "Not above chance (\(decimals(chance))) by more than" : "At chance (\(decimals(chance))) within"
      self.init(control, .passed, "\(words) \(decimals(acceptance.tolerance)).", score: score, expected: chance)
    } else {
      self.init(
        control, .undecided, "Not told from chance (\(decimals(chance))); \(score.count) examples leave \(interval.description) open.", score: score, expected: chance)
    }
  }
}

/// What can be done about a leak.
public enum Remedy: String, Codable, Sendable, CaseIterable {
  case perPanel = "per-panel corpus"
  case symmetrisedMask = "symmetrised mask"
  case templateProjection = "template projection"
  case recentring = "recentring"
  case mixedBatches = "mixed batches"
  case darkSubtraction = "dark subtraction"
  case runSplit = "split by run"
  case labels = "labels"
  case alikeBatches = "batches of alike pictures"

  /// Whether it is open to a run: not where it is in force already, or cannot act on the question.
  func canHelp(_ subject: TaskSubject, sources: [SourceRecipe]) -> Bool {
    let task = subject.examiner.task, asksAboutHands = !task.answers.isEmpty
    switch self {
    case .templateProjection: return asksAboutHands && !subject.recipe.projectsTemplate && subject.examiner.whole.parts.allSatisfy(\.showsWholePictures)
    case .recentring: return asksAboutHands && sources.contains { $0.centre == nil }
    case .symmetrisedMask: return (task as? Flip)?.showsOneSidedPixels ?? (task as? WhichSymmetry)?.showsOneSidedPixels ?? false
    case .perPanel: return sources.contains { $0.view == .assembled }
    case .labels: return task.label == nil
    case .runSplit: return subject.corpus.manifest.splitBy == .frame
    case .alikeBatches: return subject.examiner.whole.runsABatch != 1
    case .mixedBatches, .darkSubtraction: return true
    }
  }

  /// How, in words.
  public var advice: String {
    switch self {
    case .perPanel: "build the corpus with view: panels, one picture a panel, whose outline has no handedness"
    case .symmetrisedMask: "show only pixels whose transformed twins are measured too (flip does unless showsOneSidedPixels)"
    case .templateProjection: "set projectsTemplate: true in the recipe, which takes the mean image's handedness out of every input"
    case .recentring: "set centre in the corpus recipe's source, so that the beam lies in the middle of the picture"
    case .mixedBatches: "use a backbone without batch normalisation, or batches of mixed labels"
    case .darkSubtraction: "subtract pedestals of the same run, mask hot pixels, or project the template"
    case .runSplit: "split the corpus by run or dark set"
    case .alikeBatches:
      "draw batches from one run of one instrument (shot-identity's runs: 1; include in the recipe), so that neither outline nor readout tells their "
        + "pictures apart"
    case .labels: "draw labels from a generator keyed by the sample, and shuffle"
    }
  }
}

/// What it takes to call a control harmless. Source of the usual numbers: half a per cent of standard error needs 10,000 examples.
public struct AuditAcceptance: Codable, Hashable, Sendable {
  /// Held-out examples a control.
  public var examples = 10_000
  /// Runs of the recipe from different seeds.
  public var seeds = 3
  /// How far from chance the 95 % interval may reach.
  public var tolerance = 0.02
  public init() {}

  /// Held-out runs, at least: from fewer the error of a score that goes with the run is not known.
  static let runs = 10

  /// Beyond so many standard errors a control counts as answered: of ten harmless controls, one in some twenty audits raises a false alarm.
  static let sigmas = 2.8

  /// The same for one source among others, each of which gives another chance of a false alarm.
  static let sigmasOfSource = 3.3

  /// Sets of darks, at least: how far their answers scatter from one to the next cannot be told from fewer.
  static let darkSets = 6
}

/// Three decimals.
func decimals(_ value: Double) -> String { String(format: "%.3f", value) }
