import Tensors

/// Accuracies that can be written down, against which detectors and probes are measured.
///
/// All are optimal linear detectors of two equally likely classes in white Gaussian noise, Φ(d'/2) with d' the distance
/// of the class means in units of the noise.
public enum AnalyticOracle {
  /// Φ(d'/2).
  public static func accuracy(separation: Double) -> Double { Statistics.normalCDF(separation / 2) }

  /// Mirrored or not, told from one hot or dead pixel of `amplitude` noise standard deviations: Φ(A/√2).
  ///
  /// The pixel sits at p or at its mirror place, so the means lie √2·A apart. It must not lie on the mirror axis.
  public static func flipAccuracy(pixelAmplitude amplitude: Double) -> Double {
    accuracy(separation: 2.0.squareRoot() * abs(amplitude))
  }

  /// Mirrored or not, told from a white fixed pattern of standard deviation `ratio` times the noise over `pixels` pixels:
  /// Φ(ratio·√(N/2)), since the pattern and its mirror image lie ratio·√(2N) apart.
  public static func flipAccuracy(patternToNoise ratio: Double, pixels: Int) -> Double {
    accuracy(separation: abs(ratio) * (2 * Double(pixels)).squareRoot())
  }

  /// Mirrored or not, told from a known `[H,W]` pattern in white noise of standard deviation `noise`: Φ(‖P − FP‖/2σ),
  /// F the mirror left to right. What a residue measured from dark frames allows. Traps unless P has rank 2 and σ > 0.
  public static func flipAccuracy(pattern: Tensor<Float>, noise: Double) -> Double {
    precondition(pattern.shape.rank == 2 && noise > 0, "a pattern is [H,W] in positive noise, got \(pattern.shape), \(noise)")
    let sum = zip(pattern.elements, Symmetry.mirror(pattern).elements).reduce(0.0) { sum, pair in
      let difference = Double(pair.0) - Double(pair.1)
      return sum + difference * difference
    }
    return accuracy(separation: sum.squareRoot() / noise)
  }
}
