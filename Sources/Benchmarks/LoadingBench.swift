import Corpora
import Host
import Pretexts
import Training

/// Speed of the way from shards to batches, without the engine.
public enum LoadingBench {
  /// Two figures: pictures read from their shards, and batches prepared for `task` (read pictures turned, augmented, stacked).
  ///
  /// The shards lie in the page cache after the first pass, which is not counted.
  public static func figures(corpus folder: String, task: any PretextTask, batch: Int, sampler: Sampler) throws -> [SpeedFigure] {
    let corpus = try Corpus(opening: folder), records = Array(corpus.records(in: .train).prefix(1024))
    guard !records.isEmpty else {
      throw InputError(path: folder, place: "split train", expected: "pictures", found: "none")
    }
    let size = "\(corpus.manifest.height)×\(corpus.manifest.width)"
    let reading = try sampler.measure { _ = try corpus.images(records) }

    let images = try ImageSet(corpus, split: .train, include: [:], exclude: [:], task: task)
    guard let scaling = InputScaling(fitting: images.images) else {
      throw InputError(path: folder, place: "split train", expected: "pictures with measured, varying pixels", found: "none")
    }
    let maker = BatchMaker(images: images, task: task, scaling: scaling, seed: 1, batch: batch)
    var step = 0
    let preparing = try sampler.measure {
      _ = maker.training(step: step)
      step += 1
    }
    return [
      SpeedFigure("read shards", "\(records.count) pictures of \(size)", reading, images: records.count),
      SpeedFigure("prepare a batch", "\(type(of: task).name), \(batch) of \(size)", preparing, images: batch),
    ]
  }
}
