import Corpora
import Engine
import Graphs
import Host
import Networks
import Pretexts
import Tensors
import Training

/// What feeding costs a training step: the same steps on one batch that lies ready in memory, and fed as a run is fed.
public enum FeedingBench {
  /// Two figures, measured in turn in blocks of 8 steps, after one that is not counted. A block during which other programs ran is
  /// thrown away.
  ///
  /// - Parameter memory: bytes of pictures in memory; 0 reads every picture from its shard at every step.
  public static func figures(
    corpus folder: String, task: any PretextTask, backbone: String, batch: Int, precision: Precision, memory: Int,
    kernels: KernelChoice = .fixed, sampler: Sampler
  ) throws -> [SpeedFigure] {
    var recipe = TrainingRecipe()
    recipe.task = try Choice.of(task)
    recipe.backbone = Choice(name: backbone)
    recipe.batch = batch
    let images = try ImageSet(
      try Corpus(opening: folder), split: .train, include: [:], exclude: [:], task: task, memory: memory)
    guard let scaling = try images.scaling() else {
      throw InputError(path: folder, place: "split train", expected: "pictures with measured, varying pixels", found: "none")
    }
    let network = try TrainingNetwork(recipe, side: images.side, classes: images.classes, path: folder)
    let program = network.program(batch: batch, mode: .training).program, plan = try Plan(program, precision: precision, choice: kernels)
    var weights = network.initialWeights(seed: 1), gradients = Weights(program.parameters)
    let optimizer = SGD()
    var state = OptimizerState(moments: SGD.moments, count: weights.storage.count)
    let maker = BatchMaker(images: images, task: task, scaling: scaling, seed: 1, batch: batch)
    let ready = try maker.training(step: 0)
    var step = 0
    func train(fed: Bool) throws {
      var fields = ready
      if fed {
        fields = try maker.training(step: step)
        step += 1
      }
      _ = try plan.run(fields.merging(program.maskFields(seed: 1, step: step)) { own, _ in own }, &weights, gradients: &gradients)
      optimizer.update(&weights, gradients, &state, learningRate: 1e-3)
    }
    let clock = ContinuousClock(), began = clock.now
    var samples = [Samples(), Samples()]
    repeat {
      for (which, fed) in [false, true].enumerated() {
        try train(fed: fed)
        let before = try ProcessorTimes.now()
        var block: [Double] = []
        for _ in 0..<8 {
          let start = clock.now
          try train(fed: fed)
          block.append((clock.now - start).milliseconds)
        }
        if ForeignLoad(from: before, to: try .now()).isClean {
          samples[which].milliseconds += block
        } else {
          samples[which].discarded += block.count
        }
      }
    } while samples.contains { $0.count < sampler.count } && clock.now - began < sampler.patience
    let setting = "\(type(of: task).name), \(backbone) \(batch)×1×\(images.side)×\(images.side) \(precision.rawValue)"
    let ratio = samples[0].median.flatMap { base in samples[1].median.map { 100 * ($0 / base - 1) } }
    return [
      SpeedFigure("training step, batch in memory", setting, samples[0], images: batch),
      SpeedFigure(
        "training step, fed", setting, samples[1], images: batch,
        note: "\(images.residentCount) of \(images.count) pictures in memory"
          + (ratio.map { "; \(($0 * 10).rounded() / 10) % longer" } ?? "")),
    ]
  }
}
