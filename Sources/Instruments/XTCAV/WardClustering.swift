import Foundation
import Tensors

/// Ward's hierarchical clustering of points by Euclidean distance.
///
/// Merging clusters a and b raises the sum of squared distances from cluster means by n_a n_b/(n_a + n_b)·|c_a - c_b|²; each step
/// merges the pair that raises it least. Chains of nearest neighbours find the same merges in O(n²) time and memory.
/// Source: Murtagh and Legendre, J. Classification 31 (2014) 274, formula of Lance and Williams.
public struct WardClustering: Sendable {
  public struct Merge: Hashable, Sendable {
    /// Any member of either cluster.
    public var first: Int, second: Int
    public var cost: Double
  }
  public let count: Int
  /// By rising cost.
  public let merges: [Merge]

  /// Traps for no points or points of unequal dimension.
  public init(_ points: [[Double]]) {
    precondition(!points.isEmpty && points.allSatisfy { $0.count == points[0].count }, "clustering takes points of one dimension")
    let n = points.count
    count = n
    var cost = [Double](repeating: 0, count: n * n), size = [Double](repeating: 1, count: n), isAlive = [Bool](repeating: true, count: n)
    for i in 0..<n {
      for j in 0..<i {
        var sum = 0.0
        for (a, b) in zip(points[i], points[j]) { sum += (a - b) * (a - b) }
        (cost[i * n + j], cost[j * n + i]) = (sum / 2, sum / 2)
      }
    }
    var merges: [Merge] = [], chain: [Int] = []
    while merges.count < n - 1 {
      if chain.isEmpty { chain.append(isAlive.firstIndex(of: true)!) }
      let top = chain[chain.count - 1], previous = chain.count > 1 ? chain[chain.count - 2] : -1
      // The one before wins ties, so that a chain ends.
      var nearest = previous, least = previous >= 0 ? cost[top * n + previous] : .infinity
      for other in 0..<n where isAlive[other] && other != top && cost[top * n + other] < least {
        least = cost[top * n + other]
        nearest = other
      }
      guard nearest == previous else {
        chain.append(nearest)
        continue
      }
      chain.removeLast(2)
      merges.append(Merge(first: top, second: previous, cost: least))
      let both = size[top] + size[previous]
      for other in 0..<n where isAlive[other] && other != top && other != previous {
        let merged =
          ((size[other] + size[top]) * cost[other * n + top] + (size[other] + size[previous]) * cost[other * n + previous]
            - size[other] * least) / (size[other] + both)
        (cost[other * n + top], cost[top * n + other]) = (merged, merged)
      }
      size[top] = both
      isAlive[previous] = false
    }
    self.merges = merges.sorted { $0.cost < $1.cost }
  }

  /// The cluster of every point when `clusters` are left, numbered by first appearance.
  public func assignments(clusters: Int) -> [Int] {
    precondition((1...count).contains(clusters), "\(clusters) clusters of \(count) points")
    var parent = Array(0..<count)
    func root(_ i: Int) -> Int {
      var i = i
      while parent[i] != i { i = parent[i] }
      return i
    }
    for merge in merges.prefix(count - clusters) { parent[root(merge.second)] = root(merge.first) }
    var numbers: [Int: Int] = [:]
    return (0..<count).map { i in
      let r = root(i)
      if numbers[r] == nil { numbers[r] = numbers.count }
      return numbers[r]!
    }
  }

  /// Sum of squared distances from the cluster means when k clusters are left, for k = 1...limit.
  public func dispersion(upTo limit: Int) -> [Double] {
    let costs = merges.map(\.cost), total = costs.reduce(0, +)
    var spent = 0.0, values: [Double] = []
    for k in 1...max(1, min(limit, count)) {
      // The last k - 1 merges are undone.
      values.append(max(0, total - spent))
      if costs.count - k >= 0 { spent += costs[costs.count - k] }
    }
    return values
  }
}

