import Tensors

/// Every measured pixel replaced by one and the same value: only the outline of the mask is left.
public enum MaskOnly: Control {
  public static let name = "mask only"
  public static let meaning = "it reads the outline of panels and bad pixels"

  /// The picture with every measured pixel at `value`, in tone-mapped units.
  public static func frame(of image: MaskedImage, value: Float) -> MaskedImage {
    MaskedImage(pixels: Tensor(image.pixels.shape, image.weight.elements.map { $0 > 0 ? value : 0 }), weight: image.weight)
  }

  /// Intersection over union of the measured pixels with their mirror image: 1 for a mask that has no handedness.
  public static func mirrorOverlap(_ image: MaskedImage, minimumWeight: Double) -> Double {
    let width = image.width
    var both = 0, either = 0
    for i in image.weight.elements.indices {
      let own = Double(image.weight.elements[i]) >= minimumWeight
      let twin = Double(image.weight.elements[i / width * width + (width - 1 - i % width)]) >= minimumWeight
      if own && twin { both += 1 }
      if own || twin { either += 1 }
    }
    return either == 0 ? 1 : Double(both) / Double(either)
  }
}
