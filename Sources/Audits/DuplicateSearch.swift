import Corpora
import Host
import Tensors

/// Near-duplicates within one source: for each picture the nearest one of its split and the nearest one of another split, judged pixel
/// by pixel against the detector's noise.
///
/// Candidates come from pictures of 16×16 cells: sorted along the direction in which they differ most, only those within a window of
/// 8 σ of noise are compared, cell by cell with the most varying cells first, up to the bound. Two exposures of one scene cannot lie
/// farther apart there, so no near-duplicate of that kind is missed but by a chance of 10⁻⁹. Mirrored, shifted and cropped
/// copies are not looked for. Cost: n log n where scenes differ; n² comparisons, most of them cut short, among frames that
/// hold nothing but noise.
public struct DuplicateSearch: Codable, Hashable, Sendable {
  public struct Pair: Codable, Hashable, Sendable {
    /// Record ids with their splits.
    public var first: String
    public var second: String
    public var firstSplit: Split
    public var secondSplit: Split
    /// Mean squared difference over what independent noise makes: 0 for a copy, 1 for two exposures of one scene.
    public var ratio: Double
  }

  public var source: String
  public var pictures: Int
  /// σ of a stored pixel, and where it comes from.
  public var noise: Double
  public var noiseOrigin: String
  /// Pictures whose nearest picture of another split is a near-duplicate.
  public var acrossSplits: Int
  /// Pictures whose nearest picture of their own split is one: no leak, but less to learn from.
  public var withinSplit: Int
  /// The worst pairs across splits.
  public var pairs: [Pair]

  private static let listed = 20
  private static let block = 1024

  init(in scan: PictureScan.Source, of corpus: Corpus, _ bounds: AuditBounds, progress: ProgressHandler) throws(InputError) {
    source = scan.name
    pictures = scan.records.count
    noise = scan.noise.pixel
    noiseOrigin = scan.noise.origin
    let neighbours = Neighbours(scan, limit: max(bounds.copy, bounds.sameScene))
    let blank = BlankTest(scan)
    let reader = try ImageReader(corpus, scan.records), variance = 2 * scan.noise.pixel * scan.noise.pixel
    var found: [[(Int, Int, Double)]] = [[], []]
    for (kind, nearest) in [neighbours.elsewhere, neighbours.alongside].enumerated() {
      let candidates = nearest.indices.filter { nearest[$0] >= 0 }
      for start in stride(from: 0, to: candidates.count, by: Self.block) {
        let part = Array(candidates[start..<min(candidates.count, start + Self.block)])
        let ratios = try part.concurrentMap { index throws(InputError) -> Double in
          let mean = try PicturePair(reader.image(index), reader.image(nearest[index])).mean
          return variance > 0 ? mean / variance : mean > 0 ? .infinity : 0
        }
        for (index, ratio) in zip(part, ratios) {
          let limit = blank.isBlank(index) || blank.isBlank(nearest[index]) ? bounds.copy : max(bounds.copy, bounds.sameScene)
          if ratio < limit { found[kind].append((index, nearest[index], ratio)) }
        }
        progress(Progress("audit \(corpus.manifest.name)", done: start + part.count, total: candidates.count, note: "compare \(scan.name)"))
      }
    }
    acrossSplits = found[0].count
    withinSplit = found[1].count
    var seen: Set<[Int]> = [], worst: [Pair] = []
    for (a, b, ratio) in found[0].sorted(by: { ($0.2, $0.0) < ($1.2, $1.0) }) where worst.count < Self.listed {
      guard seen.insert([min(a, b), max(a, b)]).inserted else { continue }
      let first = scan.records[a], second = scan.records[b]
      worst.append(Pair(first: first.id, second: second.id, firstSplit: first.split, secondSplit: second.split, ratio: ratio))
    }
    pairs = worst
  }
}

/// Whether a picture shows more than its source's dark frames do.
private struct BlankTest {
  private let scan: PictureScan.Source
  private let dark: [Float]
  private let limit: Double

  init(_ scan: PictureScan.Source) {
    self.scan = scan
    var mean = [Double](repeating: 0, count: PictureDigest.side * PictureDigest.side)
    for index in scan.noise.darks { for i in mean.indices { mean[i] += Double(scan.digests[index].small[i]) / Double(scan.noise.darks.count) } }
    dark = mean.map { Float($0) }
    // A dark frame's own squared distance is about 1 a cell; pedestals that drift make it more.
    limit = 4
  }

