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
  /// What is taken out of every scaled picture, so that its mean image answers no question about its orientation.
  public var templates: HandednessTemplates?

  public init(mean: Double, deviation: Double, minimumWeight: Double = 0.5) {
    precondition(deviation > 0, "deviation \(deviation)")
    self.mean = mean
    self.deviation = deviation
    self.minimumWeight = minimumWeight
  }

  /// Mean and standard deviation over all measured pixels; `nil` when there are none or all are equal.
  public init?(fitting images: [MaskedImage], minimumWeight: Double = 0.5) {
    self.init(
      images.reduce(into: PixelMoments()) { $0.merge(PixelMoments(of: $1, minimumWeight: minimumWeight)) }, minimumWeight: minimumWeight)
  }

  /// The same from moments that were taken picture by picture.
  public init?(_ moments: PixelMoments, minimumWeight: Double = 0.5) {
    guard moments.count > 1, moments.variance > 0 else { return nil }
    self.init(mean: moments.mean, deviation: moments.variance.squareRoot(), minimumWeight: minimumWeight)
  }

  /// A scaled value that is measured, for steps that take 0 for a gap: 10⁻³⁰ instead of 0.
  @inline(__always) static func measured(_ value: Float) -> Float { value == 0 ? 1e-30 : value }

  /// Makes the view of a picture one in which 0 means a gap and nothing else.
  func mark(_ image: MaskedImage, in view: inout MutableSpan<Float>) {
    let limit = Float(minimumWeight), weight = image.weight.elements.span
    for i in view.indices where weight[i] >= limit { view[i] = InputScaling.measured(view[i]) }
  }

  /// `[H,W] -> [1,H,W]`, showing only pixels that are measured.
  public func channel(_ image: MaskedImage) -> Tensor<Float> {
    var channel = Tensor<Float>(repeating: 0, [1, image.height, image.width])
    var span = channel.elements.mutableSpan
    write(image, into: &span)
    return channel
  }

  /// `[H,W] -> [1,H,W]` into the place of a channel.
  func write(_ image: MaskedImage, into channel: inout MutableSpan<Float>) {
    let shift = Float(mean), scale = Float(1 / deviation), limit = Float(minimumWeight)
    let pixels = image.pixels.elements.span, weight = image.weight.elements.span
    precondition(channel.count == pixels.count, "\(channel.count) places for \(image.pixels.shape)")
    for i in channel.indices { channel[i] = weight[i] >= limit ? (pixels[i] - shift) * scale : 0 }
    templates?.remove(from: &channel)
  }
}

/// Count, mean and sum of squared deviations of measured pixels, which join exactly as they were taken: the same pictures in the
/// same order give the same bits, whichever threads took them.
public struct PixelMoments: Sendable, Hashable {
  public private(set) var count = 0.0
  public private(set) var mean = 0.0
  private var squares = 0.0
  public init() {}

  /// Of the pixels of weight `minimumWeight` or more.
  public init(of image: MaskedImage, minimumWeight: Double) {
    // Sums of differences from one measured value: equal pixels give a variance of exactly 0, not of rounding errors.
    let pixels = image.pixels.elements.span, weight = image.weight.elements.span, limit = Float(minimumWeight)
    guard let first = pixels.indices.first(where: { weight[$0] >= limit }) else { return }
    let origin = Double(pixels[first])
    var sum = 0.0
    for i in pixels.indices {
      let isMeasured = weight[i] >= limit, difference = isMeasured ? Double(pixels[i]) - origin : 0
      sum += difference
      squares += difference * difference
      count += isMeasured ? 1 : 0
    }
    mean = origin + sum / count
    squares -= sum * (sum / count)
  }

  public var variance: Double { squares / max(count, 1) }

  /// Source: Chan, Golub and LeVeque, "Algorithms for computing the sample variance", The American Statistician 37, 1983.
  public mutating func merge(_ other: PixelMoments) {
    guard other.count > 0 else { return }
    guard count > 0 else { self = other; return }
    let total = count + other.count, difference = other.mean - mean
    squares += other.squares + difference * difference * (count * other.count / total)
    mean += difference * (other.count / total)
    count = total
  }
}
