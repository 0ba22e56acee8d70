import Networks
import Tensors

/// Mirrors and turns the picture by symmetries of the square, by moving pixels: for questions that have nothing to do with them.
public struct Turn: Augmentation {
  public static let name = "turn"
  /// Half of the pictures are mirrored left for right.
  public var mirrors = true
  /// All four quarter turns are drawn evenly.
  public var rotates = true

  public init() {}
  public init(mirrors: Bool, rotates: Bool) { (self.mirrors, self.rotates) = (mirrors, rotates) }

  public var symmetries: Set<Symmetry> {
    Symmetry.group(generatedBy: (mirrors ? [.mirror] : []) + (rotates ? [.quarterTurn] : [])).subtracting([.identity])
  }
  public var changes: Set<Transformation> { [] }

  public func validate() throws(SettingError) {
    try SettingError.require(mirrors || rotates, "rotates", "true, unless mirrors is", false)
  }

  public func augmented(_ image: MaskedImage, of shot: Shot, scaling: InputScaling, using random: inout Philox) -> MaskedImage {
    precondition(!rotates || image.height == image.width, "quarter turns need squares, got \(image.pixels.shape)")
    let isMirrored = random.next() & 1 == 1 && mirrors, turns = Int.random(in: 0..<4, using: &random)
    let turned = rotates ? Symmetry.rotations[turns](image) : image
    return isMirrored ? Symmetry.mirror(turned) : turned
  }
}
