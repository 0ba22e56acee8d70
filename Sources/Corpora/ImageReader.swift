import Host
import Tensors

/// The pictures of some records, read when asked for, from any number of threads at once.
///
/// Holds 24 bytes a picture and array for the places of the chunks in the shards, and no pixels.
public struct ImageReader: Sendable {
  private let places: [(shard: Int, row: Int)]
  private let shards: [ShardReader]

  /// Opens every shard that the records lie in; up to 128 of them stay open, more are opened anew at each read.
  public init(_ corpus: Corpus, _ records: [Record]) throws(InputError) {
    let files = Set(records.map(\.shard)).sorted(), numbers = Dictionary(uniqueKeysWithValues: files.enumerated().map { ($1, $0) })
    var shards: [ShardReader] = []
    for file in files {
      shards.append(try ShardReader(
        opening: "\(corpus.folder)/\(file)", height: corpus.manifest.height, width: corpus.manifest.width, keepsOpen: files.count <= 128))
    }
    self.shards = shards
    places = records.map { (numbers[$0.shard]!, $0.row) }
  }

  public var count: Int { places.count }

  /// The picture of record `index`. Cost at 128×128: about 0.1 ms with the file in the page cache. Throws where the shard is
  /// damaged, naming dataset and chunk.
  public func image(_ index: Int) throws(InputError) -> StoredImage {
    try shards[places[index].shard].image(places[index].row)
  }

  /// Why shards are read by the HDF5 library, one thread at a time: file and dataset -> reason; empty where none is.
  public var slowShards: [String: String] {
    Dictionary(uniqueKeysWithValues: shards.flatMap(\.libraryReasons))
  }
}
