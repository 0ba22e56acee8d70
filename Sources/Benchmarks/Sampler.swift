import Tensors

/// Times of one work, without those spoilt by other programs.
public struct Samples: Codable, Hashable, Sendable {
  /// Clean samples in the order in which they were taken.
  public var milliseconds: [Double] = []
  /// How many were thrown away because something else ran.
  public var discarded = 0

  public init(milliseconds: [Double] = [], discarded: Int = 0) {
    (self.milliseconds, self.discarded) = (milliseconds, discarded)
  }

  public var count: Int { milliseconds.count }
  /// `nil` without a clean sample.
  public var median: Double? { milliseconds.isEmpty ? nil : Statistics.median(milliseconds) }
  public var minimum: Double? { milliseconds.min() }
}

/// Repeats a work until enough undisturbed samples have been taken.
public struct Sampler: Sendable {
  /// Clean samples to take.
  public var count: Int
  /// After this long no new block is begun, however few there are.
  public var patience: Duration
  /// Foreign load is judged over blocks of at least this long: the kernel counts time in ticks of 10 ms.
  public var block = Duration.seconds(1)

  public init(count: Int = 10, patience: Duration = .seconds(60)) {
    precondition(count > 0, "\(count) samples")
    (self.count, self.patience) = (count, patience)
  }

  /// One run that is not counted, then samples. `times` tells the processor times; it is called around every block.
  public func measure(
    times: () throws -> ProcessorTimes = { try ProcessorTimes.now() }, _ work: () throws -> Void
  ) throws -> Samples {
    let clock = ContinuousClock(), began = clock.now
    var samples = Samples()
    try work()
    repeat {
      let before = try times(), blockBegan = clock.now
      var block: [Double] = []
      repeat {
        let start = clock.now
        try work()
        block.append((clock.now - start).milliseconds)
      } while clock.now - blockBegan < self.block && samples.count + block.count < count
      if ForeignLoad(from: before, to: try times()).isClean { samples.milliseconds += block } else { samples.discarded += block.count }
    } while samples.count < count && clock.now - began < patience
    return samples
  }
}

extension Duration {
  public var milliseconds: Double { Double(components.seconds) * 1e3 + Double(components.attoseconds) * 1e-15 }
}
