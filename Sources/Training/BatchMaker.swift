import Corpora
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
  let augmentations: [any Augmentation]
  let scaling: InputScaling
  let seed: UInt64
  let batch: Int
  private let order: EpochOrder
  /// The pictures of each run, in the order of the runs; empty for tasks to whose batches runs do not matter.
  private let runs: [[Int]]
  /// Who is asked among whom at a look, for tasks whose answers are looked for among a batch.
  private let company: ExampleOrder

  package init(
    images: ImageSet, task: any PretextTask, augmentations: [any Augmentation] = [], scaling: InputScaling, seed: UInt64, batch: Int
  ) {
    self.images = images
    self.task = task
    self.augmentations = augmentations
    self.scaling = scaling
    self.seed = seed
    self.batch = batch
    order = EpochOrder(count: images.count, seed: seed)
    let byRun = task.runsABatch == nil ? [:] : Dictionary(grouping: images.records.indices) { images.records[$0].run }
    runs = byRun.sorted { $0.key < $1.key }.map(\.value)
    let number = Dictionary(uniqueKeysWithValues: Set(images.records.map(\.run)).sorted().enumerated().map { ($1, $0) })
    company = ExampleOrder(runs: images.records.map { number[$0.run]! }, variants: 1, batch: batch, runsABatch: task.runsABatch)
  }

  /// Pictures seen by the step: in epochs of a fresh shuffle each, or of a few runs drawn for the step.
  package func indices(step: Int) throws(InputError) -> [Int] {
    if let count = task.runsABatch { return try indices(step: step, ofRuns: count) }
    var chosen: [Int] = [], epoch = step * batch / images.count, position = step * batch % images.count
    while chosen.count < batch {
      chosen += order.pictures(of: epoch)[position..<min(images.count, position + batch - chosen.count)]
      position = 0
      epoch += 1
    }
    return chosen
  }

  /// Whether there are pictures enough for batches in which none comes twice, of as many runs as the task asks for.
  package var canCompose: Bool {
    guard let count = task.runsABatch else { return images.count >= batch }
    let largest = (batch + count - 1) / count
    return runs.count { $0.count >= largest } >= count
  }

  /// Throws where a view would be looked for among too few others, or among its own picture's: batches of one, of one picture a run, or larger than there
  /// are pictures. Views of a handful of frames are cut from different places, and may be of one frame.
  func checkCompany(path: String) throws(InputError) {
    let runs = task.runsABatch ?? 1
    guard batch >= 2 * runs else {
      throw InputError(
        path: path, place: "batch", expected: "\(2 * runs) or more: task \(type(of: task).name) looks for a picture among the others of its batch"
          + (runs > 1 ? ", which come from \(runs) runs" : ""), found: "\(batch)")
    }
    if task.frameChoice == nil, !canCompose, runs > 1 || task.runsABatch != nil {
      throw InputError(
        path: path, place: "batch", expected: "\(runs) runs of at least \((batch + runs - 1) / runs) training pictures each, for task \(type(of: task).name)",
        found: "fewer; choose a smaller batch, or more runs a batch")
    }
    guard task.frameChoice != nil || canCompose else {
      throw InputError(
        path: path, place: "batch", expected: "at most \(images.count), the number of training pictures: a picture that comes twice has two right answers",
        found: "\(batch)")
    }
  }

  /// Throws where too many runs have too few pictures.
  private func indices(step: Int, ofRuns count: Int) throws(InputError) -> [Int] {
    var random = Philox(seed: seed, 4, UInt64(step))
    do { return try RunDraw.pictures(batch, ofRuns: count, among: runs, using: &random) } catch {
      throw InputError(
        path: "", place: "batch", expected: "\(count) runs of at least \(error.size) training pictures each, for task \(type(of: task).name)",
        found: "\(runs.count { $0.count >= error.size }) such runs; choose a smaller batch, or more runs a batch")
    }
  }

  /// The batch of a step, made on all cores of the engine, whose thread this has to be, or on this thread alone: field -> `[batch, ...]`.
  package func training(step: Int, concurrently: Bool = true) throws(InputError) -> [String: Tensor<Float>] {
    let indices = try indices(step: step)
    return try made(concurrently: concurrently, augmenting: true) { place in
      (indices[place], Philox(seed: seed, 2, UInt64(step), UInt64(place)), nil)
    }
  }

  /// The pictures of a step made into examples as validation makes them: with an answer, and without jitter or augmentation.
  package func unaugmented(step: Int) throws(InputError) -> [String: Tensor<Float>] {
    let indices = try indices(step: step)
    return try made(concurrently: true) { place in (indices[place], Philox(seed: seed, 5, UInt64(step), UInt64(place)), nil) }
  }

  /// How many fixed examples a look at the pictures has, and how many of them are answered at once: each picture in every variant that the task has;
  /// where they are asked among a batch, as many whole batches as the pictures fill, in each of which none comes twice.
  package func fixedLook(amongBatch: Bool) -> (count: Int, unit: Int) {
    guard amongBatch else { return (images.count * task.variants, batch) }
    return (max(1, images.count / company.unit) * company.unit, company.unit)
  }

  /// Fixed examples `range`, the same at every look; of those that are asked by themselves filled up to a batch by repeating the last. Those beyond the
  /// look's count are other examples of the same pictures.
  package func validation(_ range: Range<Int>, amongBatch: Bool = false) throws(InputError) -> [String: Tensor<Float>] {
    if amongBatch {
      let places = company.places(range, seed: 0)
      return try made(concurrently: true, count: range.count) { place in
        let own = places[place]
        return (own.picture, Philox(seed: 0, 6, UInt64(own.look), UInt64(own.picture)), nil)
      }
    }
    let variants = task.variants
    return try made(concurrently: true) { place in
      let example = min(range.lowerBound + place, range.upperBound - 1), look = example / variants
      // Not the run's seed: runs of several seeds are judged on the same examples. The versions of a picture share their key.
      return (look % images.count, Philox(seed: 0, 3, UInt64(look)), variants > 1 ? example % variants : nil)
    }
  }

  /// Which pictures fixed examples `range` are of.
  func pictures(ofFixed range: Range<Int>, amongBatch: Bool) -> [Int] {
    amongBatch ? company.places(range, seed: 0).map(\.picture) : range.map { $0 / task.variants % images.count }
  }

  /// What fixed example `place` of the batch `range` shows.
  package func record(ofFixed place: Int, in range: Range<Int>, amongBatch: Bool) -> Record {
    images.records[pictures(ofFixed: range, amongBatch: amongBatch)[min(place, range.count - 1)]]
  }

  /// The context of examples that are drawn, and of fixed ones.
  private func context(augmenting: Bool, variant: Int?) -> ExampleContext {
    ExampleContext(scaling: scaling, isAugmenting: augmenting, augmentations: augmentations, variant: variant)
  }

  /// - Parameter count: examples; a batch where left out.
  /// `plan` gives for each place the picture, the key of its example and the variant of a fixed one.
  private func made(
    concurrently: Bool, augmenting: Bool = false, count: Int? = nil, _ plan: @Sendable (Int) -> (index: Int, random: Philox, variant: Int?)
  ) throws(InputError) -> [String: Tensor<Float>] {
    let shapes = task.fields(side: images.side, classes: images.classes.count)
    let parts = Mutex<[Int: Result<ExampleBatch, InputError>]>([:])
    @Sendable func make(_ places: Range<Int>) {
      let result: Result<ExampleBatch, InputError>
      do throws(InputError) {
        var part = ExampleBatch(shapes, count: places.count)
        for place in places {
          var (index, random, variant) = plan(place)
          task.makeExample(
            from: try images.shot(index), in: context(augmenting: augmenting, variant: variant), using: &random, into: &part,
            at: place - places.lowerBound)
        }
        result = .success(part)
      } catch { result = .failure(error) }
      parts.withLock { $0[places.lowerBound] = result }
    }
    if concurrently { EngineThreads.split(count ?? batch, make) } else { make(0..<(count ?? batch)) }
    // Of several errors the first place's, whichever thread was faster.
    let made = parts.withLock { $0.sorted { $0.key < $1.key } }
    return ExampleBatch.joined(try made.map { part throws(InputError) in try part.value.get() })
  }
}

/// A batch of pictures that come from few runs.
package enum RunDraw {
  /// Fewer runs than wanted have so many pictures.
  package struct Shortage: Error {
    package let size: Int
  }

  /// About as many pictures of each of `count` different runs, none twice; larger runs are drawn more often, and a run that has too few is
  /// not drawn.
  package static func pictures(
    _ total: Int, ofRuns count: Int, among runs: [[Int]], using random: inout Philox
  ) throws(Shortage) -> [Int] {
    var chosen: [Int] = [], drawn: Set<Int> = []
    for part in 0..<count {
      let size = total * (part + 1) / count - total * part / count
      let eligible = runs.indices.filter { runs[$0].count >= size && !drawn.contains($0) }
      guard let run = eligible.flatMap({ run in runs[run].map { _ in run } }).randomElement(using: &random) else { throw Shortage(size: size) }
      drawn.insert(run)
      chosen += runs[run].shuffled(using: &random).prefix(size)
    }
    return chosen
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
