import Foundation
import Tensors

/// Shares of each row's belonging to K clusters, `[N,K] -> [N,K]`, such that all clusters are used alike: `exp(x/ε)`, scaled by turns so
/// that columns sum to N/K and rows to 1 (Sinkhorn and Knopp), rows last. No gradient flows.
///
/// Source: Cuturi, NIPS 2013; as targets of clustering Caron et al., "Unsupervised learning of visual features by contrasting cluster
/// assignments", NeurIPS 2020.
public struct BalancedAssignment: Operation {
  package let epsilon: Double
  package let rounds: Int

  public init(epsilon: Double, rounds: Int) {
    precondition(epsilon > 0 && rounds > 0, "an assignment with ε \(epsilon) in \(rounds) rounds")
    (self.epsilon, self.rounds) = (epsilon, rounds)
  }

  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    guard s.count == 1, s[0].rank == 2 else { throw ShapeError("BalancedAssignment takes [N,K], got \(s)") }
    return s
  }

  /// In logarithms: no row or column can vanish.
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    [Tensor(x[0].shape, shares(of: x[0].elements, rows: x[0].shape[0], columns: x[0].shape[1]))]
  }

  package func shares(of scores: [Double], rows: Int, columns: Int) -> [Double] {
    var logs = scores.map { $0 / epsilon }
    func logSum(_ indices: some Collection<Int>) -> Double {
      let top = indices.reduce(-Double.infinity) { max($0, logs[$1]) }
      return top + log(indices.reduce(0) { $0 + exp(logs[$1] - top) })
    }
    for _ in 0..<rounds {
      for column in 0..<columns {
        let places = stride(from: column, to: rows * columns, by: columns).map { $0 }
        let shift = logSum(places) - log(Double(rows) / Double(columns))
        for place in places { logs[place] -= shift }
      }
      for row in 0..<rows {
        let places = row * columns..<(row + 1) * columns, shift = logSum(places)
        for place in places { logs[place] -= shift }
      }
    }
    return logs.map { exp($0) }
  }

  public func gradients(_: GradientContext) -> [Value?] { [nil] }
}

extension Value {
  /// Shares of `[N,K]` by rows with all columns used alike; see `BalancedAssignment`.
  public func balancedAssignment(epsilon: Double, rounds: Int = 3) -> Value {
    builder.append(BalancedAssignment(epsilon: epsilon, rounds: rounds), [self])[0]
  }
}
