import Foundation
import Networks
import Tensors

/// Nuisances that every class meets alike: overall intensity and pixel noise, in units of the scaled input.
public struct Jitter: Codable, Hashable, Sendable {
  /// σ of the logarithm of a common factor.
  public var intensity = 0.1
  /// σ of a common offset.
  public var offset = 0.05
  /// σ of independent noise on every measured pixel.
  public var noise = 0.05

  public init() {}
  public init(intensity: Double, offset: Double, noise: Double) {
    self.intensity = intensity
    self.offset = offset
    self.noise = noise
  }

  func validate() throws(SettingError) {
    for (key, value) in [("intensity", intensity), ("offset", offset), ("noise", noise)] {
      try SettingError.require(value >= 0 && value.isFinite, "jitter.\(key)", "0 or more", value)
    }
  }

  /// Applies to pixels that are not 0, the value of gaps.
  func apply(to channel: inout Tensor<Float>, using random: inout Philox) {
    let factor = Float(exp(random.normal(0, intensity))), shift = Float(random.normal(0, offset))
    for i in channel.elements.indices where channel.elements[i] != 0 {
      channel.elements[i] = channel.elements[i] * factor + shift + Float(random.normal(0, noise))
    }
  }
}
