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
    try SettingError.require(shift <= 0.5, "jitter.shift", "at most 0.5 of the side", shift)
  }

  /// Applies to a channel `[1,H,W]`; pixels that are 0, the value of gaps, stay 0. Cost at 128×128: about 0.1 ms.
  func apply(to channel: inout MutableSpan<Float>, height: Int, width: Int, using random: inout Philox) {
    precondition(channel.count == height * width, "\(channel.count) pixels are no \(height)×\(width)")
    let factor = Float(exp(random.normal(0, intensity))), common = Float(random.normal(0, offset))
    func draw(_ extent: Int) -> Int {
      let reach = Int((shift * Double(extent)).rounded())
      return Int.random(in: -reach...reach, using: &random)
    }
    let down = draw(height), across = draw(width)
    Jitter.adjust(&channel, factor: factor, offset: common)
    Jitter.addNoise(Float(noise), to: &channel, using: &random)
    Jitter.shift(&channel, height, width, down: down, across: across)
  }

  /// `x -> factor·x + offset` where x is not 0, which in a marked view means a gap alone (`InputScaling.mark`).
  static func adjust(_ channel: inout MutableSpan<Float>, factor: Float, offset: Float) {
    for i in channel.indices { channel[i] = channel[i] == 0 ? 0 : InputScaling.measured(channel[i] * factor + offset) }
  }

  /// Independent normal noise where a pixel is not 0; four pixels a draw.
  static func addNoise(_ sigma: Float, to channel: inout MutableSpan<Float>, using random: inout Philox) {
    guard sigma > 0 else { return }
    let table = NormalTable.standard
    for first in stride(from: 0, to: channel.count, by: 4) {
      var bits = random.next()
      for i in first..<min(first + 4, channel.count) {
        let value = channel[i]
        channel[i] = value == 0 ? 0 : InputScaling.measured(value + sigma * table[UInt16(truncatingIfNeeded: bits)])
        bits >>= 16
      }
    }
  }

  /// Moves the view in place; what it uncovers becomes a gap.
  private static func shift(_ channel: inout MutableSpan<Float>, _ height: Int, _ width: Int, down: Int, across: Int) {
    guard down != 0 || across != 0 else { return }
    // From the side that it moves to, so that no pixel is overwritten before it has moved.
    for step in 0..<height {
      let row = down > 0 ? height - 1 - step : step, source = row - down
      for j in 0..<width {
        let column = across > 0 ? width - 1 - j : j, from = column - across
        let isCovered = source >= 0 && source < height && from >= 0 && from < width
        channel[row * width + column] = isCovered ? channel[source * width + from] : 0
      }
    }
  }
}
