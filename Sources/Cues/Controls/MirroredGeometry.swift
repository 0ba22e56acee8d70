import Evaluation
import Foundation
import Pretexts
import Tensors

/// The same pictures with the outline of the mirrored detector: the answer must follow the content, not the mask.
///
/// With a twin corpus (`TwinCorpus`) the pictures are measured ones: those that the turned detector took of the same events, or, where the
/// same frames were assembled anew, own pixels within the turned outline and the twin's where the own detector has its gaps. Without one
/// gaps are filled from their neighbours, then pixels are taken away where the mirrored mask has its gaps: smooth patches that a network
/// may know for what they are, so that a mask may go unnoticed.
///
/// A task that shows only pixels which are measured under all its symmetries shows the same of a picture and of its filled or reassembled twin: its outline
/// is excluded by construction, and there is nothing to ask. Only the light of a turned detector can tell more then.
public struct MirroredGeometry: TaskControl {
  public static let name = "mirrored geometry"
  public static let meaning = "with the mirrored detector's outline the answer changes: it follows the mask"
  public static let remedies: [Remedy] = [.symmetrisedMask, .perPanel]

  /// What filling may cost.
  private static let tolerance = 0.05
  public init() {}

  /// Pictures whose outlines are compared, of all sources and runs; and those, with an outline that is not its own image, that are looked at twice.
  private static let sample = 4096, pairs = 64
  /// Symmetries that are tried.
  private static let most = 3

  public func finding(_ subject: TaskSubject) throws -> ControlFinding {
    let limit = subject.examiner.scaling.minimumWeight, held = subject.held, count = subject.examples
    let asked = subject.examiner.task.answers.filter { $0 != .identity }
    let symmetries: [Symmetry] = subject.twins.map { [$0.corpus.symmetry] } ?? (asked.isEmpty ? [.mirror] : asked)
    let step = max(1, (held.count + MirroredGeometry.sample - 1) / MirroredGeometry.sample), sample = Array(stride(from: 0, to: held.count, by: step))
    // Light of its own costs nothing by itself; what is filled in does.
    let isTurned = subject.twins?.corpus.kind == .seenByTurnedDetector, tolerance = isTurned ? subject.acceptance.tolerance : MirroredGeometry.tolerance
    let bound = isTurned ? tolerance : 2 * tolerance
    var isShownAlike = false
    var own: AnswerSheet?, worst: (finding: ControlFinding, loss: Double)?
    // Those under which the outline changes most tell most.
    let byPicture = try sample.concurrentMap { index in
      let image = try held.image(index)
      return symmetries.map { image.maskOverlap(under: $0, minimumWeight: limit) }
    }
    let compared = symmetries.enumerated().map { place, symmetry in
      (symmetry: symmetry, overlaps: byPicture.map { $0[place] }, mean: Statistics.mean(byPicture.map { $0[place] }))
    }.sorted { $0.mean < $1.mean }
    var tried = 0
    for (symmetry, overlaps, overlap) in compared where overlap < 1 && tried < MirroredGeometry.most {
      let (twins, way) = MirroredGeometry.twins(subject, symmetry)
      let differing = zip(sample, overlaps).filter { $0.1 < 1 }.map(\.0)
      if try MirroredGeometry.areShownAlike(held, twins, differing, subject) {
        isShownAlike = true
        continue
      }
      tried += 1
      let plain = try own ?? subject.examiner.sheet(of: held, count: count, seed: subject.seed)
      own = plain
      let twin = try subject.examiner.sheet(of: twins, count: count, seed: subject.seed)
      let score = twin.score("accuracy, transformed outline"), expected = Statistics.mean(plain.credits)
      // The same examples in both: their differences tell more than the two scores.
      let changes = plain.changes(to: twin)
      let loss = -Statistics.mean(changes.credits), error = changes.clusteredError
      let words = "mask and its image (\(symmetry.name)) overlap by \(decimals(overlap)); \(decimals(score.value)) with that outline, "
        + "\(decimals(expected)) with the own; \(way)"
      let isLoss = loss > tolerance && loss > AuditAcceptance.sigmas * error
      let isShown = loss + 1.96 * error <= bound
      // Whoever asks about no mirror may need what the other outline hides; only a twin of the same light tells that apart.
      let mayBeContent = asked.isEmpty && !isTurned
      let start = isLoss ? (mayBeContent ? "Answers follow the outline, or what it hides" : "Answers follow the outline") : "Answers follow the content" + (isShown ? ", but for \(decimals(bound)) at most" : ", as far as can be told")
      let verdict: ControlFinding.Verdict = isLoss ? (mayBeContent ? .undecided : .leak) : isShown ? .passed : .undecided
      let finding = ControlFinding(MirroredGeometry.self, verdict, "\(start): \(words).", score: score, expected: expected)
      if worst.map({ verdict.isWorse(than: $0.finding.verdict) || verdict == $0.finding.verdict && loss > $0.loss }) ?? true { worst = (finding, loss) }
    }
    if let worst { return worst.finding }
    return isShownAlike
      ? ControlFinding(
        MirroredGeometry.self, .notApplicable, "Only pixels that are measured under all its symmetries are shown, so a picture looks the same with either outline.")
      : ControlFinding(MirroredGeometry.self, .passed, "Every mask is its own image under the task's symmetries (\(sample.count) pictures of all sources).")
  }