/// How many clusters points have: the smallest k whose gap statistic is within `errors` errors of the largest.
///
/// Gap(k) = mean over `references` of ln W_ref(k) - ln W(k), with W the dispersion of Ward's clusters and reference points uniform
/// in the box of the principal components; error s·√(1 + 1/B). Source: Tibshirani, Walther and Hastie, J. R. Stat. Soc. B 63 (2001).
/// Their rule, the first k that is no worse than k + 1, ends at the first of several hills: clusters at unequal distances, whose
/// gap falls before it rises, are one to it. So the highest hill counts, as with Dudoit and Fridlyand, Genome Biol. 3 (2002) 0036.
public struct GapStatistic: Sendable {
  public var references = 30
  public var components = 12
  /// How far below the largest gap one may be. The largest of many is a chance winner: with one error, a third of uniform clouds
  /// come to pieces, with three none of 60.
  public var errors = 3.0

  public init() {}

  public func clusters(_ points: [[Double]], upTo limit: Int, random: Philox) -> Int {
    let most = min(limit, points.count - 1)
    guard most > 1 else { return 1 }
    let scores = PrincipalComponents(points, count: min(components, points[0].count), random: random.keyed("components")).scores(points)
    let ranges = scores[0].indices.map { axis in (scores.map { $0[axis] }.min()!, scores.map { $0[axis] }.max()!) }
    let real = WardClustering(scores).dispersion(upTo: most).map { log(max($0, .leastNormalMagnitude)) }
    let drawn = (0..<references).map { set in
      var random = random.keyed("reference \(set)")
      let uniform = points.map { _ in ranges.map { random.uniform($0.0, $0.1) } }
      return WardClustering(uniform).dispersion(upTo: most).map { log(max($0, .leastNormalMagnitude)) }
    }
    let b = Double(references)
    let gaps = real.indices.map { k in
      let values = drawn.map { $0[k] }, mean = Statistics.mean(values)
      let sigma = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / b).squareRoot()
      return (gap: mean - real[k], error: sigma * (1 + 1 / b).squareRoot())
    }
    let best = gaps.indices.max { gaps[$0].gap < gaps[$1].gap }!
    return gaps.firstIndex { $0.gap >= gaps[best].gap - errors * gaps[best].error }! + 1
  }
}

/// The directions in which points vary most, by power iteration with deflation on the covariance.
struct PrincipalComponents {
  let mean: [Double]
  let axes: [[Double]]

  init(_ points: [[Double]], count: Int, random: Philox) {
    let d = points[0].count, n = Double(points.count)
    var random = random
    let mean = (0..<d).map { axis in points.reduce(0) { $0 + $1[axis] } / n }
    var covariance = [Double](repeating: 0, count: d * d)
    for point in points {
      for i in 0..<d {
        let a = point[i] - mean[i]
        if a != 0 { for j in 0..<d { covariance[i * d + j] += a * (point[j] - mean[j]) } }
      }
    }
    var axes: [[Double]] = []
    for _ in 0..<count {
      var v = (0..<d).map { _ in random.normal() }, value = 0.0
      for _ in 0..<60 {
        var next = (0..<d).map { i in
          var sum = 0.0
          for j in 0..<d { sum += covariance[i * d + j] * v[j] }
          return sum
        }
        value = next.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard value > 0 else { break }
        for i in next.indices { next[i] /= value }
        v = next
      }
      guard value > 0 else { break }
      axes.append(v)
      for i in 0..<d { for j in 0..<d { covariance[i * d + j] -= value * v[i] * v[j] } }
    }
    self.mean = mean
    self.axes = axes.isEmpty ? [[Double](repeating: 0, count: d)] : axes
  }

  func scores(_ points: [[Double]]) -> [[Double]] {
    points.map { point in axes.map { axis in zip(zip(point, mean), axis).reduce(0) { $0 + ($1.0.0 - $1.0.1) * $1.1 } } }
  }
}
