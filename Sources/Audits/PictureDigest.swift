import Corpora
import Tensors

/// A picture in a few hundred numbers.
struct PictureDigest: Sendable {
  /// Cells a side of the small picture, and of the small mask.
  static let side = 16, maskSide = 8

  /// Means over the measured pixels of `side`×`side` cells, 0 where none is measured.
  let small: [Float]
  /// Measured share of `maskSide`×`maskSide` cells.
  let mask: [Float]
  /// Measured pixels that are no numbers.
  let nonFinite: Int
  let measured: Int
  /// σ of white noise by the fine structure of the picture; NaN where too little is measured.
  let noise: Float

  init(_ image: StoredImage) {
    let height = image.pixels.shape[0], width = image.pixels.shape[1]
    let pixels = image.pixels.elements, weights = image.weight.elements
    var nonFinite = 0, measured = 0
    for i in pixels.indices where weights[i] > 0 {
      measured += 1
      if !pixels[i].isFinite { nonFinite += 1 }
    }
    (self.nonFinite, self.measured) = (nonFinite, measured)
    var small = [Float](repeating: 0, count: Self.side * Self.side), mask = [Float](repeating: 0, count: Self.maskSide * Self.maskSide)
    var sums = [Double](repeating: 0, count: small.count), totals = sums, shares = [Double](repeating: 0, count: mask.count), sizes = shares
    for row in 0..<height {
      for column in 0..<width {
        let i = row * width + column, weight = Double(weights[i])
        let cell = row * Self.side / height * Self.side + column * Self.side / width
        if weight > 0, pixels[i].isFinite {
          sums[cell] += weight * Double(pixels[i])
          totals[cell] += weight
        }
        let place = row * Self.maskSide / height * Self.maskSide + column * Self.maskSide / width
        shares[place] += weight / 255
        sizes[place] += 1
      }
    }
    for i in small.indices where totals[i] > 0 { small[i] = Float(sums[i] / totals[i]) }
    for i in mask.indices where sizes[i] > 0 { mask[i] = Float(shares[i] / sizes[i]) }
    self.small = small
    self.mask = mask
    noise = Self.fineStructure(pixels, weights, height, width)
  }

  /// The median of |x₁₁ − x₁₀ − x₀₁ + x₀₀| over blocks of four measured pixels, which is 0.6745·2σ for white noise and blind to
  /// slopes. Structure finer than a pixel adds to it.
  private static func fineStructure(_ pixels: [Float], _ weights: [UInt8], _ height: Int, _ width: Int) -> Float {
    var differences: [Float] = []
    for row in 0..<max(0, height - 1) {
      for column in 0..<max(0, width - 1) {
        let i = row * width + column
        guard weights[i] > 0, weights[i + 1] > 0, weights[i + width] > 0, weights[i + width + 1] > 0 else { continue }
        let d = abs(pixels[i + width + 1] - pixels[i + width] - pixels[i + 1] + pixels[i])
        if d.isFinite { differences.append(d) }
      }
    }
    guard differences.count >= 16 else { return .nan }
    differences.sort()
    return differences[differences.count / 2] / (2 * 0.6745)
  }
}
