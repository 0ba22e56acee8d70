import Corpora
import Host
import Pretexts
import Training

/// Speed of the way from shards to batches, without the engine.
public enum LoadingBench {
  /// Two figures: pictures read from their shards, as `Tests/Peers/bench_h5py.py` reads them, and batches prepared for `task`
  /// from pictures in memory (turned, augmented, joined).
  ///
  /// The shards lie in the page cache after the first pass, which is not counted.
  /// - Parameter concurrently: on all processors, or on this thread alone.
  public static func figures(
    corpus folder: String, task: any PretextTask, batch: Int, concurrently: Bool = true, sampler: Sampler
  ) throws -> [SpeedFigure] {
    let corpus = try Corpus(opening: folder), records = Array(corpus.records(in: .train).prefix(1024))
    guard !records.isEmpty else {
      throw InputError(path: folder, place: "split train", expected: "pictures", found: "none")
    }
    let size = "\(corpus.manifest.height)×\(corpus.manifest.width)", threads = concurrently ? "all processors" : "1 thread"
    let reader = try ImageReader(corpus, records)
    let reading = try sampler.measure {
      if concurrently {
        _ = try records.indices.concurrentMap { index throws(InputError) in try reader.image(index) }
      } else {
        for index in records.indices { _ = try reader.image(index) }
      }
    }
    let images = try ImageSet(corpus, split: .train, include: [:], exclude: [:], task: task)
    guard let scaling = try images.scaling() else {
      throw InputError(path: folder, place: "split train", expected: "pictures with measured, varying pixels", found: "none")
    }
    let maker = BatchMaker(images: images, task: task, scaling: scaling, seed: 1, batch: batch)
    var step = 0
    let preparing = try sampler.measure {
      _ = try maker.training(step: step, concurrently: concurrently)
      step += 1
    }
    return [
      SpeedFigure("read shards", "\(records.count) pictures of \(size), \(threads)", reading, images: records.count),
      SpeedFigure("prepare a batch", "\(type(of: task).name), \(batch) of \(size), \(threads)", preparing, images: batch),
    ]
  }
}
