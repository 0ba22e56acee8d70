extension MaskedImage {
  /// The picture at a smaller size by single pixels, those in the middle of each new pixel's area: unlike an average, every one has the noise
  /// that it was measured with, however much smaller the result is. Detail finer than the new pixels is aliased. `[H,W] -> [height,width]`.
  ///
  /// Where two pixels are equally near, the later row or column is taken with `later`, else the earlier: one is the mirror image of the other.
  /// Traps for a larger size, which would show a pixel twice.
  public func pointSampled(toHeight newHeight: Int, width newWidth: Int, later: (row: Bool, column: Bool)) -> MaskedImage {
    precondition(
      (1...height).contains(newHeight) && (1...width).contains(newWidth), "\(pixels.shape) has no \(newHeight) × \(newWidth) pixels of its own to show")
    /// ⌊(j + ½)·from/to⌋ in whole numbers, or the one before where that is exact.
    func places(_ from: Int, _ to: Int, _ later: Bool) -> [Int] {
      (0..<to).map { j in
        let middle = (2 * j + 1) * from, place = middle / (2 * to)
        return middle % (2 * to) == 0 && !later ? place - 1 : place
      }
    }
    let rows = places(height, newHeight, later.row), columns = places(width, newWidth, later.column), width = width
    func sampled(_ array: Tensor<Float>) -> Tensor<Float> {
      Tensor([newHeight, newWidth], rows.flatMap { row in columns.map { array.elements[row * width + $0] } })
    }
    return MaskedImage(pixels: sampled(pixels), weight: sampled(weight))
  }
}
