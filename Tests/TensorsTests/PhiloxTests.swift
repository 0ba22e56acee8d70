import Tensors
import Testing

/// Known answers of the authors' own test vectors (Random123 kat_vectors, philox4x32 10 rounds).
@Test func philoxMatchesThePublishedKnownAnswers() {
  let zero = Philox.block(counter: (0, 0), key: 0)
  #expect(UInt32(truncatingIfNeeded: zero.0) == 0x6627_e8d5)
  #expect(UInt32(truncatingIfNeeded: zero.0 >> 32) == 0xe169_c58d)
  #expect(UInt32(truncatingIfNeeded: zero.1) == 0xbc57_ac4c)
  #expect(UInt32(truncatingIfNeeded: zero.1 >> 32) == 0x9b00_dbd8)
  let ones = Philox.block(counter: (.max, .max), key: .max)
  #expect(UInt32(truncatingIfNeeded: ones.0) == 0x408f_276d)
  #expect(UInt32(truncatingIfNeeded: ones.0 >> 32) == 0x41c8_3b0e)
  #expect(UInt32(truncatingIfNeeded: ones.1) == 0xa20b_c7c6)
  #expect(UInt32(truncatingIfNeeded: ones.1 >> 32) == 0x6d54_51fd)
}

@Test func purposesDoNotShareNumbers() {
  var a = Philox(seed: 1, 2, 3), b = Philox(seed: 1, 3, 2), c = Philox(seed: 2, 2, 3)
  let drawn = (0..<64).flatMap { _ in [a.next(), b.next(), c.next()] }
  #expect(Set(drawn).count == drawn.count)
  var d = Philox(seed: 1).keyed("flip"), e = Philox(seed: 1).keyed("crop")
  #expect(d.next() != e.next())
}

@Test(arguments: [0.3, 4.0, 40.0, 3000.0]) func poissonHasItsMeanAndVariance(mean: Double) {
  var random = Philox(seed: 5)
  let draws = (0..<20_000).map { _ in Double(random.poisson(mean)) }
  #expect(abs(Statistics.mean(draws) - mean) < 5 * (mean / 20_000).squareRoot())
  let variance = Statistics.standardDeviation(draws) * Statistics.standardDeviation(draws)
  #expect(abs(variance / mean - 1) < 0.06)
}

@Test func normalAndGammaHaveTheirMoments() {
  var random = Philox(seed: 6)
  let normal = (0..<20_000).map { _ in random.normal(2, 3) }
  #expect(abs(Statistics.mean(normal) - 2) < 0.1 && abs(Statistics.standardDeviation(normal) - 3) < 0.1)
  let gamma = (0..<20_000).map { _ in random.gamma(shape: 8, scale: 0.5) }
  #expect(abs(Statistics.mean(gamma) - 4) < 0.06 && abs(Statistics.standardDeviation(gamma) - 2.0.squareRoot()) < 0.05)
}

/// Many at a time are the numbers that come one at a time; at most the last bit of a float may differ, and hardly ever does.
@Test(arguments: [0, 1, 15, 16, 17, 1000], [false, true]) func normalsInBulkAreTheNormalsOneByOne(count: Int, startsInsideABlock: Bool) {
  var bulk = Philox(seed: 9, 4), single = bulk
  if startsInsideABlock { #expect(bulk.next() == single.next()) }
  let many = bulk.normals(count, 0.5, 2), expected = (0..<count).map { _ in Float(single.normal(0.5, 2)) }
  #expect(many.count == count)
  for (a, b) in zip(many, expected) { #expect(abs(a - b) <= b.ulp, "\(a), \(b)") }
  #expect(zip(many, expected).filter { $0 != $1 }.count <= 1)
  // Both go on at the same place.
  #expect(bulk.next() == single.next())
}
