import Corpora
import Evaluation
import Foundation
import Host
import Tensors
import Training

/// The audits of one recipe's runs from several seeds, taken together.
public struct TaskVerdict: Codable, Sendable {
  public enum Standing: String, Codable, Sendable {
    /// Every control of every seed that makes sense for the question passed, with as many examples and seeds as acceptance asks for.
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
  /// Steps that do not commute and that the recipe owns up to.
  public private(set) var owned: [String] = []
  /// Controls that make no sense for the question: what they would exclude is not excluded.
  public private(set) var notAsked: [String] = []

  /// Throws unless all audits are of runs of one recipe from different seeds, judged on one corpus. Traps without audits.
  public init(_ audits: [TaskAudit]) throws(InputError) {
    precondition(!audits.isEmpty, "no audits to judge")
    for audit in audits.dropFirst() { try TaskVerdict.check(audit, belongsWith: audits[0]) }
    let seeds = audits.map(\.seed)
    guard Set(seeds).count == seeds.count else {
      throw InputError(path: audits[0].run, place: "seed", expected: "runs from different seeds", found: "\(seeds.sorted())")
    }
    self.init(judging: audits)
  }

  /// Of one run by itself.
  public init(of audit: TaskAudit) { self.init(judging: [audit]) }

  /// Throws for runs that cannot be judged together, as far as that is known before they are audited.
  public static func check(_ runs: [(folder: String, checkpoint: Checkpoint)]) throws(InputError) {
    guard let first = runs.first else { return }
    var folders: [UInt64: String] = [:]
    for (folder, checkpoint) in runs {
      func require(_ holds: Bool, _ place: String, _ expected: String, _ found: String) throws(InputError) {
        guard holds else {
          throw InputError(path: folder, place: place, expected: "\(expected), as run \(first.folder) has, to be judged together", found: found)
        }
      }
      let own = checkpoint.description, other = first.checkpoint.description
      try require(own.recipe.task.name == other.recipe.task.name, "task", other.recipe.task.name, own.recipe.task.name)
      try require(own.step == other.step, "step", "\(other.step) steps", "\(own.step)")
      try require(own.corpus == other.corpus, "corpus", "corpus \(other.corpus)", own.corpus)
      try require(
        TaskAudit.digest(own.recipe, corpus: own.corpus) == TaskAudit.digest(other.recipe, corpus: other.corpus), "recipe",
        "the same recipe but for its seed", "another one (a setting, augmentation or length differs)")
      if let known = folders.updateValue(folder, forKey: own.recipe.seed) {
        throw InputError(path: folder, place: "seed", expected: "runs from different seeds", found: "seed \(own.recipe.seed), as run \(known) has")
      }
    }
  }

  private static func check(_ audit: TaskAudit, belongsWith first: TaskAudit) throws(InputError) {
    func require(_ holds: Bool, _ place: String, _ expected: String, _ found: String) throws(InputError) {
      guard holds else {
        throw InputError(path: audit.run, place: place, expected: "\(expected), as run \(first.run) has, to be judged together", found: found)
      }
    }
    try require(audit.task == first.task, "task", first.task, audit.task)
    try require(audit.classes == first.classes, "classes", "\(first.classes)", "\(audit.classes)")
    try require(
      audit.corpus == first.corpus && audit.corpusDigest == first.corpusDigest, "corpus", "corpus \(first.corpus), \(first.corpusDigest ?? "no checksum")",
      "\(audit.corpus), \(audit.corpusDigest ?? "no checksum")")
    try require(audit.split == first.split, "split", first.split, audit.split)
    try require(audit.step == first.step, "step", "\(first.step) steps", "\(audit.step)")
    try require(
      audit.recipeDigest == first.recipeDigest, "recipe", "the same recipe but for its seed", "another one (a setting, augmentation or length differs)")
    try require(audit.acceptance == first.acceptance, "acceptance", "\(first.acceptance)", "\(audit.acceptance)")
  }

  private init(judging audits: [TaskAudit]) {
    let leaks = audits.flatMap { audit in audit.reasons.map { audits.count > 1 ? "seed \(audit.seed): \($0)" : $0 } }
    owned = Set(audits.flatMap { $0.commutation.rows.filter { $0.verdict == .owned }.map(\.key) }).sorted()
    var names: [String] = []
    for finding in audits.flatMap(\.findings) where finding.verdict == .notApplicable && !names.contains(finding.name) { names.append(finding.name) }
    notAsked = names
    remedies = Remedy.allCases.filter { remedy in audits.contains { $0.remedies.contains(remedy) } }
    guard leaks.isEmpty else {
      (standing, headline, reasons) = (.withheld, nil, leaks)
      return
    }
    var missing = TaskVerdict.unmet(audits)
    for audit in audits {
      for finding in audit.findings where finding.verdict == .undecided { missing.append("\(finding.name) of seed \(audit.seed) is undecided") }
    }
    reasons = missing
    standing = missing.isEmpty ? .accepted : .provisional
    // Audits of different length draw different examples, whose most frequent answer may differ a little.
    let chance = Statistics.mean(audits.map { $0.headline.chance ?? 0 })
    headline = Score.combined(audits.map { Score(
      metric: $0.headline.metric, value: $0.headline.value, standardError: $0.headline.standardError, count: $0.headline.count, seeds: [$0.seed],
      chance: chance) })
  }

