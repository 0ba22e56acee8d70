import Graphs
import Networks
import Tensors

/// Where in the frame does this piece lie, and how large is it? Three numbers, found by regression.
///
/// `region [3]` is in shares of the shown frame's side: how far the piece's middle lies below and right of the frame's middle, −½...½,
/// and its side less the middle of the range of sides. The loss is the mean square of 4 times the errors; an answer counts as right
/// where all three numbers lie within `tolerance`. Pieces are cut and resampled as in `crop-presence`, with the same remaining cues.
public struct CropRegion: PretextTask {
  public static let name = "crop-region"
  /// Side of a piece as a share of the shown frame, drawn from this range.
  public var smallestShare = 0.4
  public var largestShare = 0.9
  public var margin = 0.03
  /// In shares of the shown frame's side.
  public var tolerance = 0.1
  public var jitter = Jitter(intensity: 0.1, offset: 0.05, noise: 0.05)

  public init() {}

  public var asks: Set<Transformation> { [.place, .scale] }
  public var smallestSide: Int { cutting.smallestSide }
  private var cutting: CroppedFrame { CroppedFrame(smallestShare: smallestShare, margin: margin) }
  public func centralPiece(of image: MaskedImage) -> MaskedImage? { cutting.centralPiece(of: image) }

  public func validate() throws(SettingError) {
    try cutting.validate(largestShare: largestShare)
    try SettingError.require(largestShare < 1, "largestShare", "below 1", largestShare)
    try SettingError.require(tolerance > 0 && tolerance.isFinite, "tolerance", "above 0", tolerance)
    try jitter.validate()
    try SettingError.require(jitter.shift == 0, "jitter.shift", "0, since the place is asked for", jitter.shift)
  }

  /// The three numbers.
  public func classes(labels: [String]) -> [String] { ["down", "right", "side"] }

  public func fields(side: Int, classes: Int) -> [String: Shape] { ["view": [1, side, side], "region": [3]] }

  public func makeExample(from shot: Shot, in context: ExampleContext, using random: inout Philox, into batch: inout ExampleBatch, at place: Int) {
    let (rows, columns) = cutting.frame(of: shot.image, using: &random), frame = rows.count
    let (size, down, right) = draw(frame: frame, using: &random)
    let top = rows.lowerBound + down, left = columns.lowerBound + right
    let view = cutting.view(of: shot.image, rows: top..<top + size, columns: left..<left + size, using: &random)
    context.write(view, of: shot, panels: nil, jitter, to: &batch, "view", place, using: &random)
    let region = region(size, down, right, frame: frame)
    batch.write("region", place) { numbers in for i in 0..<3 { numbers[i] = Float(region[i]) } }
  }

  private func draw(frame: Int, using random: inout Philox) -> (size: Int, down: Int, right: Int) {
    let size = cutting.pieceSide(random.uniform(smallestShare, largestShare), frame)
    return (size, Int.random(in: 0...frame - size, using: &random), Int.random(in: 0...frame - size, using: &random))
  }

  private func region(_ size: Int, _ down: Int, _ right: Int, frame: Int) -> [Double] {
    let side = Double(frame), middle = (side - Double(size)) / 2
    return [(Double(down) - middle) / side, (Double(right) - middle) / side, Double(size) / side - (smallestShare + largestShare) / 2]
  }

  /// By the regions themselves: the share of 20 000 that the best constant answer gets right. Large pieces can hardly lie off the middle, so that is the
  /// middle of the frame with a size above the middle one.
  public func chance(batch: Int) -> (share: Double, rule: String)? {
    var random = Philox(seed: 0).keyed("crop-region chance")
    let central = (0..<20_000).map { _ in
      let (size, down, across) = draw(frame: 1000, using: &random)
      return region(size, down, across, frame: 1000)
    }.filter { abs($0[0]) <= tolerance && abs($0[1]) <= tolerance }.map { $0[2] }.sorted()
    // The window of sizes, two tolerances wide, that holds most of them; its first size is one of theirs.
    var first = 0, most = 0
    for last in central.indices {
      while central[last] - central[first] > 2 * tolerance { first += 1 }
      most = max(most, last - first + 1)
    }
    return (Double(most) / 20_000, "always the middle of the frame, and the size that is right most often")
  }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    let target = batch["region"]!, answer = Linear(3)(backbone.codewords(batch["view"]!, in: scope["backbone"]), in: scope["head"])
    let error = (answer - target).scaled(by: 4)
    return Objective(
      loss: (error * error).mean(), judged: [(Question(rule: .within(tolerance), target: "region"), answer)])
  }
}
