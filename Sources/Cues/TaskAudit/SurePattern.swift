import Host
import Pretexts
import Tensors

/// A cue that leaves no doubt: one smooth random field, three noise standard deviations strong, the same in all pictures.
///
/// By its slopes a picture of side S tells a shift of S/1000 from none, so that any piece says where it is from, how large and how turned it was;
/// and its hidden parts follow from those that are seen. So the best answer is right, always.
struct SurePattern {
  let side: Int
  /// In standard deviations of the noise.
  let amplitude = 3.0
  /// Of the variance of the pixels: what the noise leaves.
  var share: Double { amplitude * amplitude / (1 + amplitude * amplitude) }
  private let field: [Float]
  private let seed: UInt64

  /// The field is interpolated between 6 × 6 normal numbers, and has mean 0 and deviation 1.
  init(side: Int, seed: UInt64) {
    (self.side, self.seed) = (side, seed)
    var random = Philox(seed: seed, 94)
    let knots = 6, values = (0..<knots * knots).map { _ in random.normal() }
    func place(_ pixel: Int) -> (knot: Int, share: Double) {
      let x = Double(pixel) / Double(max(1, side - 1)) * Double(knots - 1), knot = min(knots - 2, Int(x))
      return (knot, x - Double(knot))
    }
    let raw = (0..<side * side).map { index -> Double in
      let (row, down) = place(index / side), (column, right) = place(index % side), corner = row * knots + column
      let upper = values[corner] * (1 - right) + values[corner + 1] * right
      let lower = values[corner + knots] * (1 - right) + values[corner + knots + 1] * right
      return upper * (1 - down) + lower * down
    }
    let mean = Statistics.mean(raw), deviation = Statistics.mean(raw.map { ($0 - mean) * ($0 - mean) }).squareRoot()
    field = raw.map { Float(($0 - mean) / deviation) }
  }

  /// Noise of mean 0 and deviation 1 with the pattern.
  func frame(_ index: Int, stream: UInt64) -> MaskedImage {
    PlantedCue.frame(index, field.map { $0 * Float(amplitude) }, side: side, seed: seed, stream: stream)
  }
}
