import Tensors

extension MaskedImage {
  /// Only the pixels whose images under all of `group` are measured, too; the others get weight 0. The outline of the mask is the
  /// same then in every version of the picture, and answers nothing.
  ///
  /// - Parameter minimumWeight: from which weight on a pixel counts as measured.
  /// Traps where `group` transposes and the picture is not square.
  public func showingOnlyPixelsMeasured(underAll group: some Collection<Symmetry>, minimumWeight: Double) -> MaskedImage {
    let limit = Float(minimumWeight), measured = weight.map { $0 >= limit }
    guard measured.elements.contains(false) else { return self }
    var shown = measured.elements
    for symmetry in group where symmetry != .identity {
      let turned = symmetry(measured)
      precondition(turned.shape == measured.shape, "a mask of \(measured.shape) cannot be transposed")
      for i in shown.indices where !turned.elements[i] { shown[i] = false }
    }
    return masked(to: shown)
  }

  /// Intersection over union of the measured pixels with their image under a symmetry, in place: 1 for a mask that is its own image, 0
  /// where the symmetry changes the shape of the picture.
  public func maskOverlap(under symmetry: Symmetry, minimumWeight: Double) -> Double {
    let turned = symmetry(weight)
    guard turned.shape == weight.shape else { return 0 }
    var both = 0, either = 0
    for (own, twin) in zip(weight.elements, turned.elements) {
      let (isMeasured, hasTwin) = (Double(own) >= minimumWeight, Double(twin) >= minimumWeight)
      if isMeasured && hasTwin { both += 1 }
      if isMeasured || hasTwin { either += 1 }
    }
    return either == 0 ? 1 : Double(both) / Double(either)
  }

  /// Weight and value 0 where `shown` says no.
  func masked(to shown: [Bool]) -> MaskedImage {
    var image = self
    for i in shown.indices where !shown[i] {
      image.pixels.elements[i] = 0
      image.weight.elements[i] = 0
    }
    return image
  }
}
