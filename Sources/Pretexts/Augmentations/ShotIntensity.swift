import Foundation
import Networks
import Tensors

/// The pulse energy, which differs from shot to shot: one factor for the whole signal. Needs a corpus whose tone map can be inverted.
public struct ShotIntensity: Augmentation {
  public static let name = "shot-intensity"
  /// σ of the logarithm of the factor.
  public var sigma = 0.3

  public init() {}
  public init(sigma: Double) { self.sigma = sigma }

  public var changes: Set<Transformation> { [.gain] }
  public var needs: Set<ShotNeed> { [.signal] }

  public func validate() throws(SettingError) { try SettingError.require((0...3).contains(sigma), "sigma", "0 to 3", sigma) }

  public func augmented(_ image: MaskedImage, of shot: Shot, scaling: InputScaling, using random: inout Philox) -> MaskedImage {
    guard let scale = shot.signal else { preconditionFailure("shot-intensity needs the signal of a shot") }
    let factor = Float(exp(random.normal(0, sigma)))
    return image.changingMeasured { scale.value(factor * scale.signal($1)) }
  }
}
