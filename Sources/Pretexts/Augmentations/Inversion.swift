import Tensors

/// Signal and its negative, about the mean of what is measured: the mean itself tells nothing.
public struct Inversion: GradedChange {
  public static let name = "inversion"
  public init() {}
  public var changes: Set<Transformation> { [.inversion] }
  public var levels: [String] { ["as measured", "negative"] }

  public func changed(_ image: MaskedImage, to level: Int, of shot: Shot, scaling: InputScaling, using random: inout Philox) -> MaskedImage {
    guard level == 1 else { return image }
    let twice = Float(2 * PixelMoments(of: image, minimumWeight: scaling.minimumWeight).mean)
    return image.changingMeasured { twice - $1 }
  }
}
