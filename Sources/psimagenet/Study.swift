import ArgumentParser
import Corpora
import Cues
import Engine
import Evaluation
import Foundation
import Host
import struct Host.Progress
import Reports
import Training

struct Study: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare what trunks are worth: families of them, several seeds, one budget, the same downstream questions.",
    discussion: """
      The plan names recipes, seeds, downstream tasks and how few labels the probes may have. Trunks are trained side by side, one on each core, \
      audited (is what each reaches in its own task content?), judged with few labels (and with every label where the plan asks for it), and put on a \
      page. A study that was stopped goes on when run again; trainings and audits that are there are not repeated.

      Example: psimagenet study Datasets/pretext-study.yaml --out Datasets/built/study
      """)

  @Argument(help: "The plan.") var plan: String
  @Option(help: "Folder for runs, scores and pages.") var out: String
  @Option(name: .customLong("family"), help: "Only this family; once per family.") var families: [String] = []
  @Option(name: .customLong("seed"), help: "Only this seed; once per seed.") var seeds: [UInt64] = []
  @Flag(help: "Train only; the pages come when the study is run again.") var trainOnly = false
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard Set(seeds).count == seeds.count else { throw ValidationError("--seed names each seed once, not \(seeds)") }
  }

  mutating func run() throws {
    var plan = try StudyPlan.reading(self.plan)
    for name in families where !plan.families.contains(where: { $0.name == name }) {
      throw ValidationError("the plan has no family \(name), but \(plan.families.map(\.name).joined(separator: ", "))")
    }
    for seed in seeds where !plan.seeds.contains(seed) { throw ValidationError("the plan has no seed \(seed), but \(plan.seeds)") }
    if !families.isEmpty { plan.families.removeAll { !families.contains($0.name) } }
    if !seeds.isEmpty { plan.seeds = seeds }
    // Before anything takes time: what the end will need.
    let gnuplot = try Gnuplot(searching: ProcessInfo.processInfo.environment["PATH"] ?? "")
    let corpus = try Corpus(opening: plan.corpus), tasks = try plan.tasks.map { try corpus.downstreamTask($0) }
    let trainings = try plan.trainings().map { family, recipe in
      Training(family: family, recipe: recipe, folder: RunFolder("\(out)/runs/\(recipe.name)"))
    }
    let line = output.quiet ? nil : ProgressLine(), signals = StopSignals(), stop = signals.flag
    let endings = try Lanes.run("train", trainings, steps: trainings.reduce(0) { $0 + $1.recipe.steps }, line: line) { training, progress in
      guard !stop.isRaised else { return Trainer.Ending.stopped(step: 0) }
      return try Trainer(training.recipe, folder: training.folder.path).run(shouldStop: { stop.isRaised }, progress: progress)
    }
    guard endings.allSatisfy({ $0 == .finished }) else { throw stopped() }
    guard !trainOnly else { return }
    try audit(trainings, plan, corpus, line, stop)

    var trunks: [Trunk] = []
    for run in trainings { trunks.append(try Trunk(family: run.family, Checkpoint(reading: run.folder.last), path: run.folder.last)) }
    let images = try corpus.images(corpus.records(in: .train).filter { $0.labels["beam"] != "dark" })
    trunks += try Trunk.random(beside: trunks, images: images)
    let few = LabelBudget(perClass: plan.labelsPerClass, draws: plan.draws)
    let judge = TransferProtocol(
      budgets: plan.everyLabel ? [few, .everything] : [few], precision: PrecisionChoice.automatic.decided().precision, framesOfRun: 24)
    let scored = try Lanes.run("transfer", trunks, steps: trunks.count * tasks.count, line: line) { trunk, progress in
      stop.isRaised ? nil : try judge.score(trunk, on: tasks, of: corpus, progress: progress)
    }
    guard scored.allSatisfy({ $0 != nil }) else { throw stopped() }
    // A part of the plan has pages of its own and leaves those of the whole.
    let part = families + seeds.map { "seed \($0)" }, suffix = part.isEmpty ? "" : "-" + part.joined(separator: "-").replacing(" ", with: "")
    let runs = trainings.map { (name: $0.family, folder: $0.folder) }
    let audited = try StudyReport(title: "audits", runs: runs)
    try AtomicFile.write(CanonicalJSON.data(audited.familyAudits), to: "\(out)/audits\(suffix).json")
    var pages = ["is the accuracy in the own task content?", audited.auditText(width: ReportWidth.ofTerminal).description, ""]
    var results: [String: TransferProtocol.Result] = [:]
    for budget in judge.budgets {
      let name = (budget.perClass == nil ? "all" : "few") + suffix, result = judge.result(scored.compactMap { $0 }, of: corpus, budget: budget)
      results[name] = result
      try AtomicFile.write(CanonicalJSON.data(result), to: "\(out)/transfer-\(name).json")
      var study = try StudyReport(
        title: "What the trunks are worth, with \(budget)", corpus: corpus, runs: runs, transfer: result)
      study.curves = plan.curves.map { ($0.name, $0.families) }
      try study.html(using: gnuplot).write(to: "\(out)/report-\(name).html")
      pages += ["with \(budget):", study.worthTable(width: ReportWidth.ofTerminal).description, "page: \(out)/report-\(name).html", ""]
    }
    try output.print(Outcome(audits: audited.familyAudits, transfer: results)) { _ in pages.joined(separator: "\n") }
  }

  /// What `--json` prints.
  private struct Outcome: Encodable {
    let audits: [StudyReport.FamilyAudit]
    /// By budget of labels.
    let transfer: [String: TransferProtocol.Result]
  }

  /// Audits every run as the plan says, or keeps the audit that it has. A run that the corpus has no pictures to audit on is told of, and stays
  /// without.
  private func audit(
    _ trainings: [Training], _ plan: StudyPlan, _ corpus: Corpus, _ line: ProgressLine?, _ stop: StopSignals.Flag
  ) throws {
    guard plan.audit?.examples != 0 else { return }
    let jobs = try trainings.map { training in
      let share = try TaskAudit.share(of: training.recipe)
      return AuditJob(
        run: training.folder, examples: plan.audit?.examples ?? share.examples, plantedSteps: plan.audit?.plantedSteps ?? share.plantedSteps,
        steps: try TaskAudit.steps(of: training.recipe))
    }
    let done = try Lanes.run("audit", jobs, steps: jobs.reduce(0) { $0 + $1.steps }, line: line) { job, progress -> AuditEnding in
      guard !stop.isRaised else { return .stopped }
      defer { progress(Progress("audit", done: job.steps, total: job.steps)) }
      do {
        _ = try TaskAudit.kept(in: job.run, corpus: corpus, examples: job.examples, plantedSteps: job.plantedSteps) { report in
          // A planted cue's training has a count of its own.
          if report.activity.hasPrefix("audit") { progress(report) }
        }
        return .audited
      } catch let error as InputError where error.kind == .malformed { return .impossible("\(job.run.path): \(error.description)") }
    }
    for case .impossible(let reason) in done { FileHandle.standardError.write(Data("no audit of \(reason)\n".utf8)) }
    guard !done.contains(where: { if case .stopped = $0 { true } else { false } }) else { throw stopped() }
  }

  private enum AuditEnding: Sendable {
    case audited, stopped
    case impossible(String)
  }

  private struct AuditJob: Sendable {
    let run: RunFolder
    let examples: Int, plantedSteps: Int
    /// As its progress counts them.
    let steps: Int
  }

  private func stopped() -> ExitCode {
    FileHandle.standardError.write(Data("stopped; run the same command again to go on\n".utf8))
    return ExitCode(75)
  }

  private struct Training: Sendable {
    let family: String
    let recipe: TrainingRecipe
    let folder: RunFolder
  }
}
