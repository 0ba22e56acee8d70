import Foundation
import Networks
import Tensors

/// Gain and pedestal of each readout chip, drawn anew for every example: what calibrations differ in between runs, `x -> g·x + p` on the
/// signal. Needs a corpus whose tone map can be inverted.
///
/// Chips are those of the detector where the shot has a panel map, and the equal tiles of a grid where it has none: in a corpus without
/// geometry or built before places were stored, and in pieces of a frame whose place, size or turn is asked for.
public struct TileGain: Augmentation {
  public static let name = "tile-gain"
  /// Along each axis, where the detector's chips are not known.
  public var tiles = 4
  /// σ of the logarithm of the factor.
  public var gain = 0.03
  /// σ of the offset, in the unit of the signal (photons, keV, ADU): added before the tone map. One number for all pictures, so little for a source in
  /// ADU where it is much for one in photons.
  public var pedestal = 0.05

  public init() {}
  public init(tiles: Int, gain: Double, pedestal: Double) { (self.tiles, self.gain, self.pedestal) = (tiles, gain, pedestal) }

  public var changes: Set<Transformation> { [.gain, .pedestal] }
  public var needs: Set<ShotNeed> { [.signal] }
  public static var usesPanels: Bool { true }

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
    let (height, width) = (image.height, image.width), map = shot.panels(of: image)
    let drawn = (0..<(map?.chipCount ?? tiles * tiles)).map { _ in (Float(exp(random.normal(0, gain))), Float(random.normal(0, pedestal))) }
    return image.changingMeasured { index, value in
      let chip = map.map { Int($0.chips.elements[index]) } ?? (index / width * tiles / height * tiles + index % width * tiles / width)
      guard chip >= 0 else { return value }
      return scale.value(drawn[chip].0 * scale.signal(value) + drawn[chip].1)
    }
  }
}
