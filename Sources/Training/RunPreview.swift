import Engine
import Foundation
import Graphs
import Pretexts
import Tensors

/// What a run will take, measured by a few steps that are thrown away.
public struct RunPreview: Codable, Sendable {
  public var recipe: TrainingRecipe
  public var precision: String
  public var classes: [String]
  public var side: Int
  public var trainingPictures: Int
  /// `nil` where the corpus has no validation split.
  public var validationPictures: Int?
  /// Trainable numbers.
  public var parameters: Int
  /// Bytes for weights, gradients, the optimiser's moments, intermediate results and pictures.
  public var memory: Int
  /// Of one training step, its batch included; the median of those that were timed.
  public var stepSeconds: Double
  public var timedSteps: Int
  /// Of one example that is only looked at, its making included.
  public var passSeconds: Double
  /// Of all steps that are left and the looks at the validation split.
  public var seconds: Double
  /// Of the audit at the end of the run, where one is made; not in `seconds`.
  public var auditSeconds: Double?

  public var text: String {
    func mebibytes(_ bytes: Int) -> String { "\(bytes >> 20) MiB" }
    func time(_ seconds: Double) -> String {
      let minutes = seconds / 60, hours = minutes / 60
      return hours >= 2 ? String(format: "%.1f h", hours) : minutes >= 2 ? String(format: "%.0f min", minutes) : String(format: "%.0f s", seconds)
    }
    return """
      \(recipe.name)\(recipe.about.isEmpty ? "" : ": \(recipe.about)")
      task       \(recipe.task.name): \(RunPreview.listed(classes))
      backbone   \(recipe.backbone.name), \(parameters) trainable numbers with the head
      corpus     \(recipe.corpus): \(trainingPictures) training pictures of \(side)×\(side)\(validationPictures.map { ", \($0) for validation" } ?? ", none for validation")
      precision  \(precision)
      time       \(time(seconds)) for \(recipe.steps) steps of \(recipe.batch) pictures, \(String(format: "%.0f", stepSeconds * 1000)) ms each (\(timedSteps) timed)

      """ + (auditSeconds.map { "audit      about \(time($0)) more, at the end; --no-audit leaves it out\n" } ?? "") + "memory     \(mebibytes(memory))"
  }
}

extension RunPreview {
  /// All answers where a reader can take them in; of more, the number and the first ones.
  static func listed(_ classes: [String]) -> String {
    classes.count <= 72 ? classes.joined(separator: "; ") : "\(classes.count) answers: \(classes.prefix(4).joined(separator: "; ")); …"
  }
}

extension Trainer {
  /// The batch of the next step.
  public func exampleBatch() throws -> LabelledBatch {
    LabelledBatch(try train.training(step: step), network.questions, classes: classes)
  }

  /// Runs up to `count` steps, after one that warms up, and a look at one validation batch, of which nothing stays.
  ///
  /// - Parameter limit: No step or look is begun after this time. The first step is run whatever it takes, and is the one that counts where
  ///   there is no second.
  public func preview(steps count: Int = 5, limit: Duration = .seconds(10)) throws -> RunPreview {
    let (program, questions) = network.program(batch: recipe.batch, mode: .training), plan = try compiled(program)
    let clock = ContinuousClock(), began = clock.now
    var weights = weights, gradients = Weights(program.parameters), moments = moments, times: [Double] = []
    for index in 0..<count + 1 {
      let start = clock.now, batch = try train.training(step: step + index)
      _ = try plan.run(fed(batch, at: step + index, program, questions), &weights, gradients: &gradients)
      optimizer.update(&weights, gradients, &moments, learningRate: 0)
      times.append(seconds(clock.now - start))
      if clock.now - began > limit { break }
    }
    if times.count > 1 { times.removeFirst() }
    let stepSeconds = Statistics.median(times)
    // Forward and backward are three times forward. A look settles the statistics first.
    var looking = 0.0, lookingBytes = 0, passSeconds = stepSeconds / 3 / Double(recipe.batch)
    if let validation {
      let look = validation.fixedLook(amongBatch: network.isAskedAmongABatch)
      let plan = try compiled(network.program(batch: look.unit, mode: .inference).program)
      lookingBytes = plan.memoryBytes
      for _ in 0..<2 {
        let start = clock.now
        _ = try plan.evaluate(try validation.validation(0..<min(look.unit, look.count), amongBatch: network.isAskedAmongABatch), weights)
        looking = seconds(clock.now - start)
        if clock.now - began > limit { break }
      }
      passSeconds = looking / Double(look.unit)
      looking *= Double((max(512, look.count) + look.unit - 1) / look.unit)
    }
    if let (plan, program) = try settlingPlan() {
      var weights = weights, settling = 0.0
      for _ in 0..<2 {
        let start = clock.now, fields = try train.unaugmented(step: step)
        _ = try plan.run(fields.merging(program.maskFields(seed: recipe.seed, step: step)) { own, _ in own }, &weights, gradients: &gradients)
        settling = seconds(clock.now - start)
        if clock.now - began > limit { break }
      }
      looking += Double(Trainer.settlingBatches) * settling
      lookingBytes += plan.memoryBytes
    }
    let left = recipe.steps - step, looks = (left + recipe.validateEvery - 1) / recipe.validateEvery
    return RunPreview(
      recipe: recipe, precision: "\(precision)", classes: classes, side: train.images.side, trainingPictures: train.images.count,
      validationPictures: validation?.images.count, parameters: network.parameters.reduce(0) { $0 + ($1.role == .trainable ? $1.value.shape.count : 0) },
      memory: weights.storage.count * 4 * (2 + moments.moments.count) + plan.memoryBytes + lookingBytes + train.images.residentBytes
        + (validation?.images.residentBytes ?? 0),
      stepSeconds: stepSeconds, timedSteps: times.count, passSeconds: passSeconds, seconds: Double(left) * stepSeconds + Double(looks) * looking)
  }
}
