import Graphs
import Tensors
import Testing

/// Dropout of ones: what is left of each element.
func mask(_ shape: Shape, rate: Double, stream: UInt64 = 5, per unit: BernoulliMask.Unit = .element, seed: Int, step: Int) throws -> [Double] {
  let counter = try MaskCounter(seed: seed, step: step).tensor.map(Double.init)
  return evaluated([Tensor(repeating: 1, shape), counter]) {
    $0[0].appended(BernoulliMask(rate: rate, stream: stream, per: unit), [$0[1]])[0]
  }.elements
}

@Test(arguments: [0.05, 0.2, 0.5, 0.9]) func aMaskDropsAtItsRateAndKeepsTheMean(rate: Double) throws {
  let left = try mask([100_000], rate: rate, seed: 1, step: 1)
  #expect(Set(left).isSubset(of: [0, 1 / (1 - rate)]))
  // Five standard deviations of a binomial.
  let dropped = Double(left.count { $0 == 0 })
  #expect(abs(dropped - rate * 1e5) < 5 * (1e5 * rate * (1 - rate)).squareRoot())
}

@Test func aMaskIsAFunctionOfStreamCounterAndPlace() throws {
  let first = try mask([1000], rate: 0.5, seed: 3, step: 7)
  #expect(try mask([1000], rate: 0.5, seed: 3, step: 7) == first)
  // Place i does not depend on how much there is or under which shape.
  #expect(try mask([10, 7], rate: 0.5, seed: 3, step: 7) == Array(first[..<70]))
  for other in [
    try mask([1000], rate: 0.5, seed: 3, step: 8), try mask([1000], rate: 0.5, seed: 4, step: 7),
    try mask([1000], rate: 0.5, stream: 6, seed: 3, step: 7),
  ] {
    // Independent masks agree in half of the places, within five standard deviations.
    #expect(abs(zip(first, other).count { $0 == $1 } - 500) < 80)
  }
}

/// Against the generator itself: words in the order in which Philox gives them.
@Test func aMaskIsDrawnFromPhilox() throws {
  let left = try mask([8], rate: 0.25, stream: 9, seed: 2, step: 5)
  let words = (0..<2).flatMap { block -> [UInt32] in
    let (a, b) = Philox.block(counter: (UInt64(block), 9), key: 2 << 32 | 5)
    return [a, b].flatMap { [UInt32(truncatingIfNeeded: $0), UInt32($0 >> 32)] }
  }
  #expect(left == words.map { $0 < 1 << 30 ? 0 : 4.0 / 3 })
}

@Test func stochasticDepthDropsWholeExamples() throws {
  let left = try mask([200, 3, 2, 2], rate: 0.4, per: .example, seed: 1, step: 0)
  let examples = (0..<200).map { Set(left[$0 * 12..<($0 + 1) * 12]) }
  #expect(examples.allSatisfy { $0.count == 1 })
  #expect((50...110).contains(examples.count { $0 == [0] }))
}

@Test func aCounterHoldsWhatFloat32Holds() throws {
  let last = try MaskCounter(seed: 0, step: MaskCounter.limit - 1)
  #expect(last.tensor.elements == [0, 16_777_215])
  #expect { try MaskCounter(seed: 0, step: MaskCounter.limit) } throws: { "\($0)".contains("step") && "\($0)".contains("16777216") }
  #expect(throws: MaskCounterError.self) { try MaskCounter(seed: -1, step: 0) }
}

@Test func aCounterThatIsNoWholeNumberTraps() async {
  await #expect(processExitsWith: .failure) {
    _ = evaluated([Tensor(repeating: 1, [4]), Tensor([2], [0.5, 1])]) {
      $0[0].appended(BernoulliMask(rate: 0.5, stream: 1, per: .element), [$0[1]])[0]
    }
  }
}
