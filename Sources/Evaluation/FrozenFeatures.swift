import Corpora
import Engine
import Host
import Tensors

/// The features of some records of a corpus, computed once for all the questions that share them.
struct FrozenFeatures {
  let stages: [String]
  /// The row of each record, by its place in the corpus.
  private let rows: [Int: Int]
  /// Per stage `[N,D]`.
  private let vectors: [String: Tensor<Float>]

  /// Pictures in memory at a time.
  private static let chunk = 512

  /// - Parameter records: Places in `corpus.records`; each may come more than once.
  init(_ trunk: Trunk, of corpus: Corpus, records: [Int], precision: Precision) throws {
    let places = Set(records).sorted(), features = try Features(trunk, precision: precision)
    var elements: [String: [Float]] = [:]
    for start in stride(from: 0, to: places.count, by: FrozenFeatures.chunk) {
      let images = try corpus.images(places[start..<min(places.count, start + FrozenFeatures.chunk)].map { corpus.records[$0] })
      for (stage, tensor) in try features(images) { elements[stage, default: []] += tensor.elements }
    }
    stages = features.stages
    rows = Dictionary(uniqueKeysWithValues: places.enumerated().map { ($1, $0) })
    vectors = elements.mapValues { Tensor([places.count, $0.count / places.count], $0) }
  }

  /// `[N,D]`, in the order of `records`. Traps for a record or a stage that it does not have.
  func vectors(of records: [Int], _ stage: String) -> Tensor<Float> {
    guard let all = vectors[stage] else { preconditionFailure("no stage \(stage) among \(stages)") }
    let width = all.shape[1]
    var elements: [Float] = []
    elements.reserveCapacity(records.count * width)
    for record in records {
      guard let row = rows[record] else { preconditionFailure("no features of record \(record)") }
      elements += all.elements[row * width..<(row + 1) * width]
    }
    return Tensor([records.count, width], elements)
  }
}
