/// Counter-based random numbers: the n-th number depends on the key and n alone, never on threads or order of use.
///
/// Philox4x32-10. Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
public struct Philox: RandomNumberGenerator, Sendable, Codable, Hashable {
  @usableFromInline var key: UInt64
  @usableFromInline var stream: UInt64
  @usableFromInline var block: UInt64 = 0
  @usableFromInline var spare: UInt64 = 0
  @usableFromInline var hasSpare = false

  /// The generator of one purpose: `Philox(seed: 7, 3, 120)` for seed 7, epoch 3, sample 120.
  public init(seed: UInt64, _ purpose: UInt64...) {
    key = seed
    stream = purpose.reduce(UInt64(purpose.count)) { Philox.mixed($0 &+ Philox.mixed($1 &+ 0x9E37_79B9_7F4A_7C15)) }
  }

  /// A generator that shares this key but none of its numbers, for a named purpose within it.
  public func keyed(_ name: String) -> Philox {
    var other = self
    other.stream = Philox.stream(name, within: stream)
    other.block = 0
    other.hasSpare = false
    return other
  }

  /// A number that tells purposes apart by name.
  public static func stream(_ name: String, within stream: UInt64 = 0) -> UInt64 {
    name.utf8.reduce(stream ^ 0xCBF2_9CE4_8422_2325) { mixed($0 &+ UInt64($1) &+ 0x9E37_79B9_7F4A_7C15) }
  }

  @inlinable public mutating func next() -> UInt64 {
    if hasSpare {
      hasSpare = false
      return spare
    }
    let words = Philox.block(counter: (block, stream), key: key)
    block &+= 1
    spare = words.1
    hasSpare = true
    return words.0
  }

  /// Ten rounds on a 128-bit counter, given and returned as two little-endian 64-bit halves.
  @inlinable public static func block(counter: (UInt64, UInt64), key: UInt64) -> (UInt64, UInt64) {
    var c0 = UInt32(truncatingIfNeeded: counter.0), c1 = UInt32(truncatingIfNeeded: counter.0 >> 32)
    var c2 = UInt32(truncatingIfNeeded: counter.1), c3 = UInt32(truncatingIfNeeded: counter.1 >> 32)
    var k0 = UInt32(truncatingIfNeeded: key), k1 = UInt32(truncatingIfNeeded: key >> 32)
    for _ in 0..<10 {
      let p0 = UInt64(c0) &* 0xD251_1F53, p1 = UInt64(c2) &* 0xCD9E_8D57
      c0 = UInt32(truncatingIfNeeded: p1 >> 32) ^ c1 ^ k0
      c2 = UInt32(truncatingIfNeeded: p0 >> 32) ^ c3 ^ k1
      c1 = UInt32(truncatingIfNeeded: p1)
      c3 = UInt32(truncatingIfNeeded: p0)
      k0 = k0 &+ 0x9E37_79B9
      k1 = k1 &+ 0xBB67_AE85
    }
    return (UInt64(c1) << 32 | UInt64(c0), UInt64(c3) << 32 | UInt64(c2))
  }

  /// The finaliser of SplitMix64, a bijection that scatters every bit.
  static func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
