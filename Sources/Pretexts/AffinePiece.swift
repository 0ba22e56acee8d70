import Foundation
import Tensors

/// A parallelogram of a picture, seen as a square view: view place (u,v) in -1...1 shows the picture at `centre + axes·(u,v)`.
///
/// Coordinates are in pixels from the middle of the first pixel: x along a row, y down a column.
struct AffinePiece: Sendable, Equatable {
  /// The picture's way along the view's rows (x, y for u from 0 to 1) and columns.
  var across: SIMD2<Double>
  var down: SIMD2<Double>
  var centre = SIMD2<Double>(0, 0)

  /// A rectangle of `size` pixels, sheared along one axis (`x -> x + tan(shear)·y`, or y alike), then turned; angles in radians.
  init(size: SIMD2<Double>, shear: Double, shearsRows: Bool, rotation: Double, isMirrored: Bool) {
    let t = tan(shear), (c, s) = (cos(rotation), sin(rotation))
    func warped(_ x: Double, _ y: Double) -> SIMD2<Double> {
      let (x, y) = shearsRows ? (x + t * y, y) : (x, y + t * x)
      return SIMD2(c * x - s * y, s * x + c * y)
    }
    // The view's own axes, in the unwarped piece.
    let view = isMirrored ? Symmetry.mirror : .identity, (u, v) = (view(direction: SIMD2(0.5, 0)), view(direction: SIMD2(0, 0.5)))
    across = warped(u.x * size.x, u.y * size.y)
    down = warped(v.x * size.x, v.y * size.y)
  }

  /// Half the extent of the piece along x and y.
  private var reach: SIMD2<Double> { SIMD2(abs(across.x) + abs(down.x), abs(across.y) + abs(down.y)) }

  /// How many times larger the piece could be in a picture of these extents, 1 or more where it fits.
  func room(height: Int, width: Int) -> Double {
    min(Double(width - 1) / (2 * reach.x), Double(height - 1) / (2 * reach.y))
  }

  mutating func scale(by factor: Double) { (across, down) = (across * factor, down * factor) }

  /// Puts the centre anywhere where the piece lies within the picture.
  mutating func place(height: Int, width: Int, using random: inout Philox) {
    let reach = reach
    func draw(_ reach: Double, _ extent: Int) -> Double {
      let low = reach, high = max(low, Double(extent - 1) - reach)
      return random.uniform(low, high)
    }
    centre = SIMD2(draw(reach.x, width), draw(reach.y, height))
  }

  /// Samples a `side`×`side` view bilinearly, scaled; 0 where any of the four pixels around a sample is not measured.
  /// Returns which pixels of the view are measured; `nil` for all.
  ///
  /// One sample a view pixel: meant for pieces of at most one picture pixel a view pixel.
  func sample(_ image: MaskedImage, _ scaling: InputScaling, side: Int, into view: inout [Float]) -> [Bool]? {
    let width = image.width, limit = Float(scaling.minimumWeight), shift = Float(scaling.mean), scale = Float(1 / scaling.deviation)
    let pixels = image.pixels.elements.span, weight = image.weight.elements.span
    let right = Float(width - 1), bottom = Float(image.height - 1), step = 2 / Double(side)
    let dx = Float(across.x * step), dy = Float(across.y * step)
    var least = Float.infinity
    for i in weight.indices { least = min(least, weight[i]) }
    let hasGaps = least < limit
    var measured = hasGaps ? [Bool](repeating: true, count: side * side) : []
    for i in 0..<side {
      let start = centre + across * (0.5 * step - 1) + down * ((Double(i) + 0.5) * step - 1)
      let startX = Float(start.x), startY = Float(start.y)
      for j in 0..<side {
        // Rounding must not lead out of the picture.
        let x = max(0, min(right, startX + Float(j) * dx)), y = max(0, min(bottom, startY + Float(j) * dy))
        let column = min(Int(x), width - 2), row = min(Int(y), image.height - 2)
        let fx = x - Float(column), fy = y - Float(row), at = row * width + column
        let upper = pixels[at] + fx * (pixels[at + 1] - pixels[at])
        let lower = pixels[at + width] + fx * (pixels[at + width + 1] - pixels[at + width])
        view[i * side + j] = InputScaling.measured((upper + fy * (lower - upper) - shift) * scale)
        if hasGaps {
          let covered = min(min(weight[at], weight[at + 1]), min(weight[at + width], weight[at + width + 1])) >= limit
          measured[i * side + j] = covered
          if !covered { view[i * side + j] = 0 }
        }
      }
    }
    return hasGaps ? measured : nil
  }
}
