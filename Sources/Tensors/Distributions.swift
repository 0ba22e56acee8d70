import Foundation

/// Draws from the distributions of detector physics. All use the inverse or rejection forms of Devroye,
/// "Non-Uniform Random Variate Generation", 1986, unless said.
extension RandomNumberGenerator {
  /// Uniform in (0, 1]: 53 random bits, never 0.
  @inlinable public mutating func uniform() -> Double { Double((next() >> 11) &+ 1) * 0x1p-53 }

  @inlinable public mutating func uniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * uniform() }

  /// Log-uniform between two positive bounds.
  @inlinable public mutating func logUniform(_ low: Double, _ high: Double) -> Double {
    exp(uniform(log(low), log(high)))
  }

  /// Normal, by Box and Muller; two uniforms a draw.
  @inlinable public mutating func normal(_ mean: Double = 0, _ sigma: Double = 1) -> Double {
    mean + sigma * (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform())
  }

  @inlinable public mutating func exponential(_ mean: Double) -> Double { -mean * log(uniform()) }

  /// Poisson: products of uniforms below 12, then Hörmann's PTRS (Insurance: Mathematics and Economics 12, 1993).
  @inlinable public mutating func poisson(_ mean: Double) -> Int {
    guard mean > 0 else { return 0 }
    if mean < 12 {
      let limit = exp(-mean)
      var k = 0, product = uniform()
      while product > limit {
        k += 1
        product *= uniform()
      }
      return k
    }
    let root = mean.squareRoot(), b = 0.931 + 2.53 * root, a = -0.059 + 0.02483 * b
    let inverseAlpha = 1.1239 + 1.1328 / (b - 3.4), vr = 0.9277 - 3.6224 / (b - 2)
    while true {
      let u = uniform() - 0.5, v = uniform()
      let us = 0.5 - abs(u)
      let k = ((2 * a / us + b) * u + mean + 0.43).rounded(.down)
      if us >= 0.07 && v <= vr { return Int(k) }
      if k < 0 || (us < 0.013 && v > us) { continue }
      if log(v) + log(inverseAlpha) - log(a / (us * us) + b) <= -mean + k * log(mean) - lgamma(k + 1) { return Int(k) }
    }
  }

  /// Gamma with shape `k >= 1` and mean `k·scale`. Source: Marsaglia and Tsang, ACM TOMS 26, 2000.
  @inlinable public mutating func gamma(shape k: Double, scale: Double) -> Double {
    precondition(k >= 1, "gamma is drawn for shapes of at least 1, got \(k)")
    let d = k - 1.0 / 3, c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal(), t = 1 + c * x
      guard t > 0 else { continue }
      let v = t * t * t
      if log(uniform()) < 0.5 * x * x + d - d * v + d * log(v) { return scale * d * v }
    }
  }
}
