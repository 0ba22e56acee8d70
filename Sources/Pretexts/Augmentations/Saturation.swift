import Networks
import Tensors

/// The full scale of a camera: in some pictures, values above a quantile are cut at it.
public struct Saturation: Augmentation {
  public static let name = "saturation"
  /// The share of pictures that saturate.
  public var rate = 0.5
  /// The largest share of measured pixels that are cut, drawn evenly from 0.
  public var share = 0.02

  public init() {}
  public init(rate: Double, share: Double) { (self.rate, self.share) = (rate, share) }

  public var changes: Set<Transformation> { [.saturation] }

  public func validate() throws(SettingError) {
    try SettingError.require((0...1).contains(rate), "rate", "0 to 1", rate)
    try SettingError.require((0...1).contains(share), "share", "0 to 1", share)
  }

  public func augmented(_ image: MaskedImage, of shot: Shot, scaling: InputScaling, using random: inout Philox) -> MaskedImage {
    let saturates = random.uniform() <= rate, cut = random.uniform(0, share)
    let values = zip(image.pixels.elements, image.weight.elements).filter { $1 > 0 }.map(\.0).sorted()
    guard saturates, !values.isEmpty else { return image }
    let limit = values[max(0, values.count - 1 - Int(cut * Double(values.count)))]
    return image.changingMeasured { min($1, limit) }
  }
}
