import Engine
import Foundation
import Graphs
import Pretexts
import Tensors

/// What a run says when it meets a number that is not finite.
extension Trainer {
  /// Finds where the number came from that made step `step` fail.
  ///
  /// Where the weights themselves are bad already, an earlier step brought it in: the steps since the last checkpoint are
  /// computed again, to the same bits, until it shows.
  func divergence(_ found: String, _ plan: Plan, _ program: Program, _ questions: [Question]) throws -> Divergence {
    let finder = FaultFinder(program: program, precision: precision.precision)
    func fault(_ step: Int, _ weights: Weights) throws -> Divergence.Fault? {
      let records = try train.indices(step: step).map { train.images.records[$0].id }
      return try finder.fault(fed(train.training(step: step), at: step, program, questions), weights) { records[$0] }
    }
    guard weights.firstInfinite(.trainable) != nil else {
      return divergence(found, at: step + 1, try fault(step, weights.withSoundStatistics()))
    }

    var state: (weights: Weights, moments: OptimizerState, step: Int)
    if let last = try lastCheckpoint() {
      state = (last.weights, last.optimizer, last.description.step)
    } else {
      let fresh = try network.startingWeights(recipe).weights
      state = (fresh, OptimizerState(moments: moments.moments.count, count: fresh.storage.count), 0)
    }
    var gradients = Weights(program.parameters)
    while state.step <= step {
      let before = state.weights
      _ = try plan.run(fed(train.training(step: state.step), at: state.step, program, questions), &state.weights, gradients: &gradients)
      if gradients.firstInfinite(.trainable) != nil || state.weights.firstInfinite(.statistic) != nil {
        return divergence(found, at: state.step + 1, try fault(state.step, before))
      }
      optimizer.update(&state.weights, gradients, &state.moments, learningRate: rate(at: state.step))
      if let path = state.weights.firstInfinite(.trainable) { return divergence(found, at: state.step + 1, .update(path: path)) }
      state.step += 1
    }
    return divergence(found, at: step + 1, nil)
  }

  func divergence(_ found: String, at step: Int, _ fault: Divergence.Fault?) -> Divergence {
    // A checkpoint that cannot be read back is none to go on from.
    let checkpoint = (try? lastCheckpoint()).map { (path: folder.last, step: $0.description.step) }
    let advice: String
    if case .input = fault { advice = "mask or drop that pixel when the corpus is built" } else {
      advice = "lower learningRate (\(recipe.learningRate)) or raise schedule.warmupSteps (\(recipe.schedule.warmupSteps))"
    }
    return Divergence(
      path: folder.path, step: step, found: found, fault: fault ?? .unlocated, checkpoint: checkpoint, advice: advice)
  }

  private func lastCheckpoint() throws -> Checkpoint? {
    FileManager.default.fileExists(atPath: folder.last) ? try Checkpoint(reading: folder.last) : nil
  }

  /// The learning rate of the step after `step` steps.
  func rate(at step: Int) -> Float {
    Float(recipe.learningRate * recipe.schedule.factor(step: step, total: recipe.steps))
  }
}
