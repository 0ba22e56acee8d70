import Pretexts
import Tensors

/// Only the outermost strip of every picture is shown: overlays, margins and padding, but hardly any beam.
public struct BorderStrip: TaskControl {
  public static let name = "border strip"
  public static let meaning = "it reads the edge of the frame: overlays, margins, padding"
  public static let remedies: [Remedy] = [.symmetrisedMask, .templateProjection, .recentring]
  public static let findingViews: (meaning: String, remedies: [Remedy]) = (
    "pictures are told apart by their edge, where hardly any beam is", [.alikeBatches]
  )

  /// Width of the strip as a share of the side, at least two pixels.
  public var share = 0.06
  public init() {}

  public func finding(_ subject: TaskSubject) throws -> ControlFinding {
    if case .explaining = subject.examiner.question.rule {
      return ControlFinding(BorderStrip.self, .notApplicable, "What is asked for is the strip itself, whatever it shows.")
    }
    guard subject.examiner.task.asks.isDisjoint(with: [.place, .scale, .tileOrder]) else {
      return ControlFinding(
        BorderStrip.self, .notApplicable, "The task asks where a piece lies or how large it is, which the inner edge of any strip tells.")
    }
    let share = share
    return try subject.mustBeChance(BorderStrip.self, subject.held.mapped { BorderStrip.frame(of: $0, share: share) })
  }

  /// The picture with nothing measured inside of the strip.
  static func frame(of image: MaskedImage, share: Double) -> MaskedImage {
    let strip = max(2, Int((share * Double(image.width)).rounded()))
    var result = image
    for row in strip..<max(strip, image.height - strip) {
      for column in strip..<max(strip, image.width - strip) {
        result.pixels.elements[row * image.width + column] = 0
        result.weight.elements[row * image.width + column] = 0
      }
    }
    return result
  }
}
