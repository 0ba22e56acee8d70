import Tensors

/// Bunches that did not lase, in groups of like current: what a lasing bunch is compared with.
public struct LasingOffReferences: Sendable {
  /// How groups are made.
  public enum Grouping: String, Codable, Sendable, CaseIterable {
    /// Ward's clustering of the currents.
    case clustering
    /// The first free shot and the free shots that correlate most with its current, again and again (the older method).
    case correlation
  }

  /// fs, the grid on which all profiles are compared.
  public let grid: [Double]
  /// Every reference on the grid, and its group.
  public let profiles: [BunchProfile]
  public let group: [Int]
  public let groupCount: Int

  /// `groups`: how many; `nil`: by the gap statistic for clustering, five shots each for correlation. Traps without profiles.
  public init(_ profiles: [BunchProfile], grouping: Grouping, groups: Int?, random: Philox) {
    precondition(!profiles.isEmpty, "references are made of at least one shot")
    let grid = BunchProfile.commonGrid(profiles), resampled = profiles.map { $0.resampled(at: grid) }
    self.grid = grid
    self.profiles = resampled
    let currents = resampled.map(\.current), n = profiles.count
    switch grouping {
    case .clustering:
      let count = groups ?? GapStatistic().clusters(currents, upTo: min(100, n / 2), random: random)
      group = WardClustering(currents).assignments(clusters: min(max(1, count), n))
    case .correlation:
      let count = min(max(1, groups ?? (n + 4) / 5), n)
      group = Self.greedy(currents, size: (n + count - 1) / count)
    }
    groupCount = (group.max() ?? 0) + 1
  }

  static func greedy(_ currents: [[Double]], size: Int) -> [Int] {
    var group = [Int](repeating: -1, count: currents.count), next = 0
    while let first = group.firstIndex(of: -1) {
      group[first] = next
      let free = group.indices.filter { group[$0] == -1 }.map { ($0, correlation(currents[first], currents[$0])) }
      for (member, _) in free.sorted(by: { $0.1 > $1.1 }).prefix(size - 1) { group[member] = next }
      next += 1
    }
    return group
  }

  /// The mean current, energy and spread of a group; without the reference `excluded`. `nil` where none is left.
  ///
  /// Energy and squared spread are averaged over the members that have light in a slice.
  public func average(of wanted: Int, excluding excluded: Int? = nil) -> BunchProfile? {
    let members = group.indices.filter { group[$0] == wanted && $0 != excluded }
    guard !members.isEmpty else { return nil }
    var current = [Double](repeating: 0, count: grid.count), energy = current, squares = current, lit = current
    for member in members {
      let profile = profiles[member]
      for i in grid.indices where profile.current[i] > 0 {
        current[i] += profile.current[i]
        energy[i] += profile.energy[i]
        squares[i] += profile.spread[i] * profile.spread[i]
        lit[i] += 1
      }
    }
    let n = Double(members.count)
    return BunchProfile(
      time: grid, current: current.map { $0 / n }, energy: zip(energy, lit).map { $1 > 0 ? $0 / $1 : 0 },
      spread: zip(squares, lit).map { $1 > 0 ? ($0 / $1).squareRoot() : 0 },
      charge: members.reduce(0) { $0 + profiles[$1].charge } / n)
  }

  /// The group whose mean current correlates most with `profile`'s; a reference is compared with groups without itself.
  public func match(_ profile: BunchProfile, excluding excluded: Int? = nil) -> (average: BunchProfile, group: Int, correlation: Double)? {
    let resampled = profile.resampled(at: grid)
    var best: (average: BunchProfile, group: Int, correlation: Double)?
    for number in 0..<groupCount {
      guard let average = average(of: number, excluding: excluded) else { continue }
      let value = correlation(resampled.current, average.current)
      if best.map({ value > $0.correlation }) ?? true { best = (average, number, value) }
    }
    return best
  }
}
