import Graphs
import Networks
import Tensors

/// Is this the whole frame, or a piece of it? Source: Van Hoorick and Vondrick, "Dissecting Image Crops", ICCV 2021.
///
/// Whole frames and pieces are resampled alike, see `CroppedFrame`. What remains: the gaps of a mask.
public struct CropPresence: PretextTask {
  public static let name = "crop-presence"
  /// Side of a piece as a share of the shown frame, drawn from this range.
  public var smallestShare = 0.5
  public var largestShare = 0.9
  /// Share of the side that is cut off all around before anything else.
  public var margin = 0.03
  public var jitter = Jitter(intensity: 0.1, offset: 0.05, noise: 0.05)

  public init() {}

  public var asks: Set<Transformation> { [.scale] }
  public var variants: Int { 2 }
  public var smallestSide: Int { cutting.smallestSide }
  private var cutting: CroppedFrame { CroppedFrame(smallestShare: smallestShare, margin: margin) }
  public func centralPiece(of image: MaskedImage) -> MaskedImage? { cutting.centralPiece(of: image) }

  public func validate() throws(SettingError) {
    try cutting.validate(largestShare: largestShare)
    try SettingError.require(largestShare < 1, "largestShare", "below 1", largestShare)
    try jitter.validate()
  }

  public func classes(labels: [String]) -> [String] { ["whole", "cropped"] }

  public func fields(side: Int, classes: Int) -> [String: Shape] { ["view": [1, side, side], "cropped": []] }

  public func makeExample(from shot: Shot, in context: ExampleContext, using random: inout Philox, into batch: inout ExampleBatch, at place: Int) {
    let isCropped = context.answer(of: 2, using: &random) == 1
    var (rows, columns) = cutting.frame(of: shot.image, using: &random)
    let size = cutting.pieceSide(random.uniform(smallestShare, largestShare), rows.count)
    let top = rows.lowerBound + Int.random(in: 0...rows.count - size, using: &random)
    let left = columns.lowerBound + Int.random(in: 0...columns.count - size, using: &random)
    if isCropped { (rows, columns) = (top..<top + size, left..<left + size) }
    let view = cutting.view(of: shot.image, rows: rows, columns: columns, using: &random)
    context.write(view, of: shot, panels: nil, jitter, to: &batch, "view", place, using: &random)
    batch.write("cropped", place) { $0[0] = isCropped ? 1 : 0 }
  }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    let codewords = backbone.codewords(batch["view"]!, in: scope["backbone"]), target = batch["cropped"]!
    let logits = Linear(1)(codewords, in: scope["head"]).reshaped(to: [codewords.shape[0]])
    return Objective(loss: logits.binaryCrossEntropy(target).mean(), logits: logits, target: "cropped")
  }
}
