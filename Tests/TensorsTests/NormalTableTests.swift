import Foundation
import Tensors
import Testing

@Test func theNormalTableHoldsTheQuantilesOfTheNormalDistribution() {
  let table = NormalTable.standard, values = (0...UInt16.max).map { Double(table[$0]) }
  #expect(values.reduce(0, +) == 0)
  #expect(abs(values.reduce(0) { $0 + $1 * $1 } / 65536 - 1) < 1e-6)
  #expect(zip(values, values.dropFirst()).allSatisfy { $0 < $1 })
  // Φ by erfc, an independent way back.
  for i in stride(from: 0, to: 65536, by: 97) {
    #expect(abs(0.5 * erfc(-values[i] / 2.0.squareRoot()) - (Double(i) + 0.5) / 65536) < 2e-5)
  }
}
