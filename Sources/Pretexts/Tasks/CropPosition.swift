import Graphs
import Networks
import Tensors

/// Where was this piece cut out? Nine cells of a 3×3 grid, or not cut at all.
/// Source: Van Hoorick and Vondrick, "Dissecting Image Crops", ICCV 2021, reduced to one global view.
///
/// Every class is treated alike so that only content can tell: the frame's outermost `margin` is never shown, a piece has a
/// random size and a random place within its cell, a little apart from the next, and every view, cut or not, is reduced to a random intermediate size
/// below that of any piece and then enlarged to the input size.
///
/// What remains: the gaps of a mask show where a piece lies.
public struct CropPosition: PretextTask {
  public static let name = "crop-position"
  /// Cells along each axis.
  public var grid = 3
  /// Side of a piece as a share of the shown frame, drawn from this range.
  public var smallestShare = 0.45
  public var largestShare = 0.6
  /// Share of the side that is cut off all around before anything else.
  public var margin = 0.03
  /// Pieces already lie at random places: no further shift.
  public var jitter = Jitter(intensity: 0.1, offset: 0.05, noise: 0.05)

  public init() {}

  public var asks: Set<Transformation> { [.place, .scale] }

  public func validate() throws(SettingError) {
    try SettingError.require((2...8).contains(grid), "grid", "2 to 8", grid)
    try cutting.validate(largestShare: largestShare)
    try SettingError.require(largestShare < 1, "largestShare", "below 1", largestShare)
    try jitter.validate()
    try SettingError.require(jitter.shift == 0, "jitter.shift", "0, since the place is asked for", jitter.shift)
  }

  /// Room for a piece of 8 pixels or more, and for different places of the largest piece in every cell.
  public var smallestSide: Int { (1...8192).first { isLargeEnough($0) } ?? 8193 }

  private func isLargeEnough(_ side: Int) -> Bool {
    let frame = cutting.shownSide(of: side)
    return frame > 0 && cutting.pieceSide(smallestShare, frame) >= 8 && frame - cutting.pieceSide(largestShare, frame) >= 2 * grid
  }

  private var cutting: CroppedFrame { CroppedFrame(smallestShare: smallestShare, margin: margin) }
  public func centralPiece(of image: MaskedImage) -> MaskedImage? { cutting.centralPiece(of: image) }

  public func classes(labels: [String]) -> [String] {
    (0..<grid * grid).map { "row \($0 / grid), column \($0 % grid)" } + ["not cropped"]
  }

  public func fields(side: Int, classes: Int) -> [String: Shape] { ["view": [1, side, side], "position": [grid * grid + 1]] }

  public func makeExample(from shot: Shot, in context: ExampleContext, using random: inout Philox, into batch: inout ExampleBatch, at place: Int) {
    let image = shot.image
    let cells = grid * grid, position = Int.random(in: 0...cells, using: &random), side = image.height
    precondition(side >= smallestSide && image.width == side, "crop-position needs squares of at least \(smallestSide), got \(image.pixels.shape)")
    var (rows, columns) = cutting.frame(of: image, using: &random)
    let share = random.uniform(smallestShare, largestShare)
    if position < cells {
      let size = cutting.pieceSide(share, rows.count), slack = rows.count - size
      func start(_ cell: Int, _ low: Int) -> Int {
        // The cell's part of all possible places; a random place within it. A quarter of a cell is left out between two, and one place at least: the
        // frame itself begins at one of two places, so that a piece at the very edge of a cell would have two answers.
        let gap = max(1, slack / (4 * grid)), first = slack * cell / grid + (cell > 0 ? gap : 0), last = max(first, slack * (cell + 1) / grid - (cell + 1 < grid ? 1 : 0))
        return low + Int.random(in: first...last, using: &random)
      }
      let top = start(position / grid, rows.lowerBound), left = start(position % grid, columns.lowerBound)
      rows = top..<top + size
      columns = left..<left + size
    }
    let view = cutting.view(of: image, rows: rows, columns: columns, using: &random)
    context.write(view, of: shot, panels: nil, jitter, to: &batch, "view", place, using: &random)
    batch.writeOneHot("position", place, answer: position)
  }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    Objective(classifying: backbone.encoding(of: batch["view"]!, in: scope["backbone"]), batch, target: "position", in: scope)
  }
}
