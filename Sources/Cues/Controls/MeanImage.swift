import Evaluation
import Pretexts
import Tensors

/// A per-pixel template made of the training pictures, in place of the network: what is answered by it needs no understanding of a picture.
///
/// Of a choice among classes each class has its mean image; numbers have a linear template each (`NumberTemplate`); hidden pixels are answered
/// by the mean picture. Where pictures come from several sources each is asked by a template of its own as well: two detectors whose beams lie
/// on opposite sides have a mean that says nothing, and a network knows which detector it sees.
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
    guard let sheet = try MeanImage.sheet(subject, subject.trained, subject.held) else {
      return ControlFinding(MeanImage.self, .undecided, "There are too few examples to take a template from.")
    }
    var finding = subject.judged(MeanImage.self, sheet)
    let sources = subject.held.everySource
    for source in sources.count > 1 ? sources : [] {
      // One that no picture was learnt from, or too few, has no template.
      guard let sheet = try MeanImage.sheet(subject, subject.trained.of(source), subject.held.of(source)) else { continue }
      let own = subject.judged(MeanImage.self, sheet, of: source)
      if own.verdict.isWorse(than: finding.verdict) { finding = own }
    }
    return finding
  }

  /// Answers about `held` by a template of `trained`, as many of each as their share in all pictures; `nil` where too few examples are there for one.
  private static func sheet(_ subject: TaskSubject, _ trained: Pictures, _ held: Pictures) throws -> AnswerSheet? {
    let examiner = subject.examiner, seed = subject.seed
    func share(_ own: Pictures, _ all: Pictures) -> Int { (subject.examples * own.count + all.count - 1) / max(1, all.count) }
    let fitting = share(trained, subject.trained), trying = share(held, subject.held)
    guard fitting > 1, trying > 0 else { return nil }
    switch examiner.question.rule {
    case .largest, .retrieval:
      let sums = try examiner.templateSums(trained, count: fitting, seed: seed &+ 1)
      return sums.suffice ? try examiner.sheet(of: held, count: trying, by: TemplateClassifier(sums), seed: seed) : nil
    case .within:
      guard let template = try numberTemplate(subject, trained, half: fitting / 2) else { return nil }
      let target = examiner.target
      return try examiner.sheet(of: held, count: trying, seed: seed) { example in
        let answer = template.answer(example.input(without: target))
        return Tensor([answer.count], answer)
      }
    case .explaining:
      guard let mean = try meanPicture(subject, trained, count: fitting) else { return nil }
      return try examiner.sheet(of: held, count: trying, seed: seed) { _ in mean }
    }
  }

  /// Half of the examples tell the directions, the others their slopes.
  private static func numberTemplate(_ subject: TaskSubject, _ trained: Pictures, half: Int) throws -> NumberTemplate? {
    let examiner = subject.examiner, target = examiner.target
    guard half > 1 else { return nil }
    var sums: NumberTemplate.Sums?
    try examiner.forEach(of: trained, 0..<half, seed: subject.seed &+ 1) { example in
      let input = example.input(without: target), answer = example.fields[target]!.elements
      if sums == nil { sums = NumberTemplate.Sums(width: input.count, answers: answer.count) }
      sums!.add(input, answer)
    }
    var template = NumberTemplate(sums!), judged: [(scores: [Double], answer: [Float])] = []
    try examiner.forEach(of: trained, half..<2 * half, seed: subject.seed &+ 1) { example in
      judged.append((template.scores(example.input(without: target)), example.fields[target]!.elements))
    }
    template.calibrate(judged)
    return template
  }

  /// The mean of what is asked for, over the pictures that measure it.
  private static func meanPicture(_ subject: TaskSubject, _ trained: Pictures, count: Int) throws -> Tensor<Float>? {
    let examiner = subject.examiner, target = examiner.target
    var shape: Shape?, sums: [Double] = [], counts: [Double] = []
    try examiner.forEach(of: trained, 0..<count, seed: subject.seed &+ 1) { example in
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
