import Tensors

/// Where a training run stands in its random masks: two whole numbers below 2²⁴, which float32 holds exactly.
///
/// Fed to a network that has dropout or stochastic depth, once a step. The same counter gives the same masks, so a run that
/// resumes at its step goes on as if it had not stopped.
public struct MaskCounter: Hashable, Sendable {
  public static let limit = 1 << 24
  public let seed: Int
  public let step: Int

  /// Throws unless both lie in 0..<2²⁴.
  public init(seed: Int, step: Int) throws(MaskCounterError) {
    for (name, number) in [("seed", seed), ("step", step)] {
      guard (0..<MaskCounter.limit).contains(number) else { throw MaskCounterError(name: name, found: "\(number)") }
    }
    self.seed = seed
    self.step = step
  }

  /// Reads back what was fed; traps unless it came from a counter.
  package init(fed numbers: [Double]) {
    let whole = numbers.compactMap { Int(exactly: $0) }
    precondition(
      numbers.count == 2 && whole.count == 2 && whole.allSatisfy((0..<MaskCounter.limit).contains),
      "a mask counter is two whole numbers below 2^24, fed \(numbers)")
    seed = whole[0]
    step = whole[1]
  }

  /// What to feed as the input `counter`.
  public var tensor: Tensor<Float> { Tensor([2], [Float(seed), Float(step)]) }

  package var key: UInt64 { UInt64(seed) << 32 | UInt64(step) }
}

/// A number that a mask counter cannot hold.
public struct MaskCounterError: Error, Hashable, CustomStringConvertible {
  public let name: String
  public let found: String
  public var description: String { "\(name) of random masks: expected a whole number from 0 below 2^24, found \(found)" }
}
