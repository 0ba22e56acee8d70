import Foundation
import Tensors
import Testing
import Training

/// Values of the formula by hand.
@Test func smoothedTargetsStayDistributions() {
  let targets = Tensor<Float>([2, 4], [0, 1, 0, 0, 0.5, 0, 0.5, 0])
  let smoothed = LabelSmoothing.smoothed(targets, by: 0.2)
  for (value, expected) in zip(smoothed.elements, [0.05, 0.85, 0.05, 0.05, 0.45, 0.05, 0.45, 0.05]) {
    #expect(abs(Double(value) - expected) < 1e-6)
  }
  let binary = LabelSmoothing.smoothed(Tensor<Float>([2], [0, 1]), by: 0.1)
  #expect(abs(binary.elements[0] - 0.05) < 1e-6 && abs(binary.elements[1] - 0.95) < 1e-6)
  #expect(LabelSmoothing.smoothed(targets, by: 0) == targets)
}

/// A cross-entropy is never below the entropy of its targets, here that of (0.505, 0.495), 0.6931 nats.
@Test(arguments: ["flip", "crop-position"]) func smoothingEntersTheTrainingLossAlone(task: String) throws {
  let tiny = try TinyCorpus()
  let recipe = tiny.recipe {
    $0.task = Choice(name: task)
    $0.labelSmoothing = 0.99
    $0.learningRate = 3e-3
  }
  _ = try Trainer(recipe, folder: tiny.folder + "/run").run()
  let metrics = try RunFolder(tiny.folder + "/run").metrics()
  let floor = task == "flip" ? 0.69309 : 2.3
  #expect(metrics.filter { $0.split == "train" }.allSatisfy { $0.loss >= floor })
  #expect(metrics.filter { $0.split == "validation" }.count == 3)
}
