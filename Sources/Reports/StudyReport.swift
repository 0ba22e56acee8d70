import Corpora
import Cues
import Evaluation
import Foundation
import Host
import Pretexts
import Training

/// A whole study on one page: what was in the corpus, how training went, what features lay open, what they looked at, and how
/// to do it again. Every part is optional; whatever is claimed is computed from the numbers that are given.
public struct StudyReport: Sendable {
  public let title: String
  public let corpus: Corpus?
  public let runs: [Run]
  /// By family, of its audited runs.
  let verdicts: [String: TaskVerdict]
  public let transfer: TransferProtocol.Result?
  public let cues: [CueReport]
  public let published: [PublishedFolder]
  public let notes: [String]
  /// Families to draw stage by stage in one figure, under the figure's name.
  public var curves: [(name: String, families: [String])] = []

  /// One training of one family, as its folder has it; several of one family are its seeds.
  public struct Run: Sendable {
    public let family: String
    public let folder: RunFolder
    public let recipe: TrainingRecipe
    /// The label that it was trained to tell; `nil` for pretexts.
    public let label: String?
    /// Share of right answers in its own task without looking; `nil` where the corpus gives the answers.
    public let chance: Double?
    /// Trained on one frame or a handful.
    public let isOfFewFrames: Bool
    /// In the order of steps; never empty.
    public let metrics: [RunFolder.Metric]
    /// Of its `audit.json`; `nil` where it has none.
    public let audit: TaskAudit?
  }

  /// A published checkpoint: a folder with `SHA256SUMS`, whose weights have the checksum that stands there.
  public struct PublishedFolder: Sendable {
    public let name: String
    public let bytes: Int
    /// Of `model.safetensors`.
    public let sha256: String
  }

  /// Reads the runs' recipes and metrics and the published folder, which is a published checkpoint or holds some.
  ///
  /// Throws `.missing` for what is not there, where audited runs of one family are not of one recipe, and where numbers cannot be: two chosen stages of one family, accuracies that are
  /// no shares, maps that do not have side×side pixels, weights of another checksum.
  public init(
    title: String, corpus: Corpus? = nil, runs: [(name: String, folder: RunFolder)] = [], transfer: TransferProtocol.Result? = nil,
    cues: [CueReport] = [], published: String? = nil, notes: [String] = []
  ) throws(InputError) {
    var read: [Run] = []
    for (name, folder) in runs { read.append(try StudyReport.run(name, folder)) }
    var verdicts: [String: TaskVerdict] = [:]
    for (family, own) in Dictionary(grouping: read, by: \.family) {
      let audits = own.compactMap(\.audit)
      if !audits.isEmpty { verdicts[family] = try TaskVerdict(audits) }
    }
    if let transfer { try StudyReport.check(transfer) }
    for report in cues { try StudyReport.check(report) }
    self.title = title
    self.corpus = corpus
    self.runs = read
    self.verdicts = verdicts
    self.transfer = transfer
    self.cues = cues
    self.published = try published.map { folder throws(InputError) in try StudyReport.publications(in: folder) } ?? []
    self.notes = notes
  }

  /// What a family is in a comparison.
  public enum Role: Int, Sendable, Comparable {
    /// Fresh weights: what every trunk must beat.
    case random
    /// Trained on labels.
    case supervised
    /// Trained on a task that needs none.
    case pretext

    public static func < (a: Role, b: Role) -> Bool { a.rawValue < b.rawValue }
  }

  /// By the family's name, and for a supervised trunk also by the task in its runs' recipes.
  public func role(of family: String) -> Role {
    if family == "random" { return .random }
    let isSupervised =
      family == "supervised" || family == FrameClass.name
      || runs.contains { $0.family == family && $0.recipe.task.name == FrameClass.name }
    return isSupervised ? .supervised : .pretext
  }

  /// Random first, then supervised, then pretexts, each by name.
  func ordered(_ families: some Sequence<String>) -> [String] {
    Set(families).sorted { (role(of: $0), $0) < (role(of: $1), $1) }
  }

  /// The whole page. Throws where a figure cannot be drawn or a picture not be read.
  public func html(using gnuplot: Gnuplot) throws -> HTMLReport {
    var report = HTMLReport(title: title, subtitle: subtitle)
    let weighsFamilies = findings.contains { supervisedFamily(of: $0.task) != nil } || !curves.isEmpty
    addSummary(to: &report, inFull: !weighsFamilies)
    if weighsFamilies { try addWorth(to: &report, gnuplot) }
    if let corpus { try addCorpus(corpus, to: &report) }
    if !runs.isEmpty {
      addAudits(to: &report)
      try addTraining(to: &report, gnuplot)
    }
    if let transfer { try addTransfer(transfer, to: &report, gnuplot) }
    if !cues.isEmpty { try addCues(to: &report, gnuplot) }
    try addMaking(to: &report)
    return report
  }

  private var subtitle: String {
    var facts: [String] = []
    if let corpus {
      facts.append(
        "Corpus \(corpus.manifest.name): \(corpus.records.count) pictures of \(corpus.manifest.height)×\(corpus.manifest.width) pixels")
    }
    if !runs.isEmpty { facts.append("\(runs.count) training \(runs.count == 1 ? "run" : "runs")") }
    if let transfer { facts.append("\(Set(transfer.rows.map(\.task)).count) downstream tasks") }
    return facts.joined(separator: " · ")
  }
}

