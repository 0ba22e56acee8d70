import Corpora
import Engine
import Foundation
import Graphs
import Host
import Networks
import Pretexts
import Tensors

/// Runs a recipe: corpus in, run folder out. Belongs to one thread.
///
/// A run that is stopped or killed goes on from its last checkpoint when it is run again, and ends with the same bits.
public final class Trainer {
  public enum Ending: Equatable, Sendable {
    case finished
    /// Stopped on request after this many steps; everything is saved.
    case stopped(step: Int)
  }

  public let recipe: TrainingRecipe
  public let folder: RunFolder
  private let network: TrainingNetwork
  private let train: BatchMaker
  private let validation: BatchMaker?
  private let optimizer: any Optimizer
  private var description: Checkpoint.Description
  private var weights: Weights
  private var moments: OptimizerState
  private var running = Checkpoint.RunningFigures()

  /// Loads the pictures, and the last checkpoint where the folder has one.
  ///
  /// - Parameter imageMemory: bytes of pictures to keep in memory; what does not fit is read from the shards step by step. It
  ///   changes nothing in what is computed.
  /// Throws when the folder holds a run of another recipe or corpus, or when the corpus has nothing to train on.
  public init(_ recipe: TrainingRecipe, folder path: String, imageMemory: Int = ImageSet.usualMemory) throws(InputError) {
    try recipe.validate(path: path)
    self.recipe = recipe
    folder = RunFolder(path)
    let corpus = try Corpus(opening: recipe.corpus)
    let task = try recipe.task.task(path: path)
    let images = try ImageSet(
      corpus, split: .train, include: recipe.include, exclude: recipe.exclude, task: task, memory: imageMemory)
    guard let scaling = try images.scaling() else {
      throw InputError(path: recipe.corpus, place: "split train", expected: "pictures with measured, varying pixels", found: "none")
    }
    network = try TrainingNetwork(recipe, side: images.side, classes: images.classes, path: path)
    optimizer = try recipe.optimizer.optimizer(path: path)
    train = BatchMaker(images: images, task: task, scaling: scaling, seed: recipe.seed, batch: recipe.batch)
    let hasValidation = corpus.records.contains { $0.split == .validation }
    validation = hasValidation
      ? BatchMaker(
        images: try ImageSet(
          corpus, split: .validation, include: recipe.include, exclude: recipe.exclude, task: task,
          memory: imageMemory - images.residentBytes),
        task: task, scaling: scaling, seed: recipe.seed, batch: recipe.batch) : nil
    let digest = try Checksum.sha256(file: recipe.corpus + "/manifest.json")
    description = .init(
      recipe: recipe, scaling: scaling, side: images.side, classes: images.classes, corpus: digest)
    weights = network.initialWeights(seed: recipe.seed)
    moments = OptimizerState(moments: type(of: optimizer).moments, count: weights.storage.count)
    if FileManager.default.fileExists(atPath: folder.last) {
      let last = try Checkpoint(reading: folder.last)
      // The same corpus may be reached by another path; its checksum tells.
      var known = last.description.recipe
      known.corpus = recipe.corpus
      guard known == recipe, last.description.corpus == digest else {
        throw InputError(
          path: folder.last, place: "description", expected: "a checkpoint of this recipe and corpus",
          found: "a run of another \(last.description.corpus == digest ? "recipe" : "corpus"); choose another folder")
      }
      (description, weights, moments, running) = (last.description, last.weights, last.optimizer, last.running)
      description.recipe.corpus = recipe.corpus
    }
  }

  public var step: Int { description.step }

  /// The run as it stands.
  public var checkpoint: Checkpoint { Checkpoint(description: description, weights: weights, optimizer: moments, running: running) }

