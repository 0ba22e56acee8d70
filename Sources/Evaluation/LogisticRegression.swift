import Engine
import Foundation
import Tensors

/// Multinomial logistic regression with an L2 penalty, fitted on the full batch in double precision.
///
/// Minimises f(W,b) = Σᵢ wᵢ·(−log softmax(W x̂ᵢ + b)_{yᵢ})/Σᵢ wᵢ + (λ/2)‖W‖², with x̂ the standardised features and b free.
/// In scikit-learn's terms C = 1/(λ Σ wᵢ), and 2/(λ Σ wᵢ) for its two-class form, which has one weight vector for two.
public struct LogisticRegression: Sendable {
  /// The classes met in training, as indices into the class list; row k of `weight` belongs to `classes[k]`.
  public let classes: [Int]
  /// `[K,D]`, on standardised features.
  public let weight: Tensor<Double>
  /// `[K]`.
  public let bias: [Double]
  public let standardization: Standardization
  /// λ.
  public let strength: Double
  public let outcome: LBFGS.Outcome

  /// Rows to a block: 256 rows of 512 features are 1 MiB in double precision.
  private static let block = 256

  /// Fits to `examples`, warm-started from `start` where given.
  ///
  /// `balanced` weighs each example by N/(K·n_class), so that every class weighs the same; else all weigh 1.
  /// A fit may end without convergence: see `outcome.converged`. Throws `ProbeError.oneClass` below two classes.
  public init(
    fittedTo examples: Embeddings, strength: Double, balanced: Bool = true, standardization: Standardization,
    minimizer: LBFGS = LBFGS(), startingFrom start: LogisticRegression? = nil
  ) throws(ProbeError) {
    precondition(strength >= 0, "an L2 strength is not negative, got \(strength)")
    let problem = try Problem(examples, strength, balanced, standardization)
    let k = problem.classes.count, d = examples.width
    var origin = [Double](repeating: 0, count: k * (d + 1))
    if let start, start.classes == problem.classes, start.weight.shape == [k, d] {
      origin = start.weight.elements + start.bias
    }
    let outcome = minimizer.minimum(from: origin) { problem.value(at: $0, gradient: &$1) }
    classes = problem.classes
    weight = Tensor([k, d], Array(outcome.point[..<(k * d)]))
    bias = Array(outcome.point[(k * d)...])
    self.standardization = standardization
    self.strength = strength
    self.outcome = outcome
  }

  /// The scores W x̂ + b of each example: `[N,D] -> [N,K]`.
  public func logits(_ vectors: Tensor<Float>) -> Tensor<Double> {
    let k = classes.count, d = weight.shape[1], n = vectors.shape[0]
    var result: [Double] = []
    result.reserveCapacity(n * k)
    for start in stride(from: 0, to: n, by: LogisticRegression.block) {
      let range = start..<min(n, start + LogisticRegression.block)
      var z = (0..<range.count * k).map { bias[$0 % k] }
      BLAS.gemm(
        rows: range.count, columns: k, inner: d, standardization.rows(range, of: vectors).span, weight.elements.span,
        transposingB: true, beta: 1, into: &z)
      result += z
    }
    return Tensor([n, k], result)
  }

  /// The likeliest class of each example; of equal ones the first.
  public func predictions(_ vectors: Tensor<Float>) -> [Int] {
    let z = logits(vectors), k = classes.count
    return (0..<vectors.shape[0]).map { row in
      var best = 0
      for c in 1..<k where z.elements[row * k + c] > z.elements[row * k + best] { best = c }
      return classes[best]
    }
  }

  /// The mean over classes of the mean −log p(class) of their examples; what the choice of λ looks at.
  /// Examples of classes not met in training do not count; `nil` where none is left.
  public func balancedCrossEntropy(on examples: Embeddings) -> Double? {
    let z = logits(examples.vectors), k = classes.count
    var sums = [Double](repeating: 0, count: k), counts = sums
    for (row, label) in examples.labels.enumerated() {
      guard let own = classes.firstIndex(of: label) else { continue }
      let scores = z.elements[row * k..<(row + 1) * k]
      sums[own] += logSumExp(scores) - scores[row * k + own]
      counts[own] += 1
    }
    let means = zip(sums, counts).filter { $0.1 > 0 }.map { $0.0 / $0.1 }
    return means.isEmpty ? nil : Statistics.mean(means)
  }

  /// The function to minimise, over W row by row and then b.
  private struct Problem {
    let classes: [Int]
    let vectors: Tensor<Float>
    /// Position of each example's class in `classes`.
    let targets: [Int]
    /// wᵢ/Σ wᵢ by class.
    let shares: [Double]
    let strength: Double
    let standardization: Standardization

    init(_ examples: Embeddings, _ strength: Double, _ balanced: Bool, _ standardization: Standardization) throws(ProbeError) {
      guard examples.count > 0 else { throw .tooFew(part: "train", count: 0, needed: 2) }
      let present = Set(examples.labels).sorted()
      guard present.count > 1 else { throw .oneClass(examples.classes[present[0]]) }
      let place = Dictionary(uniqueKeysWithValues: present.enumerated().map { ($1, $0) })
      let targets = examples.labels.compactMap { place[$0] }
      var counts = [Double](repeating: 0, count: present.count)
      for target in targets { counts[target] += 1 }
      classes = present
      self.targets = targets
      vectors = examples.vectors
      shares = counts.map { balanced ? 1 / (Double(present.count) * $0) : 1 / Double(examples.count) }
      self.strength = strength
      self.standardization = standardization
    }

    func value(at x: [Double], gradient: inout [Double]) -> Double {
      let k = classes.count, d = vectors.shape[1], n = vectors.shape[0]
      let weight = Array(x[..<(k * d)])
      var slope = weight.map { strength * $0 }
      var biasSlope = [Double](repeating: 0, count: k)
      var value = 0.5 * strength * weight.reduce(0) { $0 + $1 * $1 }
      for start in stride(from: 0, to: n, by: LogisticRegression.block) {
        let range = start..<min(n, start + LogisticRegression.block)
        let rows = standardization.rows(range, of: vectors)
        var z = (0..<range.count * k).map { x[k * d + $0 % k] }
        BLAS.gemm(rows: range.count, columns: k, inner: d, rows.span, weight.span, transposingB: true, beta: 1, into: &z)
        // z turns into the residual wᵢ(p − y)/Σw in place.
        for row in range {
          let first = (row - start) * k, target = targets[row], share = shares[target]
          let total = logSumExp(z[first..<first + k])
          value += share * (total - z[first + target])
          for c in 0..<k {
            let residual = share * (exp(z[first + c] - total) - (c == target ? 1 : 0))
            z[first + c] = residual
            biasSlope[c] += residual
          }
        }
        BLAS.gemm(rows: k, columns: d, inner: range.count, z.span, transposingA: true, rows.span, beta: 1, into: &slope)
      }
      gradient = slope + biasSlope
      return value
    }
  }
}

/// log Σ exp, without overflow.
private func logSumExp(_ values: ArraySlice<Double>) -> Double {
  let top = values.reduce(-Double.infinity) { max($0, $1) }
  return top + log(values.reduce(0) { $0 + exp($1 - top) })
}
