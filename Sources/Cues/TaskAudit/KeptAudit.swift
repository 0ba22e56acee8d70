import Corpora
import Foundation
import Host
import Training

extension TaskAudit {
  /// Where a run keeps its audit.
  public static func file(of run: RunFolder) -> String { run.path + "/audit.json" }

  /// The audit that lies in the run's folder, where it asked for as much of the same network, recipe and corpus; else a new one, which is put
  /// there.
  ///
  /// Throws where the run has no checkpoint, where the file is there and is no audit, and as a new audit does.
  public static func kept(
    in run: RunFolder, corpus: Corpus, examples: Int, plantedSteps: Int, progress: @escaping ProgressHandler = { _ in }
  ) throws -> TaskAudit {
    let checkpoint = try Checkpoint(reading: run.last), path = file(of: run)
    if FileManager.default.fileExists(atPath: path) {
      let known = try CanonicalJSON.value(TaskAudit.self, from: AtomicFile.read(path), path: path)
      if try known.stillHolds(checkpoint, corpus: corpus, examples: examples, plantedSteps: plantedSteps) { return known }
    }
    let audit = try TaskAudit(
      checkpoint, path: run.last, corpus: corpus, examples: examples, plantedSteps: plantedSteps, progress: progress)
    try AtomicFile.write(CanonicalJSON.data(audit), to: path)
    return audit
  }

  /// The audit that lies in the run's folder, whatever it asked for; `nil` where there is none, or one of another network, recipe or corpus.
  ///
  /// Throws where the run has no checkpoint, and where the file is there and is no audit.
  public static func known(in run: RunFolder, corpus: Corpus) throws -> TaskAudit? {
    let checkpoint = try Checkpoint(reading: run.last), path = file(of: run)
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let known = try CanonicalJSON.value(TaskAudit.self, from: AtomicFile.read(path), path: path)
    return try known.split == Split.test.rawValue && known.isOf(checkpoint, corpus: corpus) ? known : nil
  }

  /// Whether a new audit would ask the same of the same.
  private func stillHolds(_ checkpoint: Checkpoint, corpus: Corpus, examples: Int, plantedSteps: Int) throws -> Bool {
    try split == Split.test.rawValue && self.examples == examples && self.plantedSteps == plantedSteps && acceptance == AuditAcceptance()
      && Set(findings.map(\.control)) == Set(ControlCatalog.ofTasks.map { $0.name }) && isOf(checkpoint, corpus: corpus)
  }

  private func isOf(_ checkpoint: Checkpoint, corpus: Corpus) throws -> Bool {
    let description = checkpoint.description
    return try format == TaskAudit.format && step == description.step && seed == description.recipe.seed
      && recipeDigest == TaskAudit.digest(description.recipe, corpus: description.corpus)
      && corpusDigest == Checksum.sha256(file: corpus.folder + "/manifest.json")
  }
}
