import Foundation
import Tensors
import Testing

@Test func rankCorrelationIsThatOfTheRanks() {
  // Σd² = 4 over n = 5: 1 − 6·4/(5·24).
  #expect(abs(Statistics.rankCorrelation([1, 2, 3, 4, 5], [2, 1, 4, 3, 5]) - 0.8) < 1e-12)
  #expect(abs(Statistics.rankCorrelation([1, 20, 300, 4000, 50000], [-2, -5, -0.1, -1, 7]) - 0.8) < 1e-12)
  #expect(Statistics.rankCorrelation([3, 1, 2], [-3, -1, -2]) == -1)
}

@Test func equalValuesShareTheirRanks() {
  // Ranks 1, 2½, 2½, 4 and 1, 2, 3½, 3½: covariance 3.75, both variances 4.5.
  #expect(abs(Statistics.rankCorrelation([1, 2, 2, 3], [10, 20, 30, 30]) - 3.75 / 4.5) < 1e-12)
  #expect(Statistics.rankCorrelation([1, 2, 3], [5, 5, 5]).isNaN && Statistics.rankCorrelation([1], [1]).isNaN)
}

/// Over all orders of five values, ρ² is 1/(5 − 1) on average.
@Test func withoutATieRankCorrelationScattersByItsNumber() {
  var orders: [[Double]] = [[]]
  for value in 1...5 {
    orders = orders.flatMap { order in (0...order.count).map { Array(order[..<$0]) + [Double(value)] + Array(order[$0...]) } }
  }
  let all = orders.map { Statistics.rankCorrelation([1, 2, 3, 4, 5], $0) }
  #expect(all.count == 120 && abs(Statistics.mean(all)) < 1e-12 && abs(Statistics.mean(all.map { $0 * $0 }) - 0.25) < 1e-12)
}
