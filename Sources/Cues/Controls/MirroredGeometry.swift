import Evaluation
import Foundation
import Pretexts
import Tensors

/// The same pictures with the outline of the mirrored detector: the answer must follow the content, not the mask.
///
/// Gaps are filled from their neighbours, then pixels are taken away where the mirrored mask has its gaps. Where raw runs are at hand,
/// building the corpus with a mirrored geometry gives the same pictures without any filling.
public struct MirroredGeometry: TaskControl {
  public static let name = "mirrored geometry"
  public static let meaning = "with the mirrored detector's outline the answer changes: it follows the mask"
  public static let remedies: [Remedy] = [.symmetrisedMask, .perPanel]

  /// What filling may cost.
  private static let tolerance = 0.05
  public init() {}

  public func finding(_ subject: TaskSubject) throws -> ControlFinding {
    let limit = subject.examiner.scaling.minimumWeight, held = subject.held
    let sample = try (0..<min(held.count, 64)).map { try held.image($0) }
    let overlap = Statistics.mean(sample.map { MaskOnly.mirrorOverlap($0, minimumWeight: limit) })
    guard overlap < 1 else {
      return ControlFinding(MirroredGeometry.self, .passed, "Every mask is its own mirror image.")
    }
    let count = min(subject.examples, 4000)
    let own = try subject.examiner.sheet(of: held, count: count, seed: subject.seed)
    let twin = try subject.examiner.sheet(of: held.mapped { MirroredGeometry.twin(of: $0, minimumWeight: limit) }, count: count, seed: subject.seed)
    let score = twin.score("accuracy, mirrored outline"), expected = Statistics.mean(own.credits)
    // The same examples in both: their differences tell more than the two scores.
    var changes = AnswerSheet(classes: subject.examiner.classes.count)
    for i in own.credits.indices { changes.append(twin.credits[i] - own.credits[i], picture: own.pictures[i], run: own.runs[i]) }
    let loss = -Statistics.mean(changes.credits), error = changes.clusteredError
    let words = "mask and mirror image overlap by \(decimals(overlap)); \(decimals(score.value)) with the mirrored outline, \(decimals(expected)) with the own"
    if loss > MirroredGeometry.tolerance, loss > AuditAcceptance.sigmas * error {
      return ControlFinding(MirroredGeometry.self, .leak, "Answers follow the outline: \(words).", score: score, expected: expected)
    }
    return ControlFinding(
      MirroredGeometry.self, loss + 1.96 * error <= 2 * MirroredGeometry.tolerance ? .passed : .undecided, "Answers follow the content: \(words).",
      score: score, expected: expected)
  }

  /// The picture within its mirrored outline.
  static func twin(of image: MaskedImage, minimumWeight: Double) -> MaskedImage {
    let full = filled(image, minimumWeight: minimumWeight), outline = Symmetry.mirror(image.weight)
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
