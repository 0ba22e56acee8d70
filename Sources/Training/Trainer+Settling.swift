import Engine
import Graphs
import Tensors

/// Settles the running means and variances of normalisation on what the network will be asked.
///
/// Training moves them towards batches that jitter and augmentations have changed, seen by networks that are no more. Asked about pictures as they are
/// measured, a network then stands on statistics of others: told how much photon noise a picture has, one that was right about 0.99 of them
/// in company was right about 0.64 by itself, since its jitter had noise (Docs/Results.md). So before every look they are averaged anew over
/// training pictures that are made into examples as validation makes them.
/// Source: Touvron et al., "Fixing the train-test resolution discrepancy", NeurIPS 2019; Wu and Johnson, arXiv 2105.07576, section 3.
extension Trainer {
  /// With momentum 0.1, 40 batches leave 1.5 % of what was averaged before.
  static let settlingBatches = 40

  /// A forward pass in training mode, for a network that has something to settle; else `nil`. Nor are there plain pictures to settle on where pieces of a
  /// handful of frames are what is learnt.
  func settlingPlan() throws -> (plan: Plan, program: Program)? {
    let program = network.settlingProgram(batch: recipe.batch)
    return program.updates.isEmpty || network.task.frameChoice != nil ? nil : (try compiled(program), program)
  }

  /// The weights with settled statistics; `nil` where `shouldStop` says so before a batch. Deterministic in (seed, step).
  ///
  /// Training itself takes the statistics of its own batches, and so is not changed by it. Throws `Divergence` where a number is not finite, and
  /// `InputError` for a picture that cannot be read.
  /// - Parameter gradients: of training; not looked at.
  func settled(_ plan: Plan, _ program: Program, _ gradients: inout Weights, shouldStop: () -> Bool) throws -> Weights? {
    var weights = weights
    for index in 0..<Trainer.settlingBatches {
      if shouldStop() { return nil }
      let at = step + index
      let batch = try train.unaugmented(step: at)
      guard batch.isFinite else {
        let indices = try train.indices(step: at)
        let fault = try FaultFinder(program: program, precision: precision.precision).fault(batch, weights) { train.images.records[indices[$0]].id }
        throw divergence("a training picture is not finite as it is judged", at: step, fault)
      }
      _ = try plan.run(batch.merging(program.maskFields(seed: recipe.seed, step: at)) { own, _ in own }, &weights, gradients: &gradients)
    }
    if let path = weights.firstInfinite(.statistic) { throw divergence("\(path), settled, is not finite", at: step, nil) }
    return weights
  }
}
