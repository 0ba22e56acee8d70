import Engine
import Foundation
import Graphs
import Pretexts
import Tensors

/// Looks at the validation split.
extension Trainer {
  /// Whether the run was stopped in the look that its last step was due, be it to settle alone.
  var owesLook: Bool {
    step > 0 && checkpoint.running.seen > 0 && (step % recipe.validateEvery == 0 || step == recipe.steps)
  }

  /// Loss and accuracy over the validation split, on fixed examples (of views as many whole batches as it fills); `nil` where `shouldStop` says so before a batch.
  func validate(
    _ plan: Plan, _ validation: BatchMaker, _ questions: [Question], rate: Double, shouldStop: () -> Bool
  ) throws -> RunFolder.Metric? {
    let clock = ContinuousClock(), began = clock.now
    // Small splits are looked at several times with other self-made answers, so that the figure means something.
    let isAmongBatch = network.isAskedAmongABatch, look = validation.fixedLook(amongBatch: isAmongBatch)
    let total = look.count * max(1, 512 / look.count)
    var loss = 0.0, right = questions.map { _ in 0 }, pictures: Set<Int> = []
    for start in stride(from: 0, to: total, by: look.unit) {
      if shouldStop() { return nil }
      let range = start..<min(total, start + look.unit), batch = try validation.validation(range, amongBatch: isAmongBatch)
      let isSound = batch.isFinite, outputs = try plan.evaluate(batch, weights), stepLoss = Double(outputs["loss"]!.elements[0])
      guard isSound, stepLoss.isFinite else {
        let program = network.program(batch: look.unit, mode: .inference).program
        let fault = try FaultFinder(program: program, precision: precision.precision).fault(batch, weights) { place in
          validation.record(ofFixed: place, in: range, amongBatch: isAmongBatch).id
        }
        throw divergence(isSound ? "validation loss \(stepLoss)" : "a validation picture is not finite", at: step, fault)
      }
      pictures.formUnion(validation.pictures(ofFixed: range, amongBatch: isAmongBatch))
      // The mean loss includes the filling of the last batch, where there is one; its share is at most one batch in total.
      loss += stepLoss * Double(range.count)
      for (index, count) in Trainer.rightAnswers(questions, outputs, batch, first: range.count).enumerated() { right[index] += count }
    }
    return .init(
      step: step, split: "validation", loss: loss / Double(total), right: right, of: total,
      pictures: pictures.count, questions, learningRate: rate,
      imagesPerSecond: Double(total) / seconds(clock.now - began))
  }

  /// What guessing reaches at a look: of answers that the corpus gives, the share of the most frequent one; `nil` without a validation split, and for
  /// several tasks of which one asks for a label.
  public var validationChance: Double? {
    guard let validation else { return nil }
    let images = validation.images
    if !images.answers.isEmpty, validation.task is Multi { return nil }
    if !images.answers.isEmpty {
      return Double(Dictionary(images.answers.map { ($0, 1) }, uniquingKeysWith: +).values.max()!) / Double(images.count)
    }
    return validation.task.chance(batch: validation.fixedLook(amongBatch: network.isAskedAmongABatch).unit)?.share ?? 1 / Double(max(1, classes.count))
  }

  /// How many of the first rows are answered right, for each question.
  static func rightAnswers(
    _ questions: [Question], _ outputs: [String: Tensor<Float>], _ batch: [String: Tensor<Float>], first count: Int
  ) -> [Int] {
    questions.map { $0.right(outputs[$0.output]!, batch, first: count) }
  }
}
