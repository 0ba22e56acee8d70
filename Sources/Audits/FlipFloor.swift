import Corpora
import Foundation
import Host
import Tensors

/// What a linear flip detector reaches on the fixed pattern that calibration leaves, by the dark frames of a source: the floor that
/// a flip accuracy on pictures with beam has to beat.
///
/// With a = x − Fx over the pairs of mirror pixels, μ its mean and s² its variance over darks, the best linear detector is right in
/// Φ(√Σ μ²/s²) of all frames if the noise is white. Σ μ²/s² comes from products of different darks, so that noise adds nothing:
/// of one run for a detector that knows the run, of different runs for one that meets a new run.
public struct FlipFloor: Codable, Hashable, Sendable {
  public var darks: Int
  public var runs: Int
  /// With darks of different runs; `nil` for one run.
  public var newRuns: Estimate?
  /// With darks of the same run; `nil` where no run has two.
  public var sameRun: Estimate?

  public struct Estimate: Codable, Hashable, Sendable {
    /// Σ μ²/s²; below 0 by chance.
    public var signal: Double
    /// By leaving out one run at a time; infinite below three runs.
    public var standardError: Double
    /// Φ(√signal).
    public var accuracy: Double { Statistics.normalCDF(max(0, signal).squareRoot()) }
    /// What darks so few do not exclude: Φ(√(signal + 1.645·error)), one-sided 95 %.
    public var upper: Double { standardError.isFinite ? Statistics.normalCDF(max(0, signal + 1.645 * standardError).squareRoot()) : 1 }

    private enum CodingKeys: String, CodingKey { case signal, standardError, accuracy, upper }
    public init(signal: Double, standardError: Double) { (self.signal, self.standardError) = (signal, standardError) }
    /// JSON has no infinity: an absent error is one.
    public init(from decoder: any Decoder) throws {
      let box = try decoder.container(keyedBy: CodingKeys.self)
      self.init(signal: try box.decode(Double.self, forKey: .signal), standardError: try box.decodeIfPresent(Double.self, forKey: .standardError) ?? .infinity)
    }
    public func encode(to encoder: any Encoder) throws {
      var box = encoder.container(keyedBy: CodingKeys.self)
      try box.encode(signal, forKey: .signal)
      if standardError.isFinite { try box.encode(standardError, forKey: .standardError) }
      try box.encode(accuracy, forKey: .accuracy)
      try box.encode(upper, forKey: .upper)
    }
  }

  /// Darks that are looked at.
  private static let most = 400

  /// `nil` below four darks.
  init?(_ scan: PictureScan.Source, of corpus: Corpus) throws(InputError) {
    let step = max(1, (scan.noise.darks.count + Self.most - 1) / Self.most)
    let records = stride(from: 0, to: scan.noise.darks.count, by: step).map { scan.records[scan.noise.darks[$0]] }
    guard records.count >= 4 else { return nil }
    let images = try corpus.images(records)
    let keys = Set(records.map(\.run)).sorted()
    darks = records.count
    runs = keys.count
    let numbers = records.map { keys.firstIndex(of: $0.run)! }
    let height = corpus.manifest.height, width = corpus.manifest.width
    // Only pairs that every dark measured on both sides: a flip task hides one-sided pixels.
    let pairs = Symmetry.mirror.sources(height: height, width: width).enumerated().filter { left, right in
      left < right && images.allSatisfy { $0.weight.elements[left] >= 0.5 && $0.weight.elements[right] >= 0.5 }
    }.map { ($0.offset, $0.element) }
    let values = images.map { image in pairs.map { Double(image.pixels.elements[$0.0] - image.pixels.elements[$0.1]) } }
    let all = Products(values, numbers, runs: keys.count)
    let leftOut = keys.count < 3 ? [] : keys.indices.map { run -> Products in
      let kept = numbers.indices.filter { numbers[$0] != run }
      return Products(kept.map { values[$0] }, kept.map { numbers[$0] }, runs: keys.count)
    }
    newRuns = all.acrossRuns.map { Estimate(signal: $0, standardError: Self.jackknife(leftOut.compactMap(\.acrossRuns))) }
    sameRun = all.withinRuns.map { Estimate(signal: $0, standardError: Self.jackknife(leftOut.compactMap(\.withinRuns))) }
  }

  private static func jackknife(_ leftOut: [Double]) -> Double {
    guard leftOut.count > 2 else { return .infinity }
    let mean = Statistics.mean(leftOut), g = Double(leftOut.count)
    return ((g - 1) / g * leftOut.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }).squareRoot()
  }

  /// Σ over pixel pairs of the mean product of two darks, over the variance.
  struct Products {
    var acrossRuns: Double?
    var withinRuns: Double?

    /// `values` is one row of differences a dark, `groups` the run of each.
    init(_ values: [[Double]], _ groups: [Int], runs: Int) {
      let n = Double(values.count), sizes = (0..<runs).map { run in Double(groups.count { $0 == run }) }
      let within = sizes.reduce(0) { $0 + $1 * ($1 - 1) }, across = n * (n - 1) - within
      var acrossSum = 0.0, withinSum = 0.0
      for pixel in values.first?.indices ?? 0..<0 {
        var sum = 0.0, squares = 0.0, byRun = [Double](repeating: 0, count: runs)
        for (row, group) in zip(values, groups) {
          sum += row[pixel]
          squares += row[pixel] * row[pixel]
          byRun[group] += row[pixel]
        }
        let runSquares = byRun.reduce(0) { $0 + $1 * $1 }
        // Variance within runs, where it can be told; a run's own pattern is no noise to a detector that knows the run.
        let freedom = n - Double(sizes.count { $0 > 0 })
        let residual = squares - zip(byRun, sizes).reduce(0) { $0 + ($1.1 > 0 ? $1.0 * $1.0 / $1.1 : 0) }
        let variance = freedom > 0 ? residual / freedom : (squares - sum * sum / n) / (n - 1)
        guard variance > 0 else { continue }
        // E[1/s²] of f degrees of freedom is larger than 1/σ² by f/(f − 2).
        let correction = freedom > 2 ? (freedom - 2) / freedom : 1
        acrossSum += (sum * sum - runSquares) / variance * correction
        withinSum += (runSquares - squares) / variance * correction
      }
      acrossRuns = across > 0 ? acrossSum / across : nil
      withinRuns = within > 0 ? withinSum / within : nil
    }
  }
}
