import Tensors

extension ExampleContext {
  /// Pixels of a patch of the shot, augmented by itself and normalised: the seams of chips that an augmentation draws lie alike in every patch, and
  /// do not tell where in the frame it was.
  func patch(of shot: Shot, row: Int, column: Int, side: Int, using random: inout Philox) -> [Float] {
    let patch = shot.image.cropped(rows: row..<row + side, columns: column..<column + side)
    return augmented(patch, of: shot, panels: nil, using: &random).normalized(minimumWeight: scaling.minimumWeight)
  }
}

extension MaskedImage {
  /// Its pixels with mean 0 and variance 1 over what is measured, and 0 elsewhere: slopes of the background, vignetting and
  /// brightness do not tell where a patch comes from. All 0 where less than two pixels are measured or all are equal.
  func normalized(minimumWeight: Double) -> [Float] {
    let moments = PixelMoments(of: self, minimumWeight: minimumWeight), limit = Float(minimumWeight)
    guard moments.count > 1, moments.variance > 0 else { return [Float](repeating: 0, count: pixels.shape.count) }
    let mean = Float(moments.mean), scale = Float(1 / moments.variance.squareRoot())
    return zip(pixels.elements, weight.elements).map { $1 >= limit ? InputScaling.measured(($0 - mean) * scale) : 0 }
  }
}
