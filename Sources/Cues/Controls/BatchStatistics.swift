import Evaluation
import Foundation
import Host
import Pretexts
import Tensors
import Training

/// Whether the other pictures of a batch tell the answer: normalisation over a batch can learn what the batch has in common.
///
/// In training mode, where normalisation takes the batch's own statistics, the same examples of held-out pictures, which the network does not know by
/// heart, are answered as the training stream composes its batches, shuffled, and in batches of one answer each, where there are answers to sort by. Answers that only good company makes
/// right are a leak. Who is to be found among whom stays the same: only normalisation sees the other company.
/// Source: moco#137, and the cyclic shift of Van Hoorick and Vondrick, ICCV 2021.
public struct BatchStatistics: TaskControl {
  public static let name = "batch statistics"
  public static let meaning = "the other pictures of a batch tell the answer"
  public static let remedies: [Remedy] = [.mixedBatches]

  public init() {}

  /// Bytes that the examples may take: 10,000 pairs of 65×65, 5000 of 128×128.
  private static let memory = 640 << 20

  public func finding(_ subject: TaskSubject) throws -> ControlFinding {
    let examiner = subject.examiner, size = examiner.batchSize, recipe = subject.recipe
    let augmentations = try recipe.chosenAugmentations(path: recipe.name)
    let images: ImageSet
    do {
      images = try ImageSet(
        subject.corpus, split: subject.split, include: recipe.include, exclude: recipe.exclude, task: examiner.whole, augmentations: augmentations)
    } catch {
      // Some held-out record cannot be trained on (it lacks the label, or a neighbour), which the other controls leave out.
      return ControlFinding(BatchStatistics.self, .undecided, "No batch of held-out pictures can be made: \(error.description).")
    }
    let stream = BatchMaker(
      images: images, task: examiner.whole, augmentations: augmentations, scaling: examiner.scaling, seed: recipe.seed &+ 1, batch: size)
    guard stream.canCompose else {
      return ControlFinding(
        BatchStatistics.self, .undecided, "Of \(images.count) held-out pictures no batch of \(size) can be composed as training composes them.")
    }
    let runs = Dictionary(uniqueKeysWithValues: Set(images.records.map(\.run)).sorted().enumerated().map { ($1, $0) })
    // All of them are held at once, since they are shuffled.
    let bytes = examiner.task.fields(side: examiner.side, classes: examiner.classes.count).values.reduce(0) { $0 + 4 * $1.count }
    let count = max(2, min((subject.examples + size - 1) / size, BatchStatistics.memory / max(1, bytes * size)))
    var composed: [TaskExaminer.Example] = []
    for step in 0..<count {
      let fields = examiner.ownFields(try stream.training(step: step)), indices = try stream.indices(step: step)
      for place in 0..<size {
        let own = fields.mapValues { $0[first: place] }
        composed.append(.init(
          fields: own, truth: TaskExaminer.truth(own, examiner.question), picture: indices[place], run: runs[images.records[indices[place]].run]!,
          group: examiner.question.isAskedAmongABatch ? step : nil))
      }
    }
    return try BatchStatistics.finding(composed, examiner, seed: subject.seed, acceptance: subject.acceptance)
  }

  /// `composed` holds whole batches in the order of the training stream.
  package static func finding(
    _ composed: [TaskExaminer.Example], _ examiner: TaskExaminer, seed: UInt64, acceptance: AuditAcceptance
  ) throws -> ControlFinding {
    var random = Philox(seed: seed, 90)
    let size = examiner.batchSize, shuffled = composed.indices.shuffled(using: &random)
    let alone = try examiner.answered(composed).score("accuracy, running statistics")
    let asComposed = try examiner.answered(composed, mode: .training).score("accuracy, batches as trained")
    let mixed = try examiner.answered(composed, mode: .training, company: shuffled).score("accuracy, shuffled batches")
    var worst = asComposed, words = "as trained \(decimals(asComposed.value)), shuffled \(decimals(mixed.value))"
    if examiner.hasAnswersToSortBy {
      let alike = Dictionary(grouping: shuffled) { composed[$0].truth }.sorted { $0.key < $1.key }
        .flatMap { $0.value.prefix($0.value.count / size * size) }
      guard !alike.isEmpty else {
        return ControlFinding(BatchStatistics.self, .undecided, "Too few examples for a batch of one answer.", score: asComposed, expected: mixed.value)
      }
      // Those of one batch share its statistics, and err together.
      var together = composed
      for (place, index) in alike.enumerated() { together[index].group = place / size }
      let single = try examiner.answered(together, mode: .training, company: alike).score("accuracy, batches of one answer")
      words += ", one answer a batch \(decimals(single.value))"
      if single.value > worst.value { worst = single }
    }
    words += ", by itself \(decimals(alone.value))"
    // By itself a picture is answered from running averages, which a short training leaves behind; it is told, not judged.
    let gain = worst.value - mixed.value, error = (worst.standardError * worst.standardError + mixed.standardError * mixed.standardError).squareRoot()
    if gain > acceptance.tolerance, gain > AuditAcceptance.sigmas * error {
      return ControlFinding(BatchStatistics.self, .leak, "Company helps (\(words)): \(meaning).", score: worst, expected: mixed.value)
    }
    let bound = 2 * acceptance.tolerance, isShown = gain + 1.96 * error <= bound
    return ControlFinding(
      BatchStatistics.self, isShown ? .passed : .undecided,
      isShown ? "Company does not help by more than \(decimals(bound)) (\(words))." : "Not shown that company does not help (\(words)).", score: worst,
      expected: mixed.value)
  }
}