  /// Whether the network sees the same of a picture and of its twin.
  private static func areShownAlike(_ held: Pictures, _ twins: Pictures, _ differing: [Int], _ subject: TaskSubject) throws -> Bool {
    let step = max(1, differing.count / pairs), chosen = stride(from: 0, to: differing.count, by: step).prefix(pairs).map { differing[$0] }
    let examples = try [held, twins].map { pictures in
      let own = pictures.chosen(chosen), unit = subject.examiner.order(of: own).unit
      return try subject.examiner.examples(of: own, 0..<max(unit, chosen.count / unit * unit), seed: subject.seed)
    }
    return zip(examples[0], examples[1]).allSatisfy { $0.fields == $1.fields }
  }

  /// The held-out pictures within the turned outline, and how they came by it.
  private static func twins(_ subject: TaskSubject, _ symmetry: Symmetry) -> (Pictures, String) {
    let limit = subject.examiner.scaling.minimumWeight
    guard let (corpus, pictures) = subject.twins else {
      return (subject.held.mapped { twin(of: $0, symmetry, minimumWeight: limit) }, "gaps filled from their neighbours")
    }
    switch corpus.kind {
    case .seenByTurnedDetector: return (pictures, "a twin corpus of the turned detector")
    case .assembledAnew:
      return (
        subject.held.joined(with: pictures) { TwinCorpus.joined($0, $1, minimumWeight: limit) }, "gaps filled from a twin corpus of the same frames")
    }
  }

  /// The picture within the outline of its transformed detector.
  static func twin(of image: MaskedImage, _ symmetry: Symmetry, minimumWeight: Double) -> MaskedImage {
    let full = filled(image, minimumWeight: minimumWeight), outline = symmetry(image.weight)
    let pixels = zip(full.elements, outline.elements).map { $1 > 0 ? $0 : 0 }
    return MaskedImage(pixels: Tensor(image.pixels.shape, pixels), weight: outline)
  }

  /// Pixels with every gap filled by the mean of its filled neighbours, ring by ring. Zeros where nothing was measured at all.
  static func filled(_ image: MaskedImage, minimumWeight: Double) -> Tensor<Float> {
    let height = image.height, width = image.width
    var pixels = image.pixels.elements, known = image.weight.elements.map { Double($0) >= minimumWeight }
    var open = known.indices.filter { !known[$0] }
    guard open.count < known.count else { return image.pixels }
    while !open.isEmpty {
      var filled: [(Int, Float)] = []
      for i in open {
        let row = i / width, column = i % width
        var sum: Float = 0, count: Float = 0
        for (r, c) in [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
        where r >= 0 && r < height && c >= 0 && c < width && known[r * width + c] {
          sum += pixels[r * width + c]
          count += 1
        }
        if count > 0 { filled.append((i, sum / count)) }
      }
      for (i, value) in filled { (pixels[i], known[i]) = (value, true) }
      open.removeAll { known[$0] }
    }
    return Tensor(image.pixels.shape, pixels)
  }
}
