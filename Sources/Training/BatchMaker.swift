import Engine
import Foundation
import Host
import Pretexts
import Synchronization
import Tensors

/// Makes the batches of a run. Which pictures a step sees and how each is turned into an example depends on
/// (seed, step) alone, so a resumed run goes on with exactly the batches it would have had, on any number of threads.
package struct BatchMaker: Sendable {
  let images: ImageSet
  let task: any PretextTask
  let scaling: InputScaling
  let seed: UInt64
  let batch: Int
  private let order: EpochOrder

  package init(images: ImageSet, task: any PretextTask, scaling: InputScaling, seed: UInt64, batch: Int) {
    self.images = images
    self.task = task
    self.scaling = scaling
    self.seed = seed
    self.batch = batch
    order = EpochOrder(count: images.count, seed: seed)
  }

  /// Pictures seen by the step, in epochs of a fresh shuffle each.
  package func indices(step: Int) -> [Int] {
    var chosen: [Int] = [], epoch = step * batch / images.count, position = step * batch % images.count
    while chosen.count < batch {
      chosen += order.pictures(of: epoch)[position..<min(images.count, position + batch - chosen.count)]
      position = 0
      epoch += 1
    }
    return chosen
  }

  /// The batch of a step, made on all cores of the engine, whose thread this has to be, or on this thread alone: field -> `[batch, ...]`.
  package func training(step: Int, concurrently: Bool = true) throws(InputError) -> [String: Tensor<Float>] {
    let indices = indices(step: step)
    return try made(concurrently: concurrently) { place in
      (indices[place], Philox(seed: seed, 2, UInt64(step), UInt64(place)), true)
    }
  }

  /// Pictures `range` as fixed examples, the same at every look; filled up by repeating the last.
  package func validation(_ range: Range<Int>) throws(InputError) -> [String: Tensor<Float>] {
    try made(concurrently: true) { place in
      let index = min(range.lowerBound + place, range.upperBound - 1)
      // Not the run's seed: runs of several seeds are judged on the same examples.
      return (index % images.count, Philox(seed: 0, 3, UInt64(index)), false)
    }
  }

  /// `plan` gives for each place the picture, the key of its example and whether it is augmented.
  private func made(
    concurrently: Bool, _ plan: @Sendable (Int) -> (index: Int, random: Philox, augmenting: Bool)
  ) throws(InputError) -> [String: Tensor<Float>] {
    let shapes = task.fields(side: images.side, classes: images.classes.count)
    let parts = Mutex<[Int: Result<ExampleBatch, InputError>]>([:])
    @Sendable func make(_ places: Range<Int>) {
      let result: Result<ExampleBatch, InputError>
      do throws(InputError) {
        var part = ExampleBatch(shapes, count: places.count)
        for place in places {
          var (index, random, augmenting) = plan(place)
          task.makeExample(
            from: try images.image(index), answer: images.answers.isEmpty ? nil : images.answers[index], scaling: scaling,
            augmenting: augmenting, using: &random, into: &part, at: place - places.lowerBound)
        }
        result = .success(part)
      } catch { result = .failure(error) }
      parts.withLock { $0[places.lowerBound] = result }
    }
    if concurrently { EngineThreads.split(batch, make) } else { make(0..<batch) }
    // Of several errors the first place's, whichever thread was faster.
    let made = parts.withLock { $0.sorted { $0.key < $1.key } }
    return ExampleBatch.joined(try made.map { part throws(InputError) in try part.value.get() })
  }
}

/// The shuffled pictures of each epoch; remembers the two last asked for, since a step may lie across their border.
private final class EpochOrder: Sendable {
  private let count: Int
  private let seed: UInt64
  private let known = Mutex<[(epoch: Int, pictures: [Int])]>([])

  init(count: Int, seed: UInt64) { (self.count, self.seed) = (count, seed) }

  func pictures(of epoch: Int) -> [Int] {
    known.withLock { known in
      if let found = known.first(where: { $0.epoch == epoch }) { return found.pictures }
      var random = Philox(seed: seed, 1, UInt64(epoch))
      let pictures = Array(0..<count).shuffled(using: &random)
      known = known.suffix(1) + [(epoch, pictures)]
      return pictures
    }
  }
}
