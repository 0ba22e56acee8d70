import Networks
import Tensors

/// The shot as if it had been measured with a share of its photons: `n -> Poisson(s·n)/s` with n the photons that a pixel of the picture
/// saw, which is its mean over N detector pixels, times N. The mean stays, the noise grows to `√(n/s)`, in addition to what was measured. Negative
/// signals are readout noise and stay as they are.
///
/// Behind a cut (the crop tasks, `single-image`) every pixel of an enlarged piece has this noise by itself, where a real one's neighbours would share it.
///
/// A factor of the signal leaves the steps of fewer photons, so it is about gain as well. Every step is drawn, also that of all photons, so that no step is one resampling short. Needs a corpus whose tone map can be inverted.
public struct PhotonNoise: GradedChange {
  public static let name = "photon-noise"
  /// s of the steps.
  public var shares = [1.0, 0.25, 0.06]
  /// The signal of one photon in the corpus's unit: 1 for photons; the gain for ADU. One number for all pictures: where sources have different units,
  /// one unit of each is taken for a photon.
  public var photon = 1.0
  /// N, the detector pixels that a whole pixel of the picture averages; 0 for what the corpus knows of its sources, and 1 where it knows
  /// nothing. 1 shows noise where the average has hidden it.
  public var pixels = 0.0

  public init() {}
  public init(shares: [Double], photon: Double = 1, pixels: Double = 0) { (self.shares, self.photon, self.pixels) = (shares, photon, pixels) }

  public var changes: Set<Transformation> { [.photonNoise, .noise, .gain] }
  public var factorBetweenLevels: Double? { zip(shares.sorted(), shares.sorted().dropFirst()).map { $1 / $0 }.min() }
  public var needs: Set<ShotNeed> { [.signal] }
  public var levels: [String] { shares.map { "\($0) of the photons" } }

  public func validate() throws(SettingError) {
    try SettingError.require(shares.count > 1 && Set(shares).count == shares.count, "shares", "at least two different ones", shares)
    try SettingError.require(shares.allSatisfy { $0 > 0 && $0 <= 1 }, "shares", "each above 0, at most 1", shares)
    try SettingError.require(photon > 0 && photon.isFinite, "photon", "above 0", photon)
    try SettingError.require(pixels >= 0 && pixels.isFinite, "pixels", "0 or more", pixels)
  }

  public func changed(_ image: MaskedImage, to level: Int, of shot: Shot, scaling: InputScaling, using random: inout Philox) -> MaskedImage {
    guard let scale = shot.signal else { preconditionFailure("photon-noise needs the signal of a shot") }
    let share = shares[level], whole = (pixels > 0 ? pixels : scale.pixels ?? 1) / photon
    return image.changingMeasured { index, value in
      // A pixel that is measured in part averages as many less.
      let photons = whole * Double(image.weight.elements[index]), signal = Double(scale.signal(value))
      guard signal > 0 else { return value }
      return scale.value(Float(Double(random.poisson(share * photons * signal)) / (share * photons)))
    }
  }
}