extension StudyReport {
  private static func run(_ name: String, _ folder: RunFolder) throws(InputError) -> Run {
    let recipe = try CanonicalJSON.value(TrainingRecipe.self, from: AtomicFile.read(folder.recipe), path: folder.recipe)
    guard FileManager.default.fileExists(atPath: folder.metrics) else {
      throw InputError(.missing, path: folder.metrics, place: "", expected: "the metrics of a run", found: "nothing there")
    }
    let metrics = try folder.metrics()
    guard !metrics.isEmpty else {
      throw InputError(path: folder.metrics, place: "", expected: "at least one line", found: "none")
    }
    for metric in metrics where !(0...1).contains(metric.accuracy) || metric.count < 1 || !metric.loss.isFinite {
      throw InputError(
        path: folder.metrics, place: "step \(metric.step)", expected: "a finite loss and an accuracy of 0 to 1 over at least 1 example",
        found: "\(metric.loss), \(metric.accuracy) over \(metric.count)")
    }
    let audited = folder.path + "/audit.json"
    var audit = FileManager.default.fileExists(atPath: audited)
      ? try CanonicalJSON.value(TaskAudit.self, from: AtomicFile.read(audited), path: audited) : nil
    // One of weights that the run no longer has says nothing of those that were judged downstream.
    if let digest = audit?.weightsDigest, FileManager.default.fileExists(atPath: folder.last), try Checkpoint(reading: folder.last).weightsDigest != digest { audit = nil }
    let task = try recipe.task.task(path: folder.recipe), choice = task.frameChoice
    let chance = task.label == nil ? task.chance(batch: recipe.batch)?.share ?? 1 / Double(max(1, task.classes(labels: []).count)) : nil
    return Run(
      family: name, folder: folder, recipe: recipe, label: recipe.task.name == FrameClass.name ? task.label : nil, chance: chance,
      isOfFewFrames: choice.map { $0.count > 0 || !$0.records.isEmpty } ?? false, metrics: metrics.sorted { $0.step < $1.step }, audit: audit)
  }

  private static func check(_ transfer: TransferProtocol.Result) throws(InputError) {
    var seen: Set<[String]> = []
    for row in transfer.chosen where !seen.insert([row.task, row.family, row.probe]).inserted {
      throw InputError(
        path: "transfer", place: "\(row.task), \(row.family), \(row.probe)", expected: "one chosen stage", found: "several")
    }
    for row in transfer.rows {
      for score in [row.test, row.validation] + (row.run.map { [$0] } ?? [])
      where score.count < 1 || !score.value.isFinite || !(score.largerStandardError >= 0) {
        throw InputError(
          path: "transfer", place: "\(row.task), \(row.family), \(row.stage)", expected: "a score of at least 1 example",
          found: "\(score)")
      }
    }
  }

  private static func check(_ cues: CueReport) throws(InputError) {
    func fail(_ place: String, _ expected: String, _ found: String) -> InputError {
      InputError(path: "cues of \(cues.run)", place: place, expected: expected, found: found)
    }
    guard (1...8192).contains(cues.side) else { throw fail("side", "1 to 8192", "\(cues.side)") }
    let pixels = cues.side * cues.side, inside = 0..<cues.side
    for source in cues.sources {
      guard source.meanEvidence.count == pixels else {
        throw fail("\(source.name): meanEvidence", "\(pixels) numbers", "\(source.meanEvidence.count)")
      }
      for example in source.examples {
        guard example.view.count == pixels, example.evidence.count == pixels, inside.contains(example.peakRow),
          inside.contains(example.peakColumn)
        else {
          throw fail("\(source.name): example \(example.record)", "two maps of \(pixels) numbers and a peak inside", "others")
        }
      }
      for bin in source.peaks.panels + source.peaks.radius + source.peaks.azimuth where bin.count < 0 || !(bin.expected >= 0) {
        throw fail("\(source.name): peaks", "counts from 0", "\(bin.count), expected \(bin.expected)")
      }
    }
  }

  private static func publications(in folder: String) throws(InputError) -> [PublishedFolder] {
    let sums = "SHA256SUMS"
    guard AtomicFile.isFolder(folder) else {
      throw InputError(.missing, path: folder, place: "", expected: "a folder of published checkpoints", found: "nothing there")
    }
    var candidates = [folder]
    do { candidates += try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { folder + "/" + $0 } } catch {
      throw InputError(.inputOutput, path: folder, place: "list", expected: "a readable folder", found: error.localizedDescription)
    }
    var found: [PublishedFolder] = []
    for candidate in candidates where FileManager.default.fileExists(atPath: "\(candidate)/\(sums)") {
      found.append(try publication(candidate, list: "\(candidate)/\(sums)"))
    }
    guard !found.isEmpty else {
      throw InputError(.missing, path: folder, place: "", expected: "a folder with \(sums), or some of them", found: "none")
    }
    return found
  }

  private static func publication(_ folder: String, list: String) throws(InputError) -> PublishedFolder {
    let file = "model.safetensors", path = "\(folder)/\(file)", weights = try AtomicFile.read(path)
    let digest = Checksum.sha256(weights)
    let lines = String(decoding: try AtomicFile.read(list), as: UTF8.self).split(whereSeparator: \.isNewline)
    guard let line = lines.first(where: { $0.split(whereSeparator: { $0 == " " || $0 == "*" }).last.map { $0 == file } ?? false })
    else { throw InputError(path: list, place: "", expected: "a line for \(file)", found: "none") }
    guard line.hasPrefix(digest) else {
      throw InputError(path: path, place: "", expected: "SHA-256 \(line.prefix(64))", found: digest)
    }
    return PublishedFolder(name: folder.nameInPath, bytes: weights.count, sha256: digest)
  }
}
