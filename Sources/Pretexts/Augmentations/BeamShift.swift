import Networks
import Tensors

/// The picture moved by whole pixels, as when the beam centre wanders. What comes in from outside was not measured.
public struct BeamShift: Augmentation {
  public static let name = "beam-shift"
  /// The farthest shift along each axis, as a share of the side; either way alike.
  public var reach = 0.06

  public init() {}
  public init(reach: Double) { self.reach = reach }

  public var changes: Set<Transformation> { [.place] }

  public func validate() throws(SettingError) { try SettingError.require((0...0.5).contains(reach), "reach", "0 to 0.5", reach) }

  public func augmented(_ image: MaskedImage, of shot: Shot, scaling: InputScaling, using random: inout Philox) -> MaskedImage {
    func draw(_ extent: Int) -> Int {
      let far = Int((reach * Double(extent)).rounded())
      return Int.random(in: -far...far, using: &random)
    }
    let down = draw(image.height), across = draw(image.width)
    var moved = MaskedImage(pixels: Tensor(repeating: 0, image.pixels.shape), weight: Tensor(repeating: 0, image.pixels.shape))
    for row in max(0, down)..<min(image.height, image.height + down) {
      for column in max(0, across)..<min(image.width, image.width + across) {
        let to = row * image.width + column, from = (row - down) * image.width + column - across
        moved.pixels.elements[to] = image.pixels.elements[from]
        moved.weight.elements[to] = image.weight.elements[from]
      }
    }
    return moved
  }
}
