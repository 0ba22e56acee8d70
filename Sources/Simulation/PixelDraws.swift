import Foundation
import Tensors

/// Random numbers for millions of pixels: 16 Philox bits a normal, 32 a Poisson count.
///
/// Normals are the inverse distribution function at the middle of 2^16 equal cells (so at most 4.3 sigma), scaled to unit
/// variance. Every pixel takes fresh bits: no table is reused along a picture.
struct PixelDraws {
  private var philox: Philox
  private var word: UInt64 = 0
  private var left = 0
  private let normals: [Float]

  init(_ philox: Philox) {
    self.philox = philox
    normals = Self.normalTable
  }

  @inline(__always)
  mutating func bits16() -> Int {
    if left == 0 {
      word = philox.next()
      left = 4
    }
    let low = Int(word & 0xFFFF)
    word >>= 16
    left -= 1
    return low
  }

  /// N(0,1).
  @inline(__always)
  mutating func normal() -> Float { normals[bits16()] }

  /// Uniform in (0, 1), 32 bits.
  @inline(__always)
  mutating func uniform() -> Float { Float((Double(bits16() << 16 | bits16()) + 0.5) * 0x1p-32) }

  /// Poisson by inversion below 12, else by the exact rejection of `Distributions`.
  @inline(__always)
  mutating func poisson(_ mean: Float) -> Int {
    guard mean > 0 else { return 0 }
    guard mean < 12 else { return philox.poisson(Double(mean)) }
    var p = exp(-mean), u = uniform(), k = 0
    while u > p, k < 80 {
      u -= p
      k += 1
      p *= mean / Float(k)
    }
    return k
  }

  private static let normalTable: [Float] = {
    let cells = 65536
    let raw = (0..<cells).map { quantile((Double($0) + 0.5) / Double(cells)) }
    let sigma = (raw.reduce(0) { $0 + $1 * $1 } / Double(cells)).squareRoot()
    return raw.map { Float($0 / sigma) }
  }()

  /// Φ⁻¹(p): bisection to a start, then Newton steps on erfc.
  private static func quantile(_ p: Double) -> Double {
    if p > 0.5 { return -quantile(1 - p) }
    var low = -8.0, high = 0.0
    for _ in 0..<20 {
      let middle = (low + high) / 2
      if Statistics.normalCDF(middle) < p { low = middle } else { high = middle }
    }
    var z = (low + high) / 2
    for _ in 0..<3 { z -= (Statistics.normalCDF(z) - p) * (2 * Double.pi).squareRoot() * exp(z * z / 2) }
    return z
  }
}
