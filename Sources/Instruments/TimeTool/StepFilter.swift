import Foundation
import Tensors

/// A finite impulse response that answers a step with its height.
///
/// `weights` are in the order of the samples: out[i] = Σ_j signal[i + j]·weights[j]; a step of height -h (falling) in the middle of
/// the window gives +h. Source: TimeTool service/Fex.cc, TimeTool/data/timetool_setup.py.
public struct StepFilter: Hashable, Sendable {
  public let weights: [Double]

  /// The mean before minus the mean after: 2/n, …, -2/n. Traps for an odd or non-positive number of taps.
  public static func difference(taps: Int) -> StepFilter {
    precondition(taps > 0 && taps % 2 == 0, "\(taps) taps cannot be halved")
    return StepFilter(weights: (0..<taps).map { ($0 < taps / 2 ? 2 : -2) / Double(taps) })
  }

  /// The filter of least noise among those that answer a falling step with its height: w = C⁻¹ t / (t·C⁻¹ t), with t the step of
  /// ±½ and C the noise's autocorrelation as a Toeplitz matrix. White noise gives `difference`.
  ///
  /// `noise` are records of signal/reference - 1 without an edge, each longer than `taps`.
  public static func matched(taps: Int, noise: [[Double]]) -> StepFilter {
    precondition(taps > 0 && taps % 2 == 0, "\(taps) taps cannot be halved")
    var correlation = [Double](repeating: 0, count: taps)
    for record in noise where record.count > taps {
      let mean = Statistics.mean(record)
      for lag in 0..<taps {
        var sum = 0.0
        for i in 0..<record.count - lag { sum += (record[i] - mean) * (record[i + lag] - mean) }
        // Dividing by the whole length keeps the matrix positive definite.
        correlation[lag] += sum / Double(record.count)
      }
    }
    guard correlation[0] > 0 else { return difference(taps: taps) }
    correlation[0] *= 1 + 1e-6
    let template = (0..<taps).map { $0 < taps / 2 ? 0.5 : -0.5 }
    let solution = toeplitzSolution(correlation, template)
    let response = zip(solution, template).reduce(0) { $0 + $1.0 * $1.1 }
    return StepFilter(weights: solution.map { $0 / response })
  }

  /// Levinson's recursion for a symmetric positive definite Toeplitz matrix with first row `r`: O(n²).
  static func toeplitzSolution(_ r: [Double], _ right: [Double]) -> [Double] {
    var forward = [1 / r[0]], x = [right[0] / r[0]]
    for n in 1..<r.count {
      var error = 0.0, residual = 0.0
      for i in 0..<n {
        error += r[n - i] * forward[i]
        residual += r[n - i] * x[i]
      }
      // The backward vector of a symmetric matrix is the forward one reversed.
      let scale = 1 / (1 - error * error)
      var next = [Double](repeating: 0, count: n + 1)
      for i in 0...n {
        next[i] = scale * ((i < n ? forward[i] : 0) - error * (i > 0 ? forward[n - i] : 0))
      }
      forward = next
      x.append(0)
      for i in 0...n { x[i] += (right[n] - residual) * forward[n - i] }
    }
    return x
  }

  /// `signal.count - weights.count + 1` values.
  public func applied(to signal: [Double]) -> [Double] {
    guard signal.count >= weights.count else { return [] }
    return (0...signal.count - weights.count).map { start in
      var sum = 0.0
      for j in weights.indices { sum += signal[start + j] * weights[j] }
      return sum
    }
  }
}

/// The largest peaks of a filtered trace, each by a parabola through its samples above 0.8 of the maximum.
struct TracePeak: Hashable, Sendable {
  var amplitude: Double
  /// Samples of the trace.
  var position: Double
  /// √(-2 A / a₂) for A + a₂ x².
  var width: Double

  /// The two largest peaks between which the trace falls below half of the second. Source: Fex.cc.
  static func two(in trace: [Double]) -> (first: TracePeak, second: TracePeak?)? {
    guard let top = trace.indices.max(by: { trace[$0] < trace[$1] }), trace[top] > 0 else { return nil }
    func bound(_ from: Int, _ step: Int, _ level: Double) -> Int {
      var i = from
      while trace.indices.contains(i + step), trace[i] > level { i += step }
      return i
    }
    let left = bound(top, -1, 0.5 * trace[top]), right = bound(top, 1, 0.5 * trace[top])
    let rest = trace.indices.filter { $0 < left || $0 > right }
    let next = rest.max { trace[$0] < trace[$1] }.flatMap { candidate -> Int? in
      guard trace[candidate] > 0 else { return nil }
      let between = candidate < top ? trace[candidate...top] : trace[top...candidate]
      return (between.min() ?? 0) <= 0.5 * trace[candidate] ? candidate : nil
    }
    return (TracePeak(fitting: trace, around: top), next.map { TracePeak(fitting: trace, around: $0) })
  }

  init(fitting trace: [Double], around top: Int) {
    var first = top, last = top
    while first > 0, trace[first - 1] > 0.8 * trace[top] { first -= 1 }
    while last < trace.count - 1, trace[last + 1] > 0.8 * trace[top] { last += 1 }
    let x = (first...last).map { Double($0 - top) }, y = Array(trace[first...last])
    // Too narrow for a parabola: the sample itself.
    guard x.count >= 3, let fit = Polynomial.fit(x, y, degree: 2), fit[2] < 0 else {
      (amplitude, position, width) = (trace[top], Double(top), .nan)
      return
    }
    let vertex = -fit[1] / (2 * fit[2])
    amplitude = fit[0] + fit[1] * vertex + fit[2] * vertex * vertex
    position = Double(top) + vertex
    width = (-2 * amplitude / fit[2]).squareRoot()
  }
}

/// Polynomials by ascending coefficients.
public enum Polynomial {
  public static func value(_ coefficients: [Double], at x: Double) -> Double { coefficients.reversed().reduce(0) { $0 * x + $1 } }

  /// Least squares by the normal equations in x scaled to ±1; `nil` where the points do not determine it.
  public static func fit(_ x: [Double], _ y: [Double], degree: Int) -> [Double]? {
    precondition(x.count == y.count && degree >= 0, "\(x.count) abscissae for \(y.count) ordinates")
    let n = degree + 1, scale = x.map(abs).max() ?? 0
    guard x.count >= n, scale > 0 || degree == 0 else { return nil }
    let unit = scale > 0 ? scale : 1
    var matrix = [[Double]](repeating: [Double](repeating: 0, count: n + 1), count: n)
    for (a, b) in zip(x, y) {
      let powers = (0..<2 * n).map { pow(a / unit, Double($0)) }
      for i in 0..<n {
        for j in 0..<n { matrix[i][j] += powers[i + j] }
        matrix[i][n] += powers[i] * b
      }
    }
    for i in 0..<n {
      let pivot = (i..<n).max { abs(matrix[$0][i]) < abs(matrix[$1][i]) } ?? i
      guard abs(matrix[pivot][i]) > 1e-12 * Double(x.count) else { return nil }
      matrix.swapAt(i, pivot)
      for row in 0..<n where row != i {
        let factor = matrix[row][i] / matrix[i][i]
        for column in i...n { matrix[row][column] -= factor * matrix[i][column] }
      }
    }
    return (0..<n).map { matrix[$0][n] / matrix[$0][$0] / pow(unit, Double($0)) }
  }
}