  /// Trains to the end of the recipe, or until `shouldStop` says so after a step.
  public func run(shouldStop: () -> Bool = { false }, progress: ProgressHandler = { _ in }) throws -> Ending {
    try AtomicFile.write(CanonicalJSON.data(recipe), to: folder.recipe)
    let log = try MetricLog(folder, startingWith: folder.metrics(through: step))
    guard step < recipe.steps else { return .finished }
    let (program, target) = network.program(batch: recipe.batch, mode: .training)
    let plan = try Plan(program, precision: recipe.precision)
    var gradients = Weights(program.parameters)
    let queue = BatchQueue(train, from: step, through: recipe.steps - 1)
    let clock = ContinuousClock()
    var began = clock.now, trainingTime = 0.0, timed = 0, accuracy = "", rates: [Double] = []

    while step < recipe.steps {
      let batch = try nextBatch(queue)
      let rate = recipe.learningRate * recipe.schedule.factor(step: step, total: recipe.steps)
      let outputs = try plan.run(batch, &weights, gradients: &gradients)
      let stepLoss = Double(outputs["loss"]!.elements[0])
      guard stepLoss.isFinite else {
        throw diverged("a finite loss", found: "\(stepLoss)")
      }
      optimizer.update(&weights, gradients, &moments, learningRate: Float(rate))
      description.step += 1
      running.loss += stepLoss
      running.right += Trainer.rightAnswers(outputs["logits"]!, batch[target]!, first: recipe.batch)
      running.seen += recipe.batch
      timed += recipe.batch
      let now = clock.now
      trainingTime += seconds(now - began)
      rates = (rates + [Double(recipe.batch) / seconds(now - began)]).suffix(20)
      began = now
      progress(Progress(
        "train \(recipe.name)", done: step, total: recipe.steps,
        note: "loss \(rounded(stepLoss)), \(Int(Statistics.median(rates))) images/s" + accuracy))

      let isLast = step == recipe.steps, stops = shouldStop()
      if step % recipe.validateEvery == 0 || step % recipe.checkpointEvery == 0 || isLast || stops {
        // A run that went wrong must not become the checkpoint from which it goes on.
        guard weights.storage.allSatisfy(\.isFinite) else { throw diverged("finite weights", found: "infinite ones or NaN") }
      }
      if step % recipe.validateEvery == 0 || isLast {
        let batches = Double(running.seen / recipe.batch)
        try log.append(.init(
          step: step, split: "train", loss: running.loss / batches, accuracy: Double(running.right) / Double(running.seen), count: running.seen,
          learningRate: rate,
          imagesPerSecond: Double(timed) / trainingTime))
        (running, timed, trainingTime) = (Checkpoint.RunningFigures(), 0, 0)
        if let metric = try validate(rate: rate) {
          try log.append(metric)
          accuracy = ", validation \(rounded(metric.accuracy))"
          if metric.accuracy > description.bestAccuracy {
            description.bestAccuracy = metric.accuracy
            description.bestStep = step
            try checkpoint.write(to: folder.best)
          }
        } else if isLast {
          try checkpoint.write(to: folder.best)
        }
      }
      if step % recipe.checkpointEvery == 0 || isLast || stops { try checkpoint.write(to: folder.last) }
      if stops && !isLast { return .stopped(step: step) }
      began = clock.now
    }
    return .finished
  }

  /// The batch of this step. Where a picture cannot be read the run is saved first, to go on from here once it can.
  private func nextBatch(_ queue: BatchQueue) throws(InputError) -> [String: Tensor<Float>] {
    do throws(InputError) { return try queue.next(step) } catch {
      try checkpoint.write(to: folder.last)
      throw error
    }
  }

  private func diverged(_ expected: String, found: String) -> InputError {
    InputError(
      path: folder.path, place: "step \(step)", expected: expected,
      found: "\(found); lower learningRate (\(recipe.learningRate)) or raise schedule.warmupSteps (\(recipe.schedule.warmupSteps))")
  }

  /// Loss and accuracy over the whole validation split, on fixed examples.
  private func validate(rate: Double) throws -> RunFolder.Metric? {
    guard let validation else { return nil }
    let (program, target) = network.program(batch: recipe.batch, mode: .inference)
    let plan = try Plan(program, precision: recipe.precision), clock = ContinuousClock(), began = clock.now
    // Small splits are looked at several times with other self-made answers, so that the figure means something.
    let total = validation.images.count * max(1, 512 / validation.images.count)
    var loss = 0.0, right = 0
    for start in stride(from: 0, to: total, by: recipe.batch) {
      let range = start..<min(total, start + recipe.batch), batch = try validation.validation(range)
      let outputs = try plan.evaluate(batch, weights)
      // The mean loss includes the filling of the last batch; its share is at most one batch in total.
      loss += Double(outputs["loss"]!.elements[0]) * Double(range.count)
      right += Trainer.rightAnswers(outputs["logits"]!, batch[target]!, first: range.count)
    }
    guard loss.isFinite else { throw diverged("a finite validation loss", found: "\(loss)") }
    return .init(
      step: step, split: "validation", loss: loss / Double(total), accuracy: Double(right) / Double(total), count: total,
      learningRate: rate, imagesPerSecond: Double(total) / seconds(clock.now - began))
  }

  /// How many of the first rows are answered right.
  static func rightAnswers(_ logits: Tensor<Float>, _ target: Tensor<Float>, first count: Int) -> Int {
    let chosen = Answers.chosen(logits), truth = target.shape.rank == 2 ? Answers.chosen(target) : target.elements.map { $0 > 0.5 ? 1 : 0 }
    return (0..<count).count { chosen[$0] == truth[$0] }
  }
}

func seconds(_ duration: Duration) -> Double {
  let (whole, fraction) = duration.components
  return Double(whole) + Double(fraction) * 1e-18
}

/// Three decimals.
private func rounded(_ value: Double) -> String { String(format: "%.3f", value) }
