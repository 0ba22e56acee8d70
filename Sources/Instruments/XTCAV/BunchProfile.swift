/// A bunch in physical units, on its own time axis centred at its centre of mass.
public struct BunchProfile: Sendable, Hashable {
  /// fs, rising by equal steps.
  public var time: [Double]
  /// kA.
  public var current: [Double]
  /// Mean energy of the slice relative to the bunch's, and its standard deviation, MeV.
  public var energy: [Double], spread: [Double]
  /// nC.
  public var charge: Double

  /// `charge` is that of all bunches of the picture together, nC.
  public init(_ slices: SliceProfile, _ axes: XTCAVAxes, charge total: Double) {
    let step = abs(axes.fsPerPx)
    time = slices.columns.map { (Double($0) - slices.centreColumn) * axes.fsPerPx }
    // 1 nC in 1 fs is 1000 kA.
    current = slices.share.map { $0 * total / step * 1000 }
    energy = slices.row.map { ($0 - slices.centreRow) * axes.MeVPerPx }
    spread = slices.spread.map { $0 * axes.MeVPerPx }
    charge = slices.total * total
    if axes.fsPerPx < 0 {
      time.reverse()
      current.reverse()
      energy.reverse()
      spread.reverse()
    }
  }

  public init(time: [Double], current: [Double], energy: [Double], spread: [Double], charge: Double) {
    precondition(
      [current.count, energy.count, spread.count].allSatisfy { $0 == time.count } && time.count > 1, "profiles of one length, at least 2")
    (self.time, self.current, self.energy, self.spread, self.charge) = (time, current, energy, spread, charge)
  }

  /// Linear in between, 0 outside.
  public func resampled(at grid: [Double]) -> BunchProfile {
    let first = time[0], step = (time[time.count - 1] - first) / Double(time.count - 1)
    func values(_ of: [Double]) -> [Double] {
      grid.map { t in
        let x = (t - first) / step
        guard x >= 0, x <= Double(of.count - 1) else { return 0 }
        let low = min(Int(x), of.count - 2), share = x - Double(low)
        return of[low] * (1 - share) + of[low + 1] * share
      }
    }
    return BunchProfile(time: grid, current: values(current), energy: values(energy), spread: values(spread), charge: charge)
  }

  /// A grid of half the finest step that holds all profiles, symmetric about 0.
  public static func commonGrid(_ profiles: [BunchProfile]) -> [Double] {
    let step = (profiles.map { ($0.time[$0.time.count - 1] - $0.time[0]) / Double($0.time.count - 1) }.min() ?? 1) / 2
    let reach = profiles.map { max(abs($0.time[0]), abs($0.time[$0.time.count - 1])) }.max() ?? step
    let count = Int((reach / step).rounded(.up))
    return (-count...count).map { Double($0) * step }
  }
}

/// Pearson's correlation; 0 where one of both does not vary. Traps on unequal counts.
func correlation(_ a: [Double], _ b: [Double]) -> Double {
  precondition(a.count == b.count, "\(a.count) and \(b.count) values cannot be correlated")
  let n = Double(a.count), meanA = a.reduce(0, +) / n, meanB = b.reduce(0, +) / n
  var ab = 0.0, aa = 0.0, bb = 0.0
  for (x, y) in zip(a, b) {
    ab += (x - meanA) * (y - meanB)
    aa += (x - meanA) * (x - meanA)
    bb += (y - meanB) * (y - meanB)
  }
  return aa > 0 && bb > 0 ? ab / (aa * bb).squareRoot() : 0
}
