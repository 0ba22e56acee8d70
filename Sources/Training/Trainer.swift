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
  /// What was taken from the file that the recipe starts from; `nil` for fresh numbers and in a run that goes on.
  public let initialWeights: InitialWeights?
  let network: TrainingNetwork
  package let train: BatchMaker
  let validation: BatchMaker?
  let optimizer: any Optimizer
  private var description: Checkpoint.Description
  package private(set) var weights: Weights
  private(set) var moments: OptimizerState
  private var running = Checkpoint.RunningFigures()
  /// When `last.safetensors` was written that this run knows of.
  private var lastSaved: Date?
  private let memory: AvailableMemory?
  private let kernels: KernelChoice

  /// Loads the pictures, and the last checkpoint where the folder has one.
  ///
  /// Throws `InputError` when the folder holds a run of another recipe or corpus, or when the corpus has nothing to train on;
  /// `MemoryShortage` when the weights alone do not fit.
  /// - Parameters:
  ///   - kernels: How the engine picks among equivalent kernels; `.fixed` gives the same bits for the same seed and number of cores.
  ///   - imageMemory: Bytes of pictures to keep in memory; what does not fit is read from the shards step by step. Changes nothing
  ///     in what is computed.
  ///   - memory: What the run may take; without it, what this machine has left when memory is about to be taken.
  ///   - origin: A checkpoint of another run to go on from, with this recipe from there on: see `Checkpoint.continued`. A folder that
  ///     has a checkpoint of its own goes on from that one.
  ///   - source: What errors in the recipe name, such as its file; the folder where left out.
  public init(
    _ recipe: TrainingRecipe, folder folderPath: String, continuing origin: String? = nil, readFrom source: String? = nil,
    kernels: KernelChoice = .fixed, imageMemory: Int = ImageSet.usualMemory, memory: AvailableMemory? = nil
  ) throws {
    folder = RunFolder(folderPath)
    let path = source ?? folderPath
    try recipe.validate(path: path)
    self.memory = memory
    self.kernels = kernels
    self.recipe = recipe
    let corpus = try Corpus(opening: recipe.corpus)
    let task = try recipe.task.task(path: path), augmentations = try recipe.chosenAugmentations(path: path)
    let images = try ImageSet(
      corpus, split: .train, include: recipe.include, exclude: recipe.exclude, task: task, augmentations: augmentations, memory: imageMemory)
    lastSaved = Trainer.modified(folder.last)
    let last = FileManager.default.fileExists(atPath: folder.last) ? try Checkpoint(reading: folder.last) : nil
    let start = try last == nil ? origin.map { origin throws(InputError) in
      try Checkpoint(reading: origin).continued(by: recipe, side: images.side, classes: images.classes, path: origin)
    } : nil
    // A network goes on with the scaling that it has learnt.
    let known = (last ?? start)?.description.scaling
    let scaling = try known ?? images.scaling(for: recipe)
    network = try TrainingNetwork(recipe, side: images.side, classes: images.classes, path: path)
    optimizer = try recipe.optimizer.optimizer(path: path)
    train = BatchMaker(
      images: images, task: task, augmentations: augmentations, scaling: scaling, seed: recipe.seed, batch: recipe.batch)
    // Batches that cannot be put together are refused before anything is written.
    _ = try train.indices(step: 0)
    if network.isAskedAmongABatch { try train.checkCompany(path: path) }
    let hasValidation = corpus.records.contains { $0.split == .validation }
    validation = hasValidation
      ? BatchMaker(
        images: try ImageSet(
          corpus, split: .validation, include: recipe.include, exclude: recipe.exclude, task: task,
          memory: imageMemory - images.residentBytes),
        task: task, scaling: scaling, seed: recipe.seed, batch: recipe.batch) : nil
    let digest = try Checksum.sha256(file: recipe.corpus + "/manifest.json")
    description = .init(
      recipe: recipe, scaling: scaling, side: images.side, classes: images.classes, step: start?.description.step ?? 0, corpus: digest)
    description.origin = start?.description.origin
    let numbers = network.parameters.reduce(0) { $0 + $1.value.shape.count }
    let need = MemoryShortage.Need(plan: nil, numbers: numbers, moments: type(of: optimizer).moments)
    if let available = memory ?? AvailableMemory.current(), need.total > available.bytes {
      throw MemoryShortage(work: "training \(recipe.backbone.name)", need: need, available: available, advice: "choose a smaller backbone")
    }
    // A run that goes on has its own numbers, and does not need the file any more.
    (weights, initialWeights) = try network.startingWeights(recipe, readsFile: last == nil && start == nil)
    moments = OptimizerState(moments: type(of: optimizer).moments, count: weights.storage.count)
    if let start { (weights, moments) = (start.weights, start.optimizer) }
    if let last {
      // The same corpus may be reached by another path; its checksum tells.
      var known = last.description.recipe
      known.corpus = recipe.corpus
      known.about = recipe.about
      if let file = known.initialWeights, let own = recipe.initialWeights, sameName(file, own) { known.initialWeights = own }
      // A run keeps the precision that it began with, wherever it goes on; only asking for the other one is another recipe.
      if recipe.precision == .automatic || recipe.precision == PrecisionChoice(last.description.precision.precision) {
        known.precision = recipe.precision
      }
      let difference = try JSONValue.of(known).firstDifference(from: JSONValue.of(recipe))
      guard difference == nil, last.description.corpus == digest else {
        guard last.description.corpus == digest else {
          throw InputError(
            path: folder.last, place: "description", expected: "a checkpoint of this corpus", found: "a run of another corpus; choose another folder")
        }
        let difference = difference!
        throw InputError(
          path: folder.last, place: "description.recipe.\(difference.place)", expected: "\(difference.other), as this recipe has",
          found: "\(difference.own): a run of another recipe; choose another folder")
      }
      let begun = last.description.origin ?? "one that began with fresh weights"
      if let origin, !begun.contains(try Checksum.sha256(file: origin)) {
        throw InputError(
          path: folder.last, place: "description.origin", expected: "a run that went on from \(origin), or another folder for one that does", found: begun)
      }
      (description, weights, moments, running) = (last.description, last.weights, last.optimizer, last.running)
      description.recipe.corpus = recipe.corpus
      description.recipe.initialWeights = recipe.initialWeights
    }
  }

  /// When a file was last written; `nil` where there is none.
  private static func modified(_ path: String) -> Date? { (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date }

  public var step: Int { description.step }

  /// The answers of the task, in order.
  public var classes: [String] { description.classes }

  /// The precision in which the run computes, decided when it began.
  public var precision: PrecisionDecision { description.precision }

  /// The run as it stands.
  public var checkpoint: Checkpoint { Checkpoint(description: description, weights: weights, optimizer: moments, running: running) }

  /// Trains to the end of the recipe, or until `shouldStop` says so after a step or between the batches of a look at the validation split,
  /// which is then made anew when the run goes on.
  ///
  /// Throws `Divergence` at the first step whose loss is not finite, `MemoryShortage` before a plan that would not fit is
  /// allocated, `InputError` for files, `EngineError` where the machine cannot run the network. The last checkpoint stays good.
  public func run(shouldStop: () -> Bool = { false }, progress: ProgressHandler = { _ in }) throws -> Ending {
    // Two processes that save to one folder would leave neither's checkpoint whole.
    try AtomicFile.makeFolder(folder.path)
    let lock = try FileLock(folder.path + "/training.lock", expected: "no other training in this folder")
    defer {
      lastSaved = Trainer.modified(folder.last)
      withExtendedLifetime(lock) {}
    }
    guard Trainer.modified(folder.last) == lastSaved else {
      throw InputError(
        path: folder.last, place: "", expected: "the checkpoint that was there when this run began", found: "one that another training has written since; run the command again")
    }
    var ran = recipe
    ran.precision = PrecisionChoice(precision.precision)
    try AtomicFile.write(CanonicalJSON.data(ran), to: folder.recipe)
    // From here on the folder stands by itself.
    if description.origin != nil, !FileManager.default.fileExists(atPath: folder.last) { try checkpoint.write(to: folder.last) }
    let owesLook = self.owesLook
    guard step < recipe.steps || owesLook else { return .finished }
    let log = try MetricLog(folder, step: step, repeatingLook: owesLook)
    let (program, questions) = network.program(batch: recipe.batch, mode: .training)
    let plan = try compiled(program)
    // Now, so that a lack of memory shows before the first step.
    let looking = try validation.map { validation in
      let unit = validation.fixedLook(amongBatch: network.isAskedAmongABatch).unit
      return (try compiled(network.program(batch: unit, mode: .inference).program), validation)
    }
    let settling = try settlingPlan()
    var gradients = Weights(program.parameters)
    let clock = ContinuousClock()
    var began = clock.now, trainingTime = 0.0, timed = 0, accuracy = "", rates: [Double] = []

    /// False where it was stopped, with nothing of it kept.
    func look(rate: Double) throws -> Bool {
      let unsettled = weights
      /// What the look finds; a picture that cannot be read saves the run first, to go on from here once it can, as `nextBatch` does.
      func saving<Found>(_ body: () throws -> Found) throws -> Found {
        do { return try body() } catch let error as InputError {
          weights = unsettled
          try checkpoint.write(to: folder.last)
          throw error
        }
      }
      if let (plan, program) = settling {
        guard let settled = try saving({ try settled(plan, program, &gradients, shouldStop: shouldStop) }) else { return false }
        weights = settled
      }
      guard let (plan, pictures) = looking else {
        running = Checkpoint.RunningFigures()
        if step == recipe.steps { try checkpoint.write(to: folder.best) }
        return true
      }
      guard let metric = try saving({ try validate(plan, pictures, questions, rate: rate, shouldStop: shouldStop) }) else {
        weights = unsettled
        return false
      }
      running = Checkpoint.RunningFigures()
      try log.append(metric)
      accuracy = ", validation \(rounded(metric.accuracy)) (not audited)"
      if metric.accuracy > description.bestAccuracy {
        description.bestAccuracy = metric.accuracy
        description.bestStep = step
        try checkpoint.write(to: folder.best)
      }
      return true
    }
    func rate(of step: Int) -> Double { recipe.learningRate * recipe.schedule.factor(step: step, total: recipe.steps) }

    if owesLook {
      guard try look(rate: rate(of: step - 1)) else { return .stopped(step: step) }
      try checkpoint.write(to: folder.last)
    }
    while step < recipe.steps {
      let batch = try nextBatch()
      let rate = rate(of: step)
      // Rectifiers can hide a NaN, so what is fed is looked at, too.
      guard batch.isFinite else { throw try divergence("a fed number is not finite", plan, program, questions) }
      let outputs = try plan.run(fed(batch, at: step, program, questions), &weights, gradients: &gradients)
      let stepLoss = Double(outputs["loss"]!.elements[0])
      guard stepLoss.isFinite else { throw try divergence("loss \(stepLoss)", plan, program, questions) }
      // Rectifiers can hide a NaN from the loss, but not from the statistics of the normalisation before them.
      if let path = weights.firstInfinite(.statistic) { throw try divergence("\(path) is not finite", plan, program, questions) }
      optimizer.update(&weights, gradients, &moments, learningRate: Float(rate))
      description.step += 1
      running.loss += stepLoss
      running.count(Trainer.rightAnswers(questions, outputs, batch, first: recipe.batch), of: recipe.batch)
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
        if let path = weights.firstInfinite(.trainable) { throw try divergence("weight \(path) is not finite", plan, program, questions) }
      }
      if step % recipe.validateEvery == 0 || isLast {
        let batches = Double(running.seen / recipe.batch)
        try log.append(.init(
          step: step, split: "train", loss: running.loss / batches, right: running.rightAnswers, of: running.seen, questions,
          learningRate: rate, imagesPerSecond: Double(timed) / trainingTime))
        (timed, trainingTime) = (0, 0)
        guard try look(rate: rate) else {
          try checkpoint.write(to: folder.last)
          return .stopped(step: step)
        }
      }
      if step % recipe.checkpointEvery == 0 || isLast || stops { try checkpoint.write(to: folder.last) }
      if stops && !isLast { return .stopped(step: step) }
      began = clock.now
    }
    return .finished
  }

  /// The batch of this step. Where a picture cannot be read the run is saved first, to go on from here once it can.
  private func nextBatch() throws(InputError) -> [String: Tensor<Float>] {
    do throws(InputError) { return try train.training(step: step) } catch {
      if weights.firstInfinite(.trainable) == nil { try checkpoint.write(to: folder.last) }
      throw error
    }
  }

  /// A batch as the plan of a training step takes it: answers smoothed, and what random masks depend on.
  func fed(_ batch: [String: Tensor<Float>], at step: Int, _ program: Program, _ questions: [Question]) -> [String: Tensor<Float>] {
    smoothed(batch, questions).merging(program.maskFields(seed: recipe.seed, step: step)) { own, _ in own }
  }

  private func smoothed(_ batch: [String: Tensor<Float>], _ questions: [Question]) -> [String: Tensor<Float>] {
    guard recipe.labelSmoothing > 0 else { return batch }
    var batch = batch
    for case let (.largest, target?) in questions.map({ ($0.rule, $0.target) }) {
      batch[target] = batch[target].map { LabelSmoothing.smoothed($0, by: recipe.labelSmoothing) }
    }
    return batch
  }

  /// Compiles a program if it fits into memory beside the weights.
  func compiled(_ program: Program) throws -> Plan {
    let kept = MemoryShortage.Need(plan: nil, numbers: weights.storage.count, moments: moments.moments.count)
    guard let available = memory ?? AvailableMemory.current() else { return try Plan(program, precision: precision.precision, choice: kernels) }
    // Weights and moments are there already, where the system was asked; the gradients are not.
    let taken = memory == nil ? kept.weights + kept.optimizer : 0
    do {
      return try Plan(
        program, precision: precision.precision, choice: kernels, memoryLimit: max(0, available.bytes + taken - kept.total))
    } catch {
      guard case .memory(let needed, _) = error else { throw error }
      var need = kept
      need.plan = needed
      let narrower = precision.precision == .float32 ? "; bfloat16 halves activations" : ""
      throw MemoryShortage(
        work: "\(program.gradients.isEmpty ? "validating" : "training") \(recipe.backbone.name) with batches of \(recipe.batch) "
          + "pictures of \(description.side)×\(description.side)",
        need: need, available: .init(bytes: available.bytes + taken, source: available.source),
        advice: "lower batch (\(recipe.batch)), the side of the corpus's pictures (\(description.side)) or choose a smaller backbone"
          + narrower)
    }
  }
}

func seconds(_ duration: Duration) -> Double {
  let (whole, fraction) = duration.components
  return Double(whole) + Double(fraction) * 1e-18
}

/// Whether two paths end in the same file name: a file may have moved since the run began.
private func sameName(_ a: String, _ b: String) -> Bool { a.nameInPath == b.nameInPath }

/// Three decimals.
private func rounded(_ value: Double) -> String { String(format: "%.3f", value) }
