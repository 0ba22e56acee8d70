import Graphs
import Networks
import Tensors

/// Where was this piece cut out? Nine cells of a 3×3 grid, or not cut at all.
/// Source: Van Hoorick and Vondrick, "Dissecting Image Crops", ICCV 2021, reduced to one global view.
///
/// Every class is treated alike so that only content can tell: the frame's outermost `margin` is never shown, a piece has a
/// random size and a random place within its cell, and every view, cut or not, is resampled to a random intermediate size
/// and then to the input size.
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

  public func classes(labels: [String]) -> [String] {
    (0..<grid * grid).map { "row \($0 / grid), column \($0 % grid)" } + ["not cropped"]
  }

  public func fields(side: Int, classes: Int) -> [String: Shape] { ["view": [1, side, side], "position": [grid * grid + 1]] }

  public func makeExample(
    from image: MaskedImage, answer: Int?, classes: Int, scaling: InputScaling, augmenting: Bool, using random: inout Philox
  ) -> [String: Tensor<Float>] {
    let cells = grid * grid, position = Int.random(in: 0...cells, using: &random), side = image.height
    // The frame that all classes share: the picture less its margin, cut at a random phase of one pixel.
    let edge = max(1, Int((margin * Double(side)).rounded()))
    let frame = side - 2 * edge
    precondition(frame >= 3 * grid, "a picture of side \(side) is too small for a \(grid)×\(grid) grid")
    let offset = (Int.random(in: 0...edge, using: &random), Int.random(in: 0...edge, using: &random))
    var rows = offset.0..<offset.0 + frame, columns = offset.1..<offset.1 + frame
    let share = random.uniform(smallestShare, largestShare)
    if position < cells {
      let size = max(grid, Int((share * Double(frame)).rounded())), slack = frame - size
      func start(_ cell: Int, _ low: Int) -> Int {
        // The cell's part of all possible places; a random place within it.
        let first = slack * cell / grid, last = max(first, slack * (cell + 1) / grid - (cell + 1 < grid ? 1 : 0))
        return low + Int.random(in: first...last, using: &random)
      }
      let top = start(position / grid, rows.lowerBound), left = start(position % grid, columns.lowerBound)
      rows = top..<top + size
      columns = left..<left + size
    }
    // Two resamplings for every class; the intermediate size hides how much a view was enlarged.
    let intermediate = Int((random.uniform(0.4, 0.6) * Double(side)).rounded())
    let resampled = image.cropped(rows: rows, columns: columns)
      .resampled(toHeight: intermediate, width: intermediate).resampled(toHeight: side, width: side)
    var view = scaling.channel(resampled)
    if augmenting { jitter.apply(to: &view, using: &random) }
    var target = [Float](repeating: 0, count: cells + 1)
    target[position] = 1
    return ["view": view, "position": Tensor([cells + 1], target)]
  }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    let codewords = backbone.codewords(batch["view"]!, in: scope["backbone"])
    let logits = Linear(grid * grid + 1)(codewords, in: scope["head"])
    return Objective(loss: logits.crossEntropy(batch["position"]!).mean(), logits: logits, target: "position")
  }
}
