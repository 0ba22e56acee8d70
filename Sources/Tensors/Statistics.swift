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

  /// Φ(z), the standard normal distribution function.
  public static func normalCDF(_ z: Double) -> Double { 0.5 * erfc(-z / 2.0.squareRoot()) }
}
