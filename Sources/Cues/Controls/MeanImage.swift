import Evaluation

/// A per-pixel template made of the training pictures, in place of the network: what is answered by it needs no understanding of a picture.
public struct MeanImage: TaskControl {
  public static let name = "mean image"
  public static let meaning = "one template per class, pixel by pixel, tells the answer: an axis, a beam or a pattern that always lies alike"
  public static let remedies: [Remedy] = [.templateProjection, .recentring]

  public init() {}

  public func finding(_ subject: TaskSubject) throws -> ControlFinding {
    guard subject.trained.count > 0 else {
      return ControlFinding(MeanImage.self, .undecided, "There are no training pictures to take a template from.")
    }
    let sums = try subject.examiner.templateSums(subject.trained, count: subject.examples, seed: subject.seed &+ 1)
    guard sums.suffice else { return ControlFinding(MeanImage.self, .undecided, "A class has no examples to take a template from.") }
    let sheet = try subject.examiner.sheet(of: subject.held, count: subject.examples, by: TemplateClassifier(sums), seed: subject.seed)
    return ControlFinding(MeanImage.self, mustBeChance: sheet.score("accuracy, \(MeanImage.name)"), subject.acceptance)
  }
}
