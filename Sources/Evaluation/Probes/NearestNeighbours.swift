import Engine
import Tensors

/// The majority class of the k nearest training examples, found exactly.
///
/// Distances come from blocked matrix products; whatever lies within their rounding error of the k-th is measured again term
/// by term, so that the neighbours are those of a brute-force search. Equal distances go to the earlier training example;
/// of classes with equally many votes, the one with the nearest neighbour wins.
public struct NearestNeighbours: Probe {
  public static let name = "nearest neighbours"

  public enum Metric: String, Codable, Hashable, Sendable, CaseIterable {
    /// The distance of vectors scaled to length 1. A zero vector stays zero: equally far from all others.
    case cosine
    case euclidean
  }

  /// How many neighbours vote.
  public var neighbours: Int
  public var metric: Metric
  /// Whether features are standardised on the training part first.
  public var standardizes: Bool

  public init() { self.init(neighbours: 20, metric: .cosine, standardizes: true) }

  /// Traps unless `neighbours` is at least 1.
  public init(neighbours: Int, metric: Metric, standardizes: Bool = true) {
    precondition(neighbours > 0, "at least one neighbour votes, got \(neighbours)")
    self.neighbours = neighbours
    self.metric = metric
    self.standardizes = standardizes
  }

  public func predictions(train: Embeddings, test: Embeddings, seed: UInt64) throws -> Predictions {
    Predictions(labels: try indices(train: train.vectors, test: test.vectors).map { vote($0, train.labels) })
  }

  /// The `neighbours` nearest rows of `train` for each row of `test`, nearest first: `[N,D], [M,D] -> M` lists.
  /// Throws `ProbeError.tooFew` when `train` has fewer rows.
  public func indices(train: Tensor<Float>, test: Tensor<Float>) throws(ProbeError) -> [[Int]] {
    let n = train.shape[0], m = test.shape[0], d = train.shape[1]
    precondition(test.shape[1] == d, "\(test.shape) test for \(train.shape) train vectors")
    guard n >= neighbours else { throw .tooFew(part: "train", count: n, needed: neighbours) }
    let standardization = standardizes ? Standardization(fittedOn: train) : Standardization(identityOf: d)
    let references = prepared(standardization.rows(0..<n, of: train), d)
    let lengths = squaredLengths(references, d), longest = lengths.reduce(0) { max($0, $1) }
    var result: [[Int]] = []
    result.reserveCapacity(m)
    // Blocks of test rows, so that the products take at most some 64 MiB.
    let block = max(1, min(256, (8 << 20) / n))
    for start in stride(from: 0, to: m, by: block) {
      let range = start..<min(m, start + block)
      let queries = prepared(standardization.rows(range, of: test), d), queryLengths = squaredLengths(queries, d)
      var products = [Double](repeating: 0, count: range.count * n)
      BLAS.gemm(
        rows: range.count, columns: n, inner: d, queries.span, references.span, transposingB: true, into: &products)
      for q in 0..<range.count {
        // ‖a−b‖² − ‖a‖², up to the rounding of a sum of d products on either side.
        let slack = 8 * Double(d + 4) * Double.ulpOfOne * (queryLengths[q] + longest)
        var approximate = [Double](repeating: 0, count: n)
        for i in 0..<n { approximate[i] = lengths[i] - 2 * products[q * n + i] }
        let limit = smallest(neighbours, of: approximate) + slack
        var candidates: [(distance: Double, index: Int)] = []
        for i in 0..<n where approximate[i] <= limit {
          candidates.append((squaredDistance(queries, q, references, i, d), i))
        }
        candidates.sort { ($0.distance, $0.index) < ($1.distance, $1.index) }
        result.append(candidates.prefix(neighbours).map(\.index))
      }
    }
    return result
  }

  private func prepared(_ rows: [Double], _ width: Int) -> [Double] {
    guard metric == .cosine else { return rows }
    var rows = rows
    for start in stride(from: 0, to: rows.count, by: width) {
      let length = rows[start..<start + width].reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard length > 0 else { continue }
      for i in start..<start + width { rows[i] /= length }
    }
    return rows
  }

  private func squaredLengths(_ rows: [Double], _ width: Int) -> [Double] {
    stride(from: 0, to: rows.count, by: width).map { start in
      rows[start..<start + width].reduce(0) { $0 + $1 * $1 }
    }
  }

  private func squaredDistance(_ a: [Double], _ i: Int, _ b: [Double], _ j: Int, _ width: Int) -> Double {
    var sum = 0.0
    for c in 0..<width {
      let difference = a[i * width + c] - b[j * width + c]
      sum += difference * difference
    }
    return sum
  }

  /// The k-th smallest value, by a heap of k whose root is the largest kept.
  private func smallest(_ k: Int, of values: [Double]) -> Double {
    var heap = Array(values[..<k])
    for i in stride(from: k / 2, through: 0, by: -1) { sink(&heap, i) }
    for i in k..<values.count where values[i] < heap[0] {
      heap[0] = values[i]
      sink(&heap, 0)
    }
    return heap[0]
  }

  private func sink(_ heap: inout [Double], _ from: Int) {
    var i = from
    while 2 * i + 1 < heap.count {
      var child = 2 * i + 1
      if child + 1 < heap.count, heap[child + 1] > heap[child] { child += 1 }
      guard heap[child] > heap[i] else { return }
      heap.swapAt(i, child)
      i = child
    }
  }

  private func vote(_ neighbours: [Int], _ labels: [Int]) -> Int {
    var votes: [Int: Int] = [:]
    for i in neighbours { votes[labels[i], default: 0] += 1 }
    let most = votes.values.reduce(0) { max($0, $1) }
    guard let winner = neighbours.first(where: { votes[labels[$0]] == most }) else { preconditionFailure("nobody voted") }
    return labels[winner]
  }
}
