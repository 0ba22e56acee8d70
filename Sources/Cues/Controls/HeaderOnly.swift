import Corpora
import Evaluation
import Foundation
import Host
import Tensors
import Training

/// The answers of the training stream, told without any picture: from the record's header, the frame number and the place in the batch.
public struct HeaderOnly: TaskControl {
  public static let name = "header only"
  public static let meaning = "the answer goes with the record or with the order of the stream"
  public static let remedies: [Remedy] = [.labels]

  public init() {}

  public func finding(_ subject: TaskSubject) throws -> ControlFinding {
    let recipe = subject.recipe, task = subject.examiner.task, target = try subject.examiner.target
    let augmentations = try recipe.chosenAugmentations(path: recipe.name)
    let images = try ImageSet(
      subject.corpus, split: .train, include: recipe.include, exclude: recipe.exclude, task: task, augmentations: augmentations)
    let stream = BatchMaker(
      images: images, task: task, augmentations: augmentations, scaling: subject.examiner.scaling, seed: recipe.seed, batch: recipe.batch)
    var records: [Record] = [], places: [Int] = [], truths: [Int] = [], steps: [Int] = []
    let total = min(subject.examples, max(recipe.batch * 2, recipe.steps * recipe.batch))
    var step = 0
    while truths.count < total {
      let answers = try stream.training(step: step)[target]!
      for (place, index) in try stream.indices(step: step).enumerated() {
        records.append(images.records[index])
        places.append(place)
        steps.append(step)
        truths.append(TaskExaminer.answer(answers[first: place], classes: subject.examiner.classes.count))
      }
      step += 1
    }
    let header = HeaderFeatures.vectors(records), numbers = FrameNumberFeatures.vectors(records)
    let rows = records.indices.map { i -> [Float] in
      [header[i], numbers[i], HeaderOnly.places(places[i], of: recipe.batch), HeaderOnly.places(steps[i], of: step)].flatMap { $0 }
    }
    return try HeaderOnly.finding(rows, truths, steps, classes: subject.examiner.classes, subject.acceptance, seed: subject.seed)
  }

  /// A linear probe fitted on half of the steps and tried on the other half, both ways.
  package static func finding(
    _ rows: [[Float]], _ truths: [Int], _ steps: [Int], classes: [String], _ acceptance: AuditAcceptance, seed: UInt64
  ) throws -> ControlFinding {
    let examples = Embeddings(vectors: Tensor([rows.count, rows[0].count], rows.flatMap { $0 }), labels: truths, classes: classes, groups: steps)
    var sheet = AnswerSheet(classes: classes.count)
    for half in 0..<2 {
      let fitting = truths.indices.filter { steps[$0] % 2 == half }, trying = truths.indices.filter { steps[$0] % 2 != half }
      let train = examples.subset(fitting)
      guard Set(train.labels).count > 1, !trying.isEmpty else {
        return ControlFinding(HeaderOnly.self, .undecided, "The training stream is too short to be asked.")
      }
      // Strong: with a hundred columns that say nothing, little is fitted.
      let guesses = try LinearProbe(strengths: [1e-1]).predictions(train: train, test: examples.subset(trying), seed: seed).labels
      for (guess, index) in zip(guesses, trying) { sheet.append(guess == truths[index] ? 1 : 0, picture: index, run: 0) }
    }
    return ControlFinding(HeaderOnly.self, mustBeChance: sheet.score("accuracy, \(HeaderOnly.name)"), acceptance)
  }

  /// A place within its whole: tenths, and the number modulo small periods.
  package static func places(_ place: Int, of whole: Int) -> [Float] {
    var row = [Float](repeating: 0, count: 10)
    row[min(9, 10 * place / max(1, whole))] = 1
    for modulus in [2, 3, 4, 8] { row += (0..<modulus).map { $0 == place % modulus ? 1 : 0 } }
    return row
  }
}
