import Foundation
import Graphs
import Networks
import Tensors

/// By how many quarter turns is this view turned? Asked of as many views as wanted of one rich frame, or of a handful.
/// Source: Asano, Rupprecht and Vedaldi, "A critical analysis of self-supervision, or what we can learn from a single image",
/// ICLR 2020; rotation prediction after Gidaris, Singh and Komodakis, ICLR 2018.
///
/// A view is a random piece of the frame, in this order: scale and crop, aspect, shear, rotation, mirror (one affine map, sampled
/// once and bilinearly), the quarter turns of the answer (exact, never sampled), contrast, brightness, noise. Their ranges are
/// the same along rows and columns, and pixels are shown only where all four quarter turns of the view are measured: neither the
/// making of a view nor the outline of a mask can tell the answer. What the detector itself does along rows or columns can.
///
/// Every sample lies inside the frame. Views are as large as the pictures of the corpus, so that a piece is enlarged, never
/// reduced. Without augmenting (the fixed examples of validation) a view is the whole picture, turned.
public struct SingleImage: PretextTask {
  public static let name = "single-image"
  /// The frames of the training split that are used.
  public var frames = FrameChoice()
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

  public init() {}

  public var frameChoice: FrameChoice? { frames }
  public var smallestSide: Int { 8 }

  public func validate() throws(SettingError) {
    try SettingError.require(frames.count >= 1, "frames.count", "at least 1", frames.count)
    try SettingError.require(smallestArea >= 1e-4 && smallestArea <= largestArea, "smallestArea", "1e-4 to largestArea", smallestArea)
    try SettingError.require(largestArea <= 1, "largestArea", "at most 1", largestArea)
    try SettingError.require((1...4).contains(aspect), "aspect", "1 to 4", aspect)
    try SettingError.require((0...45).contains(rotation), "rotation", "0 to 45", rotation)
    try SettingError.require((0...45).contains(shear), "shear", "0 to 45", shear)
    try SettingError.require(contrast >= 0 && contrast < 1, "contrast", "0 or more, below 1", contrast)
    try SettingError.require(brightness >= 0 && brightness.isFinite, "brightness", "0 or more", brightness)
    try SettingError.require(noise >= 0 && noise.isFinite, "noise", "0 or more", noise)
    try SettingError.require((0...1).contains(minimumCoverage), "minimumCoverage", "0 to 1", minimumCoverage)
  }

  public func classes(labels: [String]) -> [String] { ["upright", "quarter turn left", "half turn", "quarter turn right"] }

  public func fields(side: Int, classes: Int) -> [String: Shape] { ["view": [1, side, side], "turns": [4]] }

  public func makeExample(
    from image: MaskedImage, answer: Int?, scaling: InputScaling, augmenting: Bool, using random: inout Philox,
    into batch: inout ExampleBatch, at place: Int
  ) {
    let side = image.width, turns = Int.random(in: 0..<4, using: &random)
    precondition(image.height == side && side >= smallestSide, "single-image needs squares of at least \(smallestSide), got \(image.pixels.shape)")
    let upright = augmenting ? piece(of: image, scaling, using: &random) : whole(image, scaling)
    batch.write("view", place) { view in
      Symmetry.rotations[turns].write(upright.span, height: side, width: side) { view[$0] = $1 }
      guard augmenting else { return }
      adjust(&view, using: &random)
      Jitter.addNoise(Float(noise), to: &view, using: &random)
    }
    batch.writeOneHot("turns", place, answer: turns)
  }

  /// Before it is turned; gaps are 0.
  private func whole(_ image: MaskedImage, _ scaling: InputScaling) -> [Float] {
    var view = scaling.channel(image).elements
    _ = SingleImage.keepTurnable(&view, scaling.isMeasured(image), side: image.width)
    return view
  }

  private func piece(of image: MaskedImage, _ scaling: InputScaling, using random: inout Philox) -> [Float] {
    let side = image.width
    var best: [Float] = [], bestShown = -1
    for attempt in 0..<16 {
      var piece = draw(side: side, using: &random)
      let room = piece.room(height: side, width: side)
      if room < 1 {
        // Never outside of the frame: drawn again, and the last one reduced.
        if attempt < 15 { continue }
        piece.scale(by: room)
      }
      piece.place(height: side, width: side, using: &random)
      var view = [Float](repeating: 0, count: side * side)
      let measured = piece.sample(image, scaling, side: side, into: &view)
      let shown = measured.map { SingleImage.keepTurnable(&view, $0, side: side) } ?? side * side
      if shown > bestShown { (best, bestShown) = (view, shown) }
      if Double(shown) >= minimumCoverage * Double(side * side) { break }
    }
    return best
  }

  private func draw(side: Int, using random: inout Philox) -> AffinePiece {
    let area = random.uniform(smallestArea, largestArea), ratio = random.logUniform(1 / aspect, aspect).squareRoot()
    let edge = area.squareRoot() * Double(side - 1), degree = Double.pi / 180
    return AffinePiece(
      size: SIMD2(edge * ratio, edge / ratio), shear: random.uniform(-shear, shear) * degree, shearsRows: random.next() & 1 == 0,
      rotation: random.uniform(-rotation, rotation) * degree, isMirrored: mirrors && random.next() & 1 == 0)
  }

  /// Blanks pixels whose place is not measured in all four turns of the view; returns how many are left.
  private static func keepTurnable(_ view: inout [Float], _ measured: [Bool], side: Int) -> Int {
    let mask = Tensor([side, side], measured), turned = Symmetry.rotations.dropFirst().map { $0(mask).elements }
    var shown = 0
    for i in view.indices {
      let isShown = measured[i] && turned[0][i] && turned[1][i] && turned[2][i]
      shown += isShown ? 1 : 0
      view[i] = isShown ? view[i] : 0
    }
    return shown
  }

  /// Contrast around the mean of what is shown, then brightness.
  private func adjust(_ view: inout MutableSpan<Float>, using random: inout Philox) {
    let factor = Float(random.uniform(1 - contrast, 1 + contrast)), offset = Float(random.uniform(-brightness, brightness))
    var sum: Float = 0, count: Float = 0
    for i in view.indices {
      sum += view[i]
      count += view[i] == 0 ? 0 : 1
    }
    let mean = sum / max(count, 1)
    Jitter.adjust(&view, factor: factor, offset: mean - factor * mean + offset)
  }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    let logits = Linear(4)(backbone.codewords(batch["view"]!, in: scope["backbone"]), in: scope["head"])
    return Objective(loss: logits.crossEntropy(batch["turns"]!).mean(), logits: logits, target: "turns")
  }
}
