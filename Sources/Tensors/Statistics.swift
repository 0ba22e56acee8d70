import Foundation

/// Summaries of a sample.
public enum Statistics {
  public static func mean(_ values: [Double]) -> Double {
    values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
  }

  /// The sample standard deviation, dividing by n - 1; NaN below two values.
  public static func standardDeviation(_ values: [Double]) -> Double {
    guard values.count > 1 else { return .nan }
    let m = mean(values)
    return (values.reduce(0) { $0 + ($1 - m) * ($1 - m) } / Double(values.count - 1)).squareRoot()
  }

  /// The standard error of the mean; NaN below two values.
  public static func standardError(_ values: [Double]) -> Double {
    standardDeviation(values) / Double(values.count).squareRoot()
  }

  /// The `q`-quantile, 0...1, linear between order statistics (numpy's default).
  public static func quantile(_ values: [Double], _ q: Double) -> Double {
    guard !values.isEmpty else { return .nan }
    let sorted = values.sorted(), position = q * Double(sorted.count - 1)
    let low = Int(position.rounded(.down)), high = min(low + 1, sorted.count - 1)
    return sorted[low] + (sorted[high] - sorted[low]) * (position - Double(low))
  }

  public static func median(_ values: [Double]) -> Double { quantile(values, 0.5) }

  /// Spearman's ρ: the correlation of the ranks, where equal values share the mean of their ranks. NaN where either has fewer than two
  /// different values. Where nothing ties `x` to `y`, its standard deviation is 1/√(n − 1).
  ///
  /// Traps unless both have one length.
  public static func rankCorrelation(_ x: [Double], _ y: [Double]) -> Double {
    precondition(x.count == y.count, "\(x.count) values against \(y.count)")
    let (a, b) = (ranks(x), ranks(y)), middle = Double(x.count + 1) / 2
    func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + ($1.0 - middle) * ($1.1 - middle) } }
    return product(a, b) / (product(a, a) * product(b, b)).squareRoot()
  }

  /// From 1; equal values share the mean of their ranks.
  private static func ranks(_ values: [Double]) -> [Double] {
    values.map { value in
      let below = values.count { $0 < value }, equal = values.count { $0 == value }
      return Double(below) + Double(equal + 1) / 2
    }
  }

  /// Φ(z), the standard normal distribution function.
  public static func normalCDF(_ z: Double) -> Double { 0.5 * erfc(-z / 2.0.squareRoot()) }
}
