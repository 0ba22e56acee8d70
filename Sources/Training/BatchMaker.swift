import Dispatch
import Foundation
import Pretexts
import Synchronization
import Tensors

/// Makes the batches of a run. Which pictures a step sees and how each is turned into an example depends on
/// (seed, step) alone, so a resumed run goes on with exactly the batches it would have had.
package struct BatchMaker: Sendable {
  let images: ImageSet
  let task: any PretextTask
  let scaling: InputScaling
  let seed: UInt64
  let batch: Int

  package init(images: ImageSet, task: any PretextTask, scaling: InputScaling, seed: UInt64, batch: Int) {
    self.images = images
    self.task = task
    self.scaling = scaling
    self.seed = seed
    self.batch = batch
  }

  /// Pictures seen by the step, in epochs of a fresh shuffle each.
  package func indices(step: Int) -> [Int] {
    var chosen: [Int] = [], epoch = step * batch / images.count, position = step * batch % images.count
    while chosen.count < batch {
      var random = Philox(seed: seed, 1, UInt64(epoch))
      let order = Array(images.images.indices).shuffled(using: &random)
      chosen += order[position..<min(images.count, position + batch - chosen.count)]
      position = 0
      epoch += 1
    }
    return chosen
  }

  package func training(step: Int) -> [String: Tensor<Float>] {
    let examples = indices(step: step).enumerated().map { place, index in
      var random = Philox(seed: seed, 2, UInt64(step), UInt64(place))
      return example(index, augmenting: true, using: &random)
    }
    return BatchMaker.stacked(examples)
  }

  /// Pictures `range` as fixed examples, the same at every look; filled up by repeating the last.
  package func validation(_ range: Range<Int>) -> [String: Tensor<Float>] {
    let examples = (0..<batch).map { place in
      let index = min(range.lowerBound + place, range.upperBound - 1)
      // Not the run's seed: runs of several seeds are judged on the same examples.
      var random = Philox(seed: 0, 3, UInt64(index))
      return example(index % images.count, augmenting: false, using: &random)
    }
    return BatchMaker.stacked(examples)
  }

  private func example(_ index: Int, augmenting: Bool, using random: inout Philox) -> [String: Tensor<Float>] {
    task.makeExample(
      from: images.images[index], answer: images.answers.isEmpty ? nil : images.answers[index], classes: images.classes.count,
      scaling: scaling, augmenting: augmenting, using: &random)
  }

  static func stacked(_ examples: [[String: Tensor<Float>]]) -> [String: Tensor<Float>] {
    Dictionary(uniqueKeysWithValues: examples[0].keys.map { key in (key, Tensor.stacked(examples.map { $0[key]! })) })
  }
}

/// Prepares the next batch beside the engine, which keeps its own thread.
package final class BatchQueue: Sendable {
  private let maker: BatchMaker
  private let ready = Mutex<[Int: [String: Tensor<Float>]]>([:])
  private let made = DispatchSemaphore(value: 0)

  package init(_ maker: BatchMaker, from step: Int, through last: Int) {
    self.maker = maker
    self.last = last
    if step <= last { prepare(step) }
  }

  private let last: Int

  private func prepare(_ step: Int) {
    DispatchQueue.global(qos: .userInitiated).async { [self] in
      let batch = maker.training(step: step)
      ready.withLock { $0[step] = batch }
      made.signal()
    }
  }

  /// The batch of `step`; the one after it is begun. Steps are asked for in order.
  package func next(_ step: Int) -> [String: Tensor<Float>] {
    made.wait()
    if step < last { prepare(step + 1) }
    return ready.withLock { $0.removeValue(forKey: step)! }
  }
}
