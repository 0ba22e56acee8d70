import Corpora
import Evaluation
import Foundation
import Host
import Pretexts
import Tensors
import Training

/// What a flip detector used: its accuracy on held-out runs beside the controls that may not be answered, and where its evidence lies.
public struct CueReport: Codable, Sendable {
  /// One source of the corpus: one detector, one geometry.
  public struct Source: Codable, Sendable {
    public var name: String
    public var detector: String
    public var accuracy: Score
    /// Only the outline of what was shown; must be chance.
    public var maskOnly: Score
    public var maskOnlyVerdict: ControlVerdict
    /// Intersection over union of the measured pixels with their mirror image, before the task hides one-sided ones.
    public var maskMirrorOverlap: Double
    /// Held-out frames without beam; must be chance. `nil` where the corpus has none.
    public var dark: Score?
    public var darkVerdict: ControlVerdict?
    /// In words: what follows from the controls.
    public var verdict: String
    /// Whether the accuracy must not be quoted, because a control answers as well.
    public var isWithheld: Bool
    public var peaks: PeakCounts
    /// The mean signed evidence for "mirrored" over the held-out frames in their recorded orientation, `side`×`side` by row.
    public var meanEvidence: [Float]
    /// A few held-out frames with their evidence.
    public var examples: [Example]
  }

  public struct Example: Codable, Sendable {
    public var record: String
    public var logit: Float
    /// `side`×`side` by row: what the network saw, and the evidence.
    public var view: [Float]
    public var evidence: [Float]
    public var peakRow: Int
    public var peakColumn: Int
  }

  public var run: String
  /// The step whose network was asked; reports of before this was kept lack it.
  public var step: Int?
  /// XXH3 of its weights; absent likewise.
  public var weightsDigest: String?
  public var corpus: String
  public var split: String
  public var side: Int
  public var sources: [Source]
  public var planted: PlantedPixel.Outcome
  /// One sentence over all sources.
  public var verdict: String
  /// Sources whose accuracy is withheld.
  public var withheld: [String]

  /// Asks the detector of `checkpoint` about the held-out frames of `corpus` and about the controls.
  ///
  /// - Parameter audit: the task audit of this very network, where there is one: what it withholds is withheld here.
  /// Throws when the checkpoint is not a flip detector or the split has no frames with beam.
  public init(
    _ checkpoint: Checkpoint, path: String, corpus: Corpus, split: Split = .test, planted: PlantedPixel = PlantedPixel(), audit: TaskAudit? = nil,
    progress: ProgressHandler = { _ in }
  ) throws {
    let model = try FlipModel(checkpoint, path: path)
    let recipe = checkpoint.description.recipe
    let held = corpus.records(in: split).filter { recipe.filter.accepts($0) && $0.labels["beam"] != "dark" }
    guard !held.isEmpty else {
      throw InputError(path: corpus.folder, place: "split \(split)", expected: "frames with beam that the run's recipe includes", found: "none")
    }
    // The recipe leaves dark frames out of training; whatever else it leaves out is no control either.
    let darks = DarkFrames.select(corpus.records.filter { $0.split != .train && recipe.filter.ignoring("beam").accepts($0) })
    var sources: [Source] = []
    let names = Set(held.map(\.source)).sorted()
    for (index, name) in names.enumerated() {
      sources.append(try CueReport.source(
        name, held.filter { $0.source == name }, darks: darks.filter { $0.source == name }, model, corpus, audit))
      progress(Progress("cues", done: index + 1, total: names.count, note: name))
    }
    self.run = recipe.name
    (step, weightsDigest) = (checkpoint.description.step, checkpoint.weightsDigest)
    self.corpus = corpus.manifest.name
    self.split = split.rawValue
    side = model.side
    self.sources = sources
    self.planted = try planted.run(like: checkpoint, path: path, progress: progress)
    withheld = sources.filter(\.isWithheld).map(\.name)
    let undecided = sources.filter { $0.maskOnlyVerdict != .chance || $0.darkVerdict != .chance }.map(\.name)
    if let audit, audit.isWithheld {
      verdict = "Withheld by the audit of the task: \(audit.reasons.joined(separator: "; "))."
    } else if !withheld.isEmpty {
      verdict = "Withheld for \(withheld.joined(separator: ", ")): a control without X-rays is answered too."
    } else if !undecided.isEmpty {
      verdict = "No control is answered, but for \(undecided.joined(separator: ", ")) there are too few frames, or no dark ones, to exclude a leak."
    } else {
      verdict = "Neither of the two controls that are asked here is answered. `audit --task` asks all of them."
    }
    for (name, found) in [("a linear template", self.planted.linear), ("a network like this one", self.planted.network)]
    where found.value < self.planted.oracle - 0.02 - 2 * found.largerStandardError {
      verdict += " The planted pixel was not found by \(name) as theory allows (\(found)), so its controls prove little."
    }
  }

