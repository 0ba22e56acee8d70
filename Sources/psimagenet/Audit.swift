import ArgumentParser
import Audits
import Corpora
import Cues
import Foundation
import Host
import Reports
import Training

struct Audit: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Can this corpus be trusted? And with --task: can this run's accuracy?",
    discussion: """
      A corpus: gates for integrity (checksums), runs and dark sets in one split each, near-duplicates across splits, labels told from header, \
      mask, frame number or run alone (balanced accuracy with standard error and chance, and a one-sided bound), classes without pictures, \
      pixels that are no numbers, saturated or all-masked pictures. It also says what a flip detector could reach on masks and darks.

      A run (--task), or the runs of one recipe from several seeds: which steps of its own pipeline treat a picture and its mirror image \
      alike, and whether noise, darks, masks, headers, the mean image, the border or the batch answer its question, too. Where one does, \
      the accuracy is withheld and the remedy named. A recipe (.yaml) in place of a run: the steps alone, before anything is trained.

      Exit codes: 0 every gate passed or is undecided, 1 a gate failed or the accuracy is withheld (the report says which), 66 nothing there.

      Example: psimagenet audit corpus --html audit.html --out audit.json
      Example: psimagenet audit --task runs/flip-1 runs/flip-2 runs/flip-3 --html flip.html
      """)

  @Argument(help: "A built corpus; with --task run folders of one recipe, or a recipe.") var subjects: [String]
  @Flag(help: "Audit runs, not a corpus.") var task = false
  @Option(help: "Bounds that differ from the usual ones (JSON), such as {\"run\": 0.6}.") var bounds: String?
  @Option(help: "With --task: another corpus than the run's own.") var corpus: String?
  @Option(help: "With --task: a corpus of the same events with a turned detector (symmetry in its recipe, or detectorSymmetry in a plan).")
  var twin: String?
  @Option(help: "With --task: train, validation or test.") var split = "test"
  @Flag(help: "With --task: the best checkpoint by validation, which publish takes, instead of the last.") var best = false
  @Option(help: "With --task: examples a control.") var examples = AuditAcceptance().examples
  @Option(help: "With --task: the most steps of the planted cue's network; 0 for none. (default: the run's, 150 to 1200)") var plantedSteps: Int?
  @Option(help: "Write the report as JSON to this file.") var out: String?
  @Option(help: "Write the report as a page to this file.") var html: String?
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard !subjects.isEmpty else { throw ValidationError("name a corpus, or with --task a run") }
    guard task || subjects.count == 1 else { throw ValidationError("one corpus at a time; runs need --task") }
    guard twin == nil && !best || task else { throw ValidationError("--twin and --best go with --task") }
    guard !best || subjects.count == 1 else { throw ValidationError("--best goes with one run: best steps differ from seed to seed") }
    guard examples > 0, plantedSteps.map({ $0 >= 0 }) ?? true else { throw ValidationError("--examples is 1 or more, --planted-steps 0 or more") }
    guard Split(rawValue: split) != nil else { throw ValidationError("--split is train, validation or test") }
  }

  mutating func run() throws {
    guard !task else { return try auditRuns() }
    let limits = try bounds.map { try AuditBounds(reading: $0) } ?? AuditBounds()
    let audit = try CorpusAudit(of: subjects[0], bounds: limits, progress: output.progress)
    if let out { try AtomicFile.write(CanonicalJSON.data(audit), to: out) }
    if let html { try audit.html(folder: subjects[0]).write(to: html) }
    try output.print(audit) { $0.text }
    // A corpus that fails is a result, not an error of the program.
    guard audit.passed else { throw ExitCode(1) }
  }

  private func auditRuns() throws {
    for subject in subjects { try AuditSubject.refuseFileOfRun(subject) }
    if subjects.count == 1, !FileManager.default.fileExists(atPath: RunFolder(subjects[0]).last), isRecipe(subjects[0]) {
      return try auditRecipe(subjects[0])
    }
    let checkpoints = try subjects.map { folder in
      let run = RunFolder(folder)
      return (folder: folder, checkpoint: try Checkpoint(reading: best ? run.best : run.last))
    }
    // Before any is audited, which takes time: whether they belong together.
    try TaskVerdict.check(checkpoints)
    var audits: [TaskAudit] = []
    for (folder, checkpoint) in checkpoints {
      let run = RunFolder(folder), path = best ? run.best : run.last
      let corpus = try Corpus(opening: corpus ?? checkpoint.description.recipe.corpus)
      let audit = try TaskAudit(
        checkpoint, path: path, corpus: corpus, twin: twin.map { try Corpus(opening: $0) }, split: Split(rawValue: split)!, examples: examples,
        plantedSteps: plantedSteps, progress: output.progress)
      let isLast = try !best || Checkpoint(reading: run.last).description.step == audit.step
      let file = isLast ? TaskAudit.file(of: run) : TaskAudit.file(ofBestIn: run)
      if let reason = try audit.keep(at: file, of: checkpoint, corpus: corpus) {
        FileHandle.standardError.write(Data("this audit is not kept with the run: \(reason)\n".utf8))
      }
      audits.append(audit)
    }
    let report = TaskAuditReport(audits: audits, verdict: try TaskVerdict(audits)), told = try report.told
    if let out { try AtomicFile.write(CanonicalJSON.data(told), to: out) }
    if let html { try report.html().write(to: html) }
    try output.print(told) { _ in
      let isWithheld = report.verdict.standing == .withheld
      return (report.audits.map { $0.text(withholding: isWithheld) } + [report.verdict.sentence]).joined(separator: "\n\n")
    }
    guard report.verdict.standing != .withheld else { throw ExitCode(1) }
  }

  private func isRecipe(_ name: String) -> Bool { [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) } || NamedRecipe.named(name) != nil }

  /// Before training: only what the pipeline does to mirror images.
  private func auditRecipe(_ path: String) throws {
    let usual = try Audit.parse([path])
    let needless = [
      ("--html", html == nil), ("--twin", twin == nil), ("--split", split == usual.split), ("--best", !best), ("--examples", examples == usual.examples),
      ("--planted-steps", plantedSteps == usual.plantedSteps), ("--bounds", bounds == nil),
    ].filter { !$0.1 }.map(\.0)
    guard needless.isEmpty else {
      throw ValidationError(
        "\(path) is a recipe, of which only the steps of its pipeline are audited: \(needless.joined(separator: ", ")) go\(needless.count == 1 ? "es" : "") with run folders")
    }
    var recipe = try TrainingRecipe(reading: path)
    if let corpus { recipe.corpus = corpus }
    try CommutationTable.check(owns: recipe, path: path)
    let source = try Corpus(opening: recipe.corpus), task = try recipe.task.task(path: path)
    let images = try ImageSet(source, split: .train, include: recipe.include, exclude: recipe.exclude, task: task)
    let table = try CommutationTable(recipe, scaling: images.scaling(for: recipe), corpus: source)
    if let out { try AtomicFile.write(CanonicalJSON.data(table), to: out) }
    try output.print(table) { table in table.text + "\nControls need a run: psimagenet pretrain \(path) --out RUN" }
    guard table.failures.isEmpty else { throw ExitCode(1) }
  }
}
