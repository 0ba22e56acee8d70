import Tensors

extension MaskedImage {
  /// Pixels of a patch with mean 0 and variance 1 over what is measured, and 0 elsewhere: slopes of the background, vignetting and
  /// brightness do not tell where a patch comes from. All 0 where less than two pixels are measured or all are equal.
  func normalizedPatch(row: Int, column: Int, side: Int, minimumWeight: Double) -> [Float] {
    let patch = cropped(rows: row..<row + side, columns: column..<column + side)
    let moments = PixelMoments(of: patch, minimumWeight: minimumWeight), limit = Float(minimumWeight)
    guard moments.count > 1, moments.variance > 0 else { return [Float](repeating: 0, count: side * side) }
    let mean = Float(moments.mean), scale = Float(1 / moments.variance.squareRoot())
    return zip(patch.pixels.elements, patch.weight.elements).map { $1 >= limit ? InputScaling.measured(($0 - mean) * scale) : 0 }
  }
}
