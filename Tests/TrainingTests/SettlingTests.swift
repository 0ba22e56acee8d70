import Corpora
import Engine
import Foundation
import Graphs
import Host
import Networks
import Pretexts
import Tensors
import Testing
import Training

/// Running statistics of a finished run are those of pictures as they are judged: averages of what the first layer gives to unaugmented batches,
/// computed here by the interpreter from the final weights. The recipe's jitter is such that augmented ones would have several times the variance.
@Test func runningStatisticsAreThoseOfUnaugmentedPictures() throws {
  let tiny = try TinyCorpus(), task = try Choice.of(Flip(antisymmetric: true, jitter: Jitter(intensity: 0, offset: 1, noise: 3)))
  let recipe = tiny.recipe { ($0.task, $0.learningRate) = (task, 0.02) }
  let trainer = try Trainer(recipe, folder: tiny.folder + "/run")
  #expect(try trainer.run() == .finished)
  let network = try TrainingNetwork(recipe, side: 33, classes: trainer.classes, path: "test")
  let (program, _) = network.program(batch: recipe.batch, mode: .training)
  for name in ["running_mean", "running_var"] {
    let path = "backbone.bn1.\(name)"
    let only = Program(inputs: program.inputs, parameters: program.parameters, outputs: [:], updates: [path: program.updates[path]!])
    var weights = Dictionary(uniqueKeysWithValues: trainer.weights.slots.map { ($0.path, trainer.weights[$0.path].map { Double($0) }) })
    weights[path] = weights[path]!.map { _ in 0 }
    // From 0 an update is a tenth of what the batch has.
    func statistic(_ batch: [String: Tensor<Float>]) -> [Double] {
      only.interpreted(batch.mapValues { $0.map { Double($0) } }, weights).updates[path]!.elements.map { $0 / 0.1 }
    }
    // The last look is after step 12, and went through the pictures of steps 12 to 51; what was averaged before has 1.5 % of the weight.
    var expected = [Double](repeating: 0, count: 4)
    for step in 12..<52 { expected = zip(expected, statistic(try trainer.train.unaugmented(step: step))).map { 0.9 * $0 + 0.1 * $1 } }
    let augmented = statistic(try trainer.train.training(step: 11)), found = trainer.weights[path].elements.map { Double($0) }
    for channel in found.indices {
      let scale = abs(expected[channel]) + (name == "running_var" ? 0 : 0.1)
      #expect(abs(found[channel] - expected[channel]) < 0.05 * scale + 0.02 * abs(augmented[channel]), "\(path) \(channel): \(found[channel]), not \(expected[channel])")
      if name == "running_var" { #expect(augmented[channel] > 1.5 * found[channel], "\(path) \(channel)") }
    }
  }
}

/// However often a run looks, and so settles, it learns the same.
@Test func settlingChangesNothingThatIsLearnt() throws {
  let tiny = try TinyCorpus()
  let runs = try [4, 12].map { every in
    let trainer = try Trainer(tiny.recipe { $0.validateEvery = every }, folder: tiny.folder + "/\(every)")
    #expect(try trainer.run() == .finished)
    return trainer.weights
  }
  for slot in runs[0].slots where slot.role == .trainable { #expect(runs[0][slot.path].elements == runs[1][slot.path].elements, "\(slot.path)") }
}

/// Without a validation split a look only settles; stopped in it, at the end or before, the run goes on to the same bits and figures.
@Test(arguments: [4, 12]) func aRunStoppedWhileItSettlesGoesOnToTheSameBits(at step: Int) throws {
  let tiny = try TinyCorpus(hasValidation: false), recipe = tiny.recipe(), whole = tiny.folder + "/whole", parts = tiny.folder + "/parts"
  #expect(try Trainer(recipe, folder: whole).run() == .finished)
  let first = try Trainer(recipe, folder: parts)
  var asked = 0
  #expect(try first.run(shouldStop: { if first.step == step { asked += 1 }; return asked > 20 }) == .stopped(step: step))
  #expect(try Trainer(recipe, folder: parts).run() == .finished)
  for file in ["last", "best"] {
    #expect(try AtomicFile.read(parts + "/\(file).safetensors") == AtomicFile.read(whole + "/\(file).safetensors"), "\(file)")
  }
  func losses(_ folder: String) throws -> [Double] { try RunFolder(folder).metrics().map(\.loss) }
  #expect(try losses(parts) == losses(whole))
}

/// Pieces of a handful of frames are what such a task learns; whole frames are none of them, and nothing is settled on them.
@Test func aHandfulOfFramesIsNotSettledOn() throws {
  let tiny = try TinyCorpus()
  let runs = try [4, 12].map { every in
    let recipe = tiny.recipe { ($0.task, $0.validateEvery) = (Choice(name: "single-image"), every) }
    let trainer = try Trainer(recipe, folder: tiny.folder + "/\(every)")
    #expect(try trainer.run() == .finished)
    return trainer.weights
  }
  for slot in runs[0].slots { #expect(runs[0][slot.path].elements == runs[1][slot.path].elements, "\(slot.path)") }
}
