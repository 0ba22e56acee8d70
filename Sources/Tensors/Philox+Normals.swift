import CRandom

extension Philox {
  /// `count` numbers that `Float(normal(mean, sigma))` would give one after the other, up to the last bit of a double precision
  /// logarithm and cosine before they are rounded. About 3 ns each, where `normal()` takes 40.
  public mutating func normals(_ count: Int, _ mean: Double = 0, _ sigma: Double = 1) -> [Float] {
    // Half a block is left over: pairs would straddle blocks.
    guard !hasSpare else { return (0..<count).map { _ in Float(normal(mean, sigma)) } }
    let values = unsafe [Float](unsafeUninitializedCapacity: count) { buffer, filled in
      if let start = buffer.baseAddress { unsafe psi_normals(start, count, block, stream, key, mean, sigma) }
      filled = count
    }
    block &+= UInt64(count)
    return values
  }
}