  private static func source(
    _ name: String, _ records: [Record], darks: [Record], _ model: FlipModel, _ corpus: Corpus, _ audit: TaskAudit?
  ) throws -> Source {
    let images = try corpus.images(records), keys = Set((records + darks).map(\.run)).sorted()
    func runs(_ records: [Record]) -> [Int] { records.map { keys.firstIndex(of: $0.run)! } }
    let accuracy = try model.accuracy(images, runs: runs(records))
    // One standard deviation above the mean: far from the 0 of gaps.
    let level = Float(model.scaling.mean + model.scaling.deviation)
    let maskOnly = try model.accuracy(images.map { MaskOnly.frame(of: $0, value: level) }, runs: runs(records), metric: "flip accuracy, mask only")
    let dark = darks.isEmpty ? nil : try model.accuracy(corpus.images(darks), runs: runs(darks), metric: "flip accuracy, dark frames")
    let judgements = try model.judge(images)
    let maps = judgements.map { GradCAM.enlarged($0.attribution, to: model.side) }
    var mean = [Float](repeating: 0, count: model.side * model.side)
    for map in maps { for i in mean.indices { mean[i] += map.elements[i] / Float(maps.count) } }
    let examples = stride(from: 0, to: records.count, by: max(1, records.count / 4)).prefix(4).map { i in
      let peak = GradCAM.peak(maps[i])
      return Example(
        record: records[i].id, logit: judgements[i].logit, view: model.flip.view(images[i], model.scaling).elements,
        evidence: maps[i].elements, peakRow: peak.row, peakColumn: peak.column)
    }
    let maskVerdict = ControlVerdict(maskOnly), darkVerdict = dark.map { ControlVerdict($0) }
    let isAuditWithholding = audit?.isWithheld ?? false, isWithheld = maskVerdict == .leak || darkVerdict == .leak || isAuditWithholding
    return Source(
      name: name, detector: records[0].detector, accuracy: accuracy, maskOnly: maskOnly, maskOnlyVerdict: maskVerdict,
      maskMirrorOverlap: Statistics.mean(images.map { MaskOnly.mirrorOverlap($0, minimumWeight: model.scaling.minimumWeight) }),
      dark: dark, darkVerdict: darkVerdict,
      verdict: words(accuracy, maskOnly, maskVerdict, dark, darkVerdict, isAuditWithholding), isWithheld: isWithheld,
      peaks: PeakCounts(maps.map { GradCAM.peak($0) }, side: model.side, coordinates: try corpus.detectorCoordinates(for: records[0])),
      meanEvidence: mean, examples: Array(examples))
  }

  private static func words(_ accuracy: Score, _ mask: Score, _ maskVerdict: ControlVerdict, _ dark: Score?, _ darkVerdict: ControlVerdict?, _ isAuditWithholding: Bool) -> String {
    var parts: [String] = []
    if isAuditWithholding { parts.append("The audit of the task withholds the accuracy.") }
    if maskVerdict == .leak { parts.append("Mask-only frames are answered (\(mask)): \(MaskOnly.meaning). The accuracy is withheld.") }
    if let dark, darkVerdict == .leak { parts.append("Dark frames are answered (\(dark)): \(DarkFrames.meaning). The accuracy is withheld.") }
    if dark == nil { parts.append("There are no dark frames: a fixed pattern is not excluded.") }
    if darkVerdict == .tooFew, let dark { parts.append("Too few dark frames (\(dark.count)) to exclude a fixed pattern.") }
    if maskVerdict == .tooFew { parts.append("Too few frames to exclude the mask as a cue.") }
    // What is withheld must not be told in other words either.
    guard maskVerdict != .leak, darkVerdict != .leak, !isAuditWithholding else { return parts.joined(separator: " ") }
    switch ControlVerdict(accuracy) {
    case .chance: parts.append("The accuracy is chance: mirrored frames were not told apart.")
    case .tooFew: parts.append("The accuracy cannot be told from chance with \(accuracy.count) frames.")
    case .leak where accuracy.value < 0.5: parts.append("Mirrored frames are answered the wrong way round: an axis of the training runs points the other way in these.")
    case .leak where accuracy.value > 0.95:
      parts.append("Nearly every frame is told apart: an axis that always points the same way would look just so. Only runs with the opposite convention can show more.")
    case .leak: break
    }
    return parts.isEmpty ? "Both controls are at chance." : parts.joined(separator: " ")
  }
}
