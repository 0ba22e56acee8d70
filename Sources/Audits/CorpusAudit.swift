import Corpora
import Foundation
import Host
import Tensors

/// What the gates found in a corpus: whether its splits, labels and pictures can be trusted, with the numbers.
public struct CorpusAudit: Codable, Sendable {
  public static let format = "psimagenet-audit-1"

  public var format: String
  public var corpus: String
  /// SHA-256 of the manifest that was audited; empty where the corpus could not be opened.
  public var manifestSHA256: String
  public var pictures: Int
  public var bounds: AuditBounds
  /// No gate failed.
  public var passed: Bool
  /// In the order of `Gate.Name`.
  public var gates: [Gate]
  /// How well each label is told from a side channel.
  public var probes: [LabelProbe]
  public var duplicates: [DuplicateSearch]
  public var sources: [SourceFacts]
  /// Labels that no probe was asked about, and why.
  public var unprobed: [String: String]

  /// Audits the corpus in `folder`, reading every picture.
  ///
  /// A corpus whose parts do not agree fails the gate `integrity` and cannot be audited further. Throws `.missing` where there is no
  /// corpus. Cost: two passes over the files; 100,000 pictures of 65×65 are measured in Docs/Benchmarks.md.
  public init(of folder: String, bounds: AuditBounds = AuditBounds(), progress: ProgressHandler = { _ in }) throws {
    let corpus: Corpus
    do throws(InputError) { corpus = try Corpus(opening: folder) } catch {
      let isThere = FileManager.default.fileExists(atPath: folder + "/manifest.json")
      guard error.kind == .malformed || (error.kind == .missing && isThere) else { throw error }
      self.init(corpus: folder, bounds: bounds, gates: [.integrity(faults: [error])])
      return
    }
    let faults = try corpus.faults(progress: progress)
    // Damaged shards cannot be read; what they hold is not guessed.
    guard faults.isEmpty else {
      self.init(corpus: corpus.manifest.name, bounds: bounds, gates: [.integrity(faults: faults)])
      return
    }
    let scan = try PictureScan(of: corpus, progress: progress)
    let questions = LabelQuestion.all(in: corpus)
    let probes = try LabelProbe.all(questions.asked, scan, bounds, progress: progress)
    let searches = try scan.sources.map { try DuplicateSearch(in: $0, of: corpus, bounds, progress: progress) }
    var gates: [Gate] = [.integrity(corpus), .runs(corpus), .darkSets(corpus), .duplicates(searches, bounds)]
    for cue in Cue.allCases { gates.append(.cue(cue, probes, bounds)) }
    gates += [.classes(corpus, bounds), .pixels(scan, bounds)]
    self.init(corpus: corpus.manifest.name, bounds: bounds, gates: gates)
    manifestSHA256 = try Checksum.sha256(file: folder + "/manifest.json")
    pictures = corpus.records.count
    self.probes = probes
    duplicates = searches
    sources = try scan.sources.map { try SourceFacts($0, of: corpus) }
    unprobed = questions.unasked
  }

  private init(corpus: String, bounds: AuditBounds, gates: [Gate]) {
    (format, self.corpus, self.bounds, self.gates) = (CorpusAudit.format, corpus, bounds, gates)
    passed = !gates.contains { $0.verdict == .failed }
    (manifestSHA256, pictures, probes, duplicates, sources, unprobed) = ("", 0, [], [], [], [:])
  }

  public func gate(_ name: Gate.Name) -> Gate? { gates.first { $0.name == name } }
}