  /// What keeps harmless audits from being accepted beside undecided controls: too little was asked, or the assembly has no judge.
  package static func unmet(_ audits: [TaskAudit]) -> [String] {
    let acceptance = audits[0].acceptance
    // Whatever was trained from one run's checkpoints is one network that was trained a little further; and beside runs from fresh weights it may be one of these.
    let fresh = audits.filter { $0.origin == nil }
    let seeds = fresh.isEmpty ? Set(audits.map { root(of: $0.origin!) }).count : Set(fresh.map(\.seed)).count
    var missing: [String] = []
    if seeds < acceptance.seeds {
      missing.append("\(seeds) of \(acceptance.seeds) seeds" + (audits.contains { $0.origin != nil } ? " (runs that go on from one run count as one, and beside others as none)" : ""))
    }
    if let least = audits.map(\.examples).min(), least < acceptance.examples { missing.append("\(least) of \(acceptance.examples) examples a control") }
    let runs = audits.map { $0.runs ?? 0 }.min()!
    if runs < AuditAcceptance.runs { missing.append("\(runs) of \(AuditAcceptance.runs) held-out runs") }
    missing += unseen(audits)
    // Places of panels are no mirror images of each other, and only light that falls alike on both tells whether that is used; so it is where they
    // could not be measured.
    if audits.contains(where: { audit in
      audit.twinKind != .seenByTurnedDetector && audit.commutation.rows.contains { $0.key == "assemble" && [.judged, .information].contains($0.verdict) }
    }) {
      missing.append("the assembly, which a twin of the turned detector alone can judge")
    }
    for audit in audits {
      for part in audit.parts.map({ $0.map { Optional($0.name) } }) ?? [nil] {
        for control in ControlCatalog.ofTasks where !audit.findings.contains(where: { $0.part == part && $0.control == control.name }) {
          missing.append("control \(part.map { "\($0): " } ?? "")\(control.name) of seed \(audit.seed)")
        }
      }
      // The number of examples counts where chance must be shown. A positive control asks for less, and company for as many as memory holds.
      for finding in audit.findings where finding.verdict == .passed && ControlCatalog.mustBeChance.contains(where: { $0.name == finding.control }) {
        let count = finding.score?.count ?? 0
        if count < acceptance.examples, audit.examples >= acceptance.examples {
          missing.append("\(finding.name) of seed \(audit.seed): \(count) of \(acceptance.examples) examples")
        }
      }
    }
    return missing
  }

  /// Why pictures that the networks are judged on may not be new to them.
  private static func unseen(_ audits: [TaskAudit]) -> [String] {
    var missing: [String] = []
    if let other = audits.first(where: { $0.split != Split.test.rawValue }) { missing.append("pictures of split test, not \(other.split)") }
    if audits.contains(where: { $0.learntFrom == nil || $0.learntFrom != $0.corpusDigest }) {
      missing.append("the corpus that was learnt from: in this one training pictures may be among those of the test")
    }
    if audits.contains(where: { audit in links(of: audit.origin).contains { !$0.contains("corpus \(audit.corpusDigest ?? "?")") } }) {
      missing.append("a checkpoint to go on from that learnt from this corpus alone")
    }
    if let weights = audits.compactMap({ $0.initialWeights ?? $0.origin?.components(separatedBy: "first weights ").dropFirst().first }).first { missing.append("fresh first weights: which pictures those of \(weights) have seen is not known") }
    return missing
  }

  /// What `Checkpoint.continued` wrote of each run that was gone on from, the last one first.
  private static func links(of origin: String?) -> [String] { origin?.components(separatedBy: "; before that ") ?? [] }

  /// The folder of the run that began.
  private static func root(of origin: String) -> String {
    let first = links(of: origin).last!.components(separatedBy: ", step ")[0]
    return first.folderOfPath
  }

  public var sentence: String {
    let owning = owned.isEmpty ? "" : " The recipe owns up to steps that do not treat both hands alike: \(owned.joined(separator: ", "))."
    return switch standing {
    case .accepted:
      "ACCEPTED: \(headline!.metric) \(headline!), and every control that was asked passed."
        + (notAsked.isEmpty ? "" : " Not asked, since they make no sense for the question: \(notAsked.joined(separator: ", ")).") + owning
    case .provisional:
      "PROVISIONAL: \(headline!.metric) \(headline!); no control was answered, but leaks are not excluded either: \(reasons.joined(separator: "; ")).\(owning)"
    case .withheld: "WITHHELD: \(reasons.joined(separator: "; "))."
    }
  }
}
