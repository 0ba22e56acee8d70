import Corpora
import Cues
import Host
import Tensors

/// Foundation has a class of this name, too.
typealias Progress = Host.Progress

/// One pass over all pictures of a corpus: what the gates need of each, and nothing more. About 1.5 KB a picture.
struct PictureScan: Sendable {
  /// The pictures of one source, which have one detector and one tone map.
  struct Source: Sendable {
    let name: String
    let detector: String
    let records: [Record]
    let digests: [PictureDigest]
    let noise: NoiseFloor
  }

  let sources: [Source]

  /// Read together, so that the pixels in memory do not grow with the corpus.
  private static let block = 1024

  init(of corpus: Corpus, progress: ProgressHandler) throws(InputError) {
    var sources: [Source] = [], done = 0
    for name in corpus.manifest.sources.map(\.name) {
      let records = corpus.records.filter { $0.source == name }
      guard let first = records.first else { continue }
      var digests: [PictureDigest] = []
      digests.reserveCapacity(records.count)
      let reader = try ImageReader(corpus, records)
      for start in stride(from: 0, to: records.count, by: Self.block) {
        let part = start..<min(records.count, start + Self.block)
        digests += try part.concurrentMap { index throws(InputError) in PictureDigest(try reader.image(index)) }
        progress(Progress("audit \(corpus.manifest.name)", done: done + part.upperBound, total: corpus.records.count, note: "read \(name)"))
      }
      done += records.count
      sources.append(
        Source(
          name: name, detector: first.detector, records: records, digests: digests,
          noise: try NoiseFloor(records, digests, reader)))
    }
    self.sources = sources
  }
}
