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
  /// The farthest shift of the whole view along each axis, as a share of its side; either way alike, so that mirroring the
  /// distribution changes nothing. Uncovered pixels become gaps.
  public var shift = 0.06

  public init() {}
  public init(intensity: Double, offset: Double, noise: Double, shift: Double = 0) {
    self.intensity = intensity
    self.offset = offset
    self.noise = noise
    self.shift = shift
  }

  func validate() throws(SettingError) {
    for (key, value) in [("intensity", intensity), ("offset", offset), ("noise", noise), ("shift", shift)] {
      try SettingError.require(value >= 0 && value.isFinite, "jitter.\(key)", "0 or more", value)
    }
  }

  /// Applies to `[1,H,W]`; pixels that are 0, the value of gaps, stay 0.
  func apply(to channel: inout Tensor<Float>, using random: inout Philox) {
    let factor = Float(exp(random.normal(0, intensity))), common = Float(random.normal(0, offset))
    for i in channel.elements.indices where channel.elements[i] != 0 {
      channel.elements[i] = channel.elements[i] * factor + common + Float(random.normal(0, noise))
    }
    let height = channel.shape[1], width = channel.shape[2]
    func draw(_ extent: Int) -> Int {
      let reach = Int((shift * Double(extent)).rounded())
      return Int.random(in: -reach...reach, using: &random)
    }
    let down = draw(height), across = draw(width)
    guard down != 0 || across != 0 else { return }
    var moved = [Float](repeating: 0, count: height * width)
    for row in max(0, down)..<min(height, height + down) {
      for column in max(0, across)..<min(width, width + across) {
        moved[row * width + column] = channel.elements[(row - down) * width + column - across]
      }
    }
    channel.elements = moved
  }
}
