import Corpora
import Foundation
import Host
import Training

extension TaskAudit {
  /// Where a run keeps its audit.
  public static func file(of run: RunFolder) -> String { run.path + "/audit.json" }

  /// Where a run keeps the audit of its best checkpoint, which is another network than the last.
  public static func file(ofBestIn run: RunFolder) -> String { run.path + "/audit-best.json" }

  /// The audit that lies in the run's folder, where it asked for at least as much of the same network, recipe and corpus; else a new one, which
  /// is put there.
  ///
  /// Throws where the run has no checkpoint, where the file is there and is no audit, and as a new audit does.
  public static func kept(
    in run: RunFolder, corpus: Corpus, examples: Int, plantedSteps: Int, progress: @escaping ProgressHandler = { _ in }
  ) throws -> TaskAudit {
    let checkpoint = try Checkpoint(reading: run.last), path = file(of: run)
    if FileManager.default.fileExists(atPath: path) {
      let known = try CanonicalJSON.value(TaskAudit.self, from: AtomicFile.read(path), path: path)
      let asked = Reach(examples: examples, hasTwin: false, plantedSteps: plantedSteps)
      if try known.isComplete && known.reach.covers(asked) && known.isOf(checkpoint, corpus: corpus) { return known }
    }
    let audit = try TaskAudit(
      checkpoint, path: run.last, corpus: corpus, examples: examples, plantedSteps: plantedSteps, progress: progress)
    guard try audit.keep(at: path, of: checkpoint, corpus: corpus) != nil, let known = try known(in: run, corpus: corpus) else { return audit }
    // Neither asked all that the other did: a leak that either found stands.
    return known.isWithheld ? known : audit
  }

  /// Puts this audit at `path`, unless one of the same network lies there that asked for more in any way: who asks again with fewer examples shall not
  /// lose a leak that only many show. What was asked of other pictures than the test split of the run's own corpus is not kept either.
  ///
  /// - Returns: `nil` where it was put there, else why not.
  public func keep(at path: String, of checkpoint: Checkpoint, corpus: Corpus) throws -> String? {
    guard split == Split.test.rawValue else { return "it asked the \(split) split, and a run keeps what its test split says" }
    guard corpusDigest == checkpoint.description.corpus else { return "it asked another corpus than the run's own" }
    let lying = FileManager.default.fileExists(atPath: path) ? try AtomicFile.read(path) : Data()
    // What is no audit, or one of another version, is written over.
    if let known = try? CanonicalJSON.value(TaskAudit.self, from: lying, path: path),
      try known.isComplete && !reach.covers(known.reach) && known.isOf(checkpoint, corpus: corpus)
    {
      return "\(path) holds one that asked for what this one did not (\(known.reach))\(known.isWithheld ? " and withholds the accuracy" : ""); delete it to have this one kept"
    }
    try AtomicFile.write(CanonicalJSON.data(self), to: path)
    return nil
  }

  /// How much an audit asks.
  struct Reach: CustomStringConvertible {
    let examples: Int
    let hasTwin: Bool
    let plantedSteps: Int

    /// In nothing less than `other`.
    func covers(_ other: Reach) -> Bool {
      examples >= other.examples && plantedSteps >= other.plantedSteps && (hasTwin || !other.hasTwin)
    }

    var description: String { "\(examples) examples, \(hasTwin ? "a twin corpus, " : "")\(plantedSteps) steps for the planted cue" }
  }

  private var reach: Reach { Reach(examples: examples, hasTwin: twinDigest != nil, plantedSteps: plantedSteps ?? 0) }

  /// The audit that lies in the run's folder, whatever it asked for; `nil` where there is none, or one of another network, recipe or corpus.
  ///
  /// Throws where the run has no checkpoint, and where the file is there and is no audit.
  /// - Parameter best: whether the run's best checkpoint is meant in place of its last.
  public static func known(in run: RunFolder, best: Bool = false, corpus: Corpus) throws -> TaskAudit? {
    let checkpoint = try Checkpoint(reading: best ? run.best : run.last)
    // Where the last step is the best one, its audit is kept as the last's.
    for path in best ? [file(ofBestIn: run), file(of: run)] : [file(of: run)] where FileManager.default.fileExists(atPath: path) {
      let known = try CanonicalJSON.value(TaskAudit.self, from: AtomicFile.read(path), path: path)
      if try known.split == Split.test.rawValue && known.isOf(checkpoint, corpus: corpus) { return known }
    }
    return nil
  }

  /// Whether it asked the test split by every control that there is, by the usual bounds.
  private var isComplete: Bool {
    split == Split.test.rawValue && acceptance == AuditAcceptance() && Set(findings.map(\.control)) == Set(ControlCatalog.ofTasks.map { $0.name })
  }

  private func isOf(_ checkpoint: Checkpoint, corpus: Corpus) throws -> Bool {
    let description = checkpoint.description
    return try format == TaskAudit.format && step == description.step && seed == description.recipe.seed
      && weightsDigest == checkpoint.weightsDigest && recipeDigest == TaskAudit.digest(description.recipe, corpus: description.corpus)
      && corpusDigest == Checksum.sha256(file: corpus.folder + "/manifest.json")
  }
}
