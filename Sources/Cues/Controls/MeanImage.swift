import Evaluation
import Pretexts
import Tensors

/// A per-pixel template made of the training pictures, in place of the network: what is answered by it needs no understanding of a picture.
///
/// Of a choice among classes each class has its mean image; numbers have a linear template each (`NumberTemplate`); hidden pixels are answered
/// by the mean picture.
public struct MeanImage: TaskControl {
  public static let name = "mean image"
  public static let meaning = "one template per class, pixel by pixel, tells the answer: an axis, a beam or a pattern that always lies alike"
  public static let remedies: [Remedy] = [.templateProjection, .recentring]

  public init() {}

  public func finding(_ subject: TaskSubject) throws -> ControlFinding {
    if subject.examiner.question.isAskedAmongABatch { return try MeanImage.retrieval(subject) }
    guard subject.trained.count > 0 else {
      return ControlFinding(MeanImage.self, .undecided, "There are no training pictures to take a template from.")
    }
    guard let sheet = try MeanImage.sheet(subject) else {
      return ControlFinding(MeanImage.self, .undecided, "There are too few examples to take a template from.")
    }
    return ControlFinding(
      MeanImage.self, mustBeChance: sheet.score("accuracy, \(MeanImage.name)"), subject.acceptance, onlyAbove: !subject.examiner.isBlindlyEven)
  }

  /// `nil` where too few examples are there for a template.
  private static func sheet(_ subject: TaskSubject) throws -> AnswerSheet? {
    let examiner = subject.examiner, count = subject.examples, seed = subject.seed
    switch examiner.question.rule {
    case .largest, .retrieval:
      let sums = try examiner.templateSums(subject.trained, count: count, seed: seed &+ 1)
      return sums.suffice ? try examiner.sheet(of: subject.held, count: count, by: TemplateClassifier(sums), seed: seed) : nil
    case .within:
      guard let template = try numberTemplate(subject) else { return nil }
      let target = examiner.target
      return try examiner.sheet(of: subject.held, count: count, seed: seed) { example in
        let answer = template.answer(example.input(without: target))
        return Tensor([answer.count], answer)
      }
    case .explaining:
      guard let mean = try meanPicture(subject) else { return nil }
      return try examiner.sheet(of: subject.held, count: count, seed: seed) { _ in mean }
    }
  }

  /// Half of the examples tell the directions, the others their slopes.
  private static func numberTemplate(_ subject: TaskSubject) throws -> NumberTemplate? {
    let examiner = subject.examiner, target = examiner.target, half = subject.examples / 2
    guard half > 1 else { return nil }
    var sums: NumberTemplate.Sums?
    try examiner.forEach(of: subject.trained, 0..<half, seed: subject.seed &+ 1) { example in
      let input = example.input(without: target), answer = example.fields[target]!.elements
      if sums == nil { sums = NumberTemplate.Sums(width: input.count, answers: answer.count) }
      sums!.add(input, answer)
    }
    var template = NumberTemplate(sums!), judged: [(scores: [Double], answer: [Float])] = []
    try examiner.forEach(of: subject.trained, half..<2 * half, seed: subject.seed &+ 1) { example in
      judged.append((template.scores(example.input(without: target)), example.fields[target]!.elements))
    }
    template.calibrate(judged)
    return template
  }

  /// The mean of what is asked for, over the pictures that measure it.
  private static func meanPicture(_ subject: TaskSubject) throws -> Tensor<Float>? {
    let examiner = subject.examiner, target = examiner.target
    var shape: Shape?, sums: [Double] = [], counts: [Double] = []
    try examiner.forEach(of: subject.trained, 0..<subject.examples, seed: subject.seed &+ 1) { example in
      let picture = example.fields[target]!
      if shape == nil { (shape, sums, counts) = (picture.shape, picture.elements.map { _ in 0 }, picture.elements.map { _ in 0 }) }
      for (i, value) in picture.elements.enumerated() where value != 0 {
        sums[i] += Double(value)
        counts[i] += 1
      }
    }
    return shape.map { Tensor($0, zip(sums, counts).map { $1 > 0 ? Float($0 / $1) : 0 }) }
  }

  /// There is no class to take a mean of. How far the pixels themselves get is told beside.
  private static func retrieval(_ subject: TaskSubject) throws -> ControlFinding {
    let examiner = subject.examiner
    let sheet = try examiner.sheet(of: subject.held, count: min(subject.examples, 1000), seed: subject.seed) { example in
      let views = example.fields.sorted { $0.key < $1.key }.flatMap(\.value.elements)
      return Tensor([views.count], views)
    }
    let score = sheet.score("accuracy, pixels compared")
    return ControlFinding(
      MeanImage.self, .notApplicable, "Each picture is its own answer, and has no mean; compared pixel by pixel, views are found in \(score).",
      score: score, expected: sheet.chance)
  }
}
