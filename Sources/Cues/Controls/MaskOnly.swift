import Pretexts
import Tensors

/// Every measured pixel replaced by one and the same value: only the outline of the mask is left.
///
/// Where pieces are normalised, one value would leave nothing at all; there each pixel gets white noise of its own.
public struct MaskOnly: TaskControl {
  public static let name = "mask only"
  public static let meaning = "it reads the outline of panels and bad pixels"
  public static let remedies: [Remedy] = [.symmetrisedMask, .perPanel]
  public static let findingViews: (meaning: String, remedies: [Remedy]) = (
    "pictures are told apart by the outline of their detector", [.alikeBatches]
  )

  public init() {}

  public func finding(_ subject: TaskSubject) throws -> ControlFinding {
    if case .explaining = subject.examiner.question.rule {
      return ControlFinding(MaskOnly.self, .notApplicable, "A picture of one value has no variance to be explained.")
    }
    return try subject.mustBeChance(MaskOnly.self, MaskOnly.pictures(subject))
  }

  /// The held-out pictures with nothing but their outline.
  package static func pictures(_ subject: TaskSubject) -> Pictures {
    // One standard deviation above the mean: far from the 0 of gaps.
    let scaling = subject.examiner.scaling, level = Float(scaling.mean + scaling.deviation), seed = subject.seed
    guard subject.examiner.task.normalizesPieces else { return subject.held.mapped { MaskOnly.frame(of: $0, value: level) } }
    return subject.held.mapped { index, image in
      let noise = NoiseFrames.frame(index, side: image.height, mean: scaling.mean, deviation: scaling.deviation, seed: seed, stream: 2)
      let pixels = zip(noise.pixels.elements, image.weight.elements).map { $1 > 0 ? $0 : 0 }
      return MaskedImage(pixels: Tensor(image.pixels.shape, pixels), weight: image.weight)
    }
  }

  /// The picture with every measured pixel at `value`, in tone-mapped units.
  public static func frame(of image: MaskedImage, value: Float) -> MaskedImage {
    MaskedImage(pixels: Tensor(image.pixels.shape, image.weight.elements.map { $0 > 0 ? value : 0 }), weight: image.weight)
  }

  /// Intersection over union of the measured pixels with their mirror image: 1 for a mask that has no handedness.
  public static func mirrorOverlap(_ image: MaskedImage, minimumWeight: Double) -> Double {
    image.maskOverlap(under: .mirror, minimumWeight: minimumWeight)
  }
}
