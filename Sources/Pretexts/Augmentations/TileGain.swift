import Foundation
import Networks
import Tensors

/// Gain and pedestal of each readout chip, drawn anew for every example: what calibrations differ in between runs. Chips are the equal
/// tiles of a grid. Acts on the signal, so it needs a corpus whose tone map can be inverted.
public struct TileGain: Augmentation {
  public static let name = "tile-gain"
  /// Along each axis.
  public var tiles = 4
  /// σ of the logarithm of the factor.
  public var gain = 0.03
  /// σ of the offset, in units of the scaled input, added to stored values.
  public var pedestal = 0.05

  public init() {}
  public init(tiles: Int, gain: Double, pedestal: Double) { (self.tiles, self.gain, self.pedestal) = (tiles, gain, pedestal) }

  public var changes: Set<Transformation> { [.gain, .pedestal] }
  public var needs: Set<ShotNeed> { [.signal] }

  public func validate() throws(SettingError) {
    try SettingError.require((1...64).contains(tiles), "tiles", "1 to 64", tiles)
    try SettingError.require(gain >= 0 && gain < 1, "gain", "0 or more, below 1", gain)
    try SettingError.require(pedestal >= 0 && pedestal.isFinite, "pedestal", "0 or more", pedestal)
  }

  public func validate(side: Int) throws(SettingError) {
    try SettingError.require(tiles <= side, "tiles", "at most \(side), the side of the pictures", tiles)
  }

  public func augmented(_ image: MaskedImage, of shot: Shot, scaling: InputScaling, using random: inout Philox) -> MaskedImage {
    guard let scale = shot.signal else { preconditionFailure("tile-gain needs the signal of a shot") }
    let (height, width) = (image.height, image.width), unit = scaling.deviation
    let drawn = (0..<tiles * tiles).map { _ in (Float(exp(random.normal(0, gain))), Float(random.normal(0, pedestal * unit))) }
    return image.changingMeasured { index, value in
      let (factor, offset) = drawn[index / width * tiles / height * tiles + index % width * tiles / width]
      return scale.value(factor * scale.signal(value)) + offset
    }
  }
}
