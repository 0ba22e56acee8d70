import Networks
import Tensors

/// Dead pixels and gaps: single pixels and whole rows or columns that are no longer measured. Their weight becomes 0, not their signal.
public struct PixelDropout: Augmentation {
  public static let name = "pixel-dropout"
  /// Share of pixels that die, each by itself.
  public var pixels = 0.01
  /// The largest number of gaps along each axis, drawn evenly from 0, and their largest width, pixels.
  public var gaps = 1
  public var width = 2

  public init() {}
  public init(pixels: Double, gaps: Int, width: Int) { (self.pixels, self.gaps, self.width) = (pixels, gaps, width) }

  public var changes: Set<Transformation> { [.mask] }

  public func validate() throws(SettingError) {
    try SettingError.require((0...0.5).contains(pixels), "pixels", "0 to 0.5", pixels)
    try SettingError.require((0...16).contains(gaps), "gaps", "0 to 16", gaps)
    try SettingError.require((1...64).contains(width), "width", "1 to 64", width)
  }

  public func validate(side: Int) throws(SettingError) {
    try SettingError.require(2 * gaps * width <= side, "gaps", "gaps over at most half of \(side) pixels", "\(gaps) of \(width)")
  }

  public func augmented(_ image: MaskedImage, of shot: Shot, scaling: InputScaling, using random: inout Philox) -> MaskedImage {
    let limit = UInt16(65535 * pixels)
    var shown = [Bool](repeating: true, count: image.pixels.elements.count)
    for first in stride(from: 0, to: shown.count, by: 4) {
      var bits = random.next()
      for i in first..<min(first + 4, shown.count) {
        shown[i] = UInt16(truncatingIfNeeded: bits) >= limit
        bits >>= 16
      }
    }
    for (extent, isRow) in [(image.height, true), (image.width, false)] {
      for _ in 0..<Int.random(in: 0...gaps, using: &random) {
        let size = Int.random(in: 1...width, using: &random), start = Int.random(in: 0...max(0, extent - size), using: &random)
        for line in start..<min(extent, start + size) {
          for place in 0..<(isRow ? image.width : image.height) {
            shown[isRow ? line * image.width + place : place * image.width + line] = false
          }
        }
      }
    }
    return image.masked(to: shown)
  }
}
