import Tensors

/// How a corpus picture becomes the one channel that a backbone sees: `(x − mean)/deviation` where measured, 0 elsewhere.
///
/// A pixel counts as measured when its weight is at least `minimumWeight`. Filling gaps with the corpus mean (0 after
/// scaling) leaves the outline of the mask as the only trace of them, which the pretexts treat as a cue to remove or report.
/// Travels with every checkpoint: a network is meaningless without it.
public struct InputScaling: Codable, Hashable, Sendable {
  /// In tone-mapped units of the corpus.
  public var mean: Double
  public var deviation: Double
  public var minimumWeight: Double

  public init(mean: Double, deviation: Double, minimumWeight: Double = 0.5) {
    precondition(deviation > 0, "deviation \(deviation)")
    self.mean = mean
    self.deviation = deviation
    self.minimumWeight = minimumWeight
  }

  /// Mean and standard deviation over all measured pixels; `nil` when there are none or all are equal.
  public init?(fitting images: [MaskedImage], minimumWeight: Double = 0.5) {
    // Sums of differences from one measured value: equal pixels give a variance of exactly 0, not of rounding errors.
    var origin: Double?, sum = 0.0, squares = 0.0, count = 0.0
    for image in images {
      for (x, w) in zip(image.pixels.elements, image.weight.elements) where Double(w) >= minimumWeight {
        let difference = Double(x) - (origin ?? Double(x))
        if origin == nil { origin = Double(x) }
        sum += difference
        squares += difference * difference
        count += 1
      }
    }
    let shift = sum / max(count, 1), mean = (origin ?? 0) + shift, variance = squares / max(count, 1) - shift * shift
    guard count > 1, variance > 0 else { return nil }
    self.init(mean: mean, deviation: variance.squareRoot(), minimumWeight: minimumWeight)
  }

  /// Which pixels are measured, `[H,W]`.
  public func isMeasured(_ image: MaskedImage) -> [Bool] { image.weight.elements.map { Double($0) >= minimumWeight } }

  /// `[H,W] -> [1,H,W]`, showing only pixels that are measured and in `shown`.
  public func channel(_ image: MaskedImage, showing shown: [Bool]? = nil) -> Tensor<Float> {
    let shift = Float(mean), scale = Float(1 / deviation), limit = Float(minimumWeight)
    var channel = [Float](repeating: 0, count: image.pixels.elements.count)
    for i in channel.indices where image.weight.elements[i] >= limit && (shown == nil || shown![i]) {
      channel[i] = (image.pixels.elements[i] - shift) * scale
    }
    return Tensor([1, image.height, image.width], channel)
  }
}