  /// Without dark frames no picture is called blank.
  func isBlank(_ index: Int) -> Bool {
    guard !scan.noise.darks.isEmpty, scan.noise.cell > 0 else { return false }
    var sum = 0.0, count = 0
    for (i, value) in scan.digests[index].small.enumerated() where value != 0 && dark[i] != 0 {
      let d = Double(value - dark[i]) / scan.noise.cell
      sum += d * d
      count += 1
    }
    return count == 0 || sum / Double(count) < limit
  }
}

/// The nearest picture of another and of the own split, by small pictures; −1 where none lies within the limit.
private struct Neighbours {
  var elsewhere: [Int]
  var alongside: [Int]

  /// Windows of this many σ of the difference of two exposures.
  private static let window = 8.0

  init(_ scan: PictureScan.Source, limit: Double) {
    let count = scan.records.count, cells = PictureDigest.side * PictureDigest.side
    var elsewhere = [Int](repeating: -1, count: count), alongside = elsewhere
    // The cells that vary most come first, so that unlike pictures part early.
    let (order, direction) = Self.axes(scan.digests)
    var vectors = [Float](repeating: 0, count: count * cells), along = [Float](repeating: 0, count: count)
    for (row, digest) in scan.digests.enumerated() {
      for (place, cell) in order.enumerated() {
        vectors[row * cells + place] = digest.small[cell]
        along[row] += digest.small[cell] * direction[cell]
      }
    }
    let sorted = (0..<count).sorted { (along[$0], $0) < (along[$1], $1) }
    // Rounding alone separates copies that were computed in another order.
    let largest = vectors.reduce(Float(0)) { max($0, abs($1)) }
    let noise = max(Float(scan.noise.cell), 1e-6 * largest), reach = Float(Self.window * 2.0.squareRoot()) * noise
    // Twice the bound: cells hold fewer numbers than pixels, and the pixels decide.
    let bound = Float(2 * limit) * 2 * noise * noise * Float(cells)
    var bestElsewhere = [Float](repeating: bound, count: count), bestAlongside = bestElsewhere
    let splits = scan.records.map(\.split)
    let values = vectors.span
    for (position, a) in sorted.enumerated() {
      var next = position + 1
      while next < count, along[sorted[next]] - along[a] <= reach {
        let b = sorted[next]
        next += 1
        let isElsewhere = splits[a] != splits[b]
        let worst = isElsewhere ? max(bestElsewhere[a], bestElsewhere[b]) : max(bestAlongside[a], bestAlongside[b])
        var sum: Float = 0, cell = 0
        let first = a * cells, second = b * cells
        while cell < cells, sum < worst {
          for i in cell..<cell + 16 {
            let d = values[first + i] - values[second + i]
            sum += d * d
          }
          cell += 16
        }
        guard sum < worst else { continue }
        for (own, other) in [(a, b), (b, a)] {
          if isElsewhere, sum < bestElsewhere[own] { (bestElsewhere[own], elsewhere[own]) = (sum, other) }
          if !isElsewhere, sum < bestAlongside[own] { (bestAlongside[own], alongside[own]) = (sum, other) }
        }
      }
    }
    (self.elsewhere, self.alongside) = (elsewhere, alongside)
  }

  /// Cells by falling variance, and the first principal direction, by power iteration on at most 4096 pictures.
  private static func axes(_ digests: [PictureDigest]) -> (order: [Int], direction: [Float]) {
    let step = max(1, digests.count / 4096), sample = stride(from: 0, to: digests.count, by: step).map { digests[$0].small }
    let cells = PictureDigest.side * PictureDigest.side
    var mean = [Float](repeating: 0, count: cells), variance = mean
    for vector in sample { for i in 0..<cells { mean[i] += vector[i] / Float(sample.count) } }
    for vector in sample { for i in 0..<cells { variance[i] += (vector[i] - mean[i]) * (vector[i] - mean[i]) } }
    let order = (0..<cells).sorted { (variance[$0], $1) > (variance[$1], $0) }
    var direction = variance.map { $0 + Float.leastNormalMagnitude }
    for _ in 0..<20 {
      var next = [Float](repeating: 0, count: cells)
      for vector in sample {
        var dot: Float = 0
        for i in 0..<cells { dot += (vector[i] - mean[i]) * direction[i] }
        for i in 0..<cells { next[i] += dot * (vector[i] - mean[i]) }
      }
      let length = next.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      guard length > 0, length.isFinite else { break }
      direction = next.map { Float(Double($0) / length) }
    }
    let length = direction.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    return (order, length > 0 ? direction.map { Float(Double($0) / length) } : direction)
  }
}
