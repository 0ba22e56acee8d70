import Foundation
import Networks
import Tensors

/// Random views of a picture: as many as wanted of one rich frame, of a handful, or of a corpus.
///
/// A view is a random piece, in this order: scale and crop, aspect, shear, rotation, mirror (one affine map, sampled once and
/// bilinearly), then what a task does with it, then contrast, brightness, noise. Ranges are the same along rows and columns.
/// Every sample lies inside the frame; views are as large as the picture, so that a piece is enlarged, never reduced.
/// Source: Asano, Rupprecht and Vedaldi, "A critical analysis of self-supervision, or what we can learn from a single image", ICLR 2020.
public struct RandomView: Codable, Hashable, Sendable {
  /// A piece's share of the frame's area, drawn evenly; pieces that do not fit once turned and sheared are drawn again.
  public var smallestArea = 0.06
  public var largestArea = 1.0
  /// The longest side over the shortest, before shear.
  public var aspect = 4.0 / 3
  /// The largest turn and shear either way, degrees.
  public var rotation = 30.0
  public var shear = 30.0
  /// Whether half of the pieces are mirrored.
  public var mirrors = true
  /// The largest change of contrast, a factor around the view's mean.
  public var contrast = 0.4
  /// The largest common offset, in units of the scaled input.
  public var brightness = 0.2
  /// σ of independent noise on every measured pixel.
  public var noise = 0.05
  /// Pieces with less than this share of shown pixels are drawn again.
  public var minimumCoverage = 0.5

  public static let smallestSide = 8

  public init() {}

  /// - Parameter place: where these settings stand among the task's, such as `views.`.
  public func validate(at place: String = "") throws(SettingError) {
    func require(_ holds: Bool, _ key: String, _ expected: String, _ found: Double) throws(SettingError) {
      try SettingError.require(holds, place + key, expected, found)
    }
    try require(smallestArea >= 1e-4 && smallestArea <= largestArea, "smallestArea", "1e-4 to largestArea", smallestArea)
    try require(largestArea <= 1, "largestArea", "at most 1", largestArea)
    try require((1...4).contains(aspect), "aspect", "1 to 4", aspect)
    try require((0...45).contains(rotation), "rotation", "0 to 45", rotation)
    try require((0...45).contains(shear), "shear", "0 to 45", shear)
    try require(contrast >= 0 && contrast < 1, "contrast", "0 or more, below 1", contrast)
    try require(brightness >= 0 && brightness.isFinite, "brightness", "0 or more", brightness)
    try require(noise >= 0 && noise.isFinite, "noise", "0 or more", noise)
    try require((0...1).contains(minimumCoverage), "minimumCoverage", "0 to 1", minimumCoverage)
  }

  /// A random piece, in the units of the picture and as large as it.
  ///
  /// - Parameter group: a pixel is shown only where its images under all of these are measured.
  public func piece(
    of image: MaskedImage, _ scaling: InputScaling, shownUnder group: [Symmetry] = [], using random: inout Philox
  ) -> MaskedImage {
    let side = image.width, plain = InputScaling(mean: 0, deviation: 1, minimumWeight: scaling.minimumWeight)
    var best: MaskedImage?, bestShown = -1
    for attempt in 0..<16 {
      var piece = draw(side: side, using: &random)
      let room = piece.room(height: side, width: side)
      if room < 1 {
        // Never outside of the frame: drawn again, and the last one reduced.
        if attempt < 15 { continue }
        piece.scale(by: room)
      }
      piece.place(height: side, width: side, using: &random)
      var pixels = [Float](repeating: 0, count: side * side)
      let measured = piece.sample(image, plain, side: side, into: &pixels)
      let weight = measured.map { $0.map { $0 ? 1 : 0 } } ?? [Float](repeating: 1, count: side * side)
      var view = MaskedImage(pixels: Tensor([side, side], pixels), weight: Tensor([side, side], weight))
      if measured != nil, !group.isEmpty { view = view.showingOnlyPixelsMeasured(underAll: group, minimumWeight: 0.5) }
      let shown = measured == nil ? side * side : view.weight.elements.count { $0 > 0 }
      if shown > bestShown { (best, bestShown) = (view, shown) }
      if Double(shown) >= minimumCoverage * Double(side * side) { break }
    }
    return best!
  }

  /// The middle of the picture at the mean area, as it is seen without turn and shear.
  func centralPiece(of image: MaskedImage) -> MaskedImage? {
    let side = image.width, edge = ((smallestArea + largestArea) / 2).squareRoot() * Double(side - 1)
    guard side == image.height, side >= RandomView.smallestSide else { return nil }
    var piece = AffinePiece(size: SIMD2(edge, edge), shear: 0, shearsRows: true, rotation: 0, isMirrored: false)
    piece.centre = SIMD2(repeating: Double(side - 1) / 2)
    var pixels = [Float](repeating: 0, count: side * side)
    let measured = piece.sample(image, InputScaling(mean: 0, deviation: 1), side: side, into: &pixels)
    let weight = measured.map { $0.map { $0 ? Float(1) : 0 } } ?? [Float](repeating: 1, count: side * side)
    return MaskedImage(pixels: Tensor([side, side], pixels), weight: Tensor([side, side], weight))
  }

  private func draw(side: Int, using random: inout Philox) -> AffinePiece {
    let area = random.uniform(smallestArea, largestArea), ratio = random.logUniform(1 / aspect, aspect).squareRoot()
    let edge = area.squareRoot() * Double(side - 1), degree = Double.pi / 180
    return AffinePiece(
      size: SIMD2(edge * ratio, edge / ratio), shear: random.uniform(-shear, shear) * degree, shearsRows: random.next() & 1 == 0,
      rotation: random.uniform(-rotation, rotation) * degree, isMirrored: mirrors && random.next() & 1 == 0)
  }

  /// Contrast around the mean of what is shown, then brightness, then noise; gaps stay 0.
  func adjust(_ view: inout MutableSpan<Float>, using random: inout Philox) {
    let factor = Float(random.uniform(1 - contrast, 1 + contrast)), offset = Float(random.uniform(-brightness, brightness))
    var sum: Float = 0, count: Float = 0
    for i in view.indices {
      sum += view[i]
      count += view[i] == 0 ? 0 : 1
    }
    let mean = sum / max(count, 1)
    Jitter.adjust(&view, factor: factor, offset: mean - factor * mean + offset)
    Jitter.addNoise(Float(noise), to: &view, using: &random)
  }

  /// Writes a piece, as the network sees it, into a field: scaled and adjusted. Where nothing is augmented, as it is.
  func write(
    _ image: MaskedImage, in context: ExampleContext, to batch: inout ExampleBatch, _ name: String, _ place: Int, using random: inout Philox
  ) {
    batch.write(name, place) { view in
      context.scaling.write(image, into: &view)
      guard context.isAugmenting else { return }
      context.scaling.mark(image, in: &view)
      adjust(&view, using: &random)
    }
  }
}
