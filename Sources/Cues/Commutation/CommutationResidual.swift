import Foundation
import Pretexts
import Tensors

/// How far a step J is from treating a picture and its transformed twin alike: |J(Fx) − F(Jx)| over noise.
///
/// A class of pictures that was transformed before J and one that was transformed after it differ by just this. Source: Lin et al.,
/// "Visual Chirality", CVPR 2020, section 4.
public struct CommutationResidual: Codable, Hashable, Sendable {
  public var step: String
  public var symmetry: String
  /// Of the pictures that went in.
  public var height: Int
  public var width: Int
  /// Over all pixels, in the units of what comes out.
  public var mean: Double
  public var largest: Double
  /// The mean difference of what J makes of two unrelated frames: the size of a residual that is no residual any more.
  public var unrelated: Double
  /// The least residual over all pairs of shifts before and after: where that is none, random shifts and crops hide the step's
  /// handedness; where it is not, they do not. `nil` where the step changes the size.
  public var glide: Double?

  /// 0 for a step that commutes, about 1 for one that leaves nothing in common.
  public var relative: Double { unrelated > 0 ? mean / unrelated : mean > 0 ? .infinity : 0 }
  public var relativeGlide: Double? { glide.map { unrelated > 0 ? $0 / unrelated : $0 > 0 ? .infinity : 0 } }

  /// The largest relative residual of a step that counts as commuting: JPEG at multiples of its block reaches 0.0007, of a rounded count
  /// each thousandth pixel.
  public static let tolerance = 1e-3
  public var commutes: Bool { relative <= CommutationResidual.tolerance }
  /// Whether random shifts hide what is left.
  public var isHiddenByShifts: Bool { commutes || (relativeGlide.map { $0 <= CommutationResidual.tolerance } ?? false) }

  private enum CodingKeys: String, CodingKey { case step, symmetry, height, width, mean, largest, unrelated, glide }

  /// Over `frames` frames of even noise of 0...255 counts on `planes` planes.
  ///
  /// `measuringGlide` also tries shifts along the axis that the symmetry reverses: `period`² pairs, each on one frame with a border
  /// of `period` pixels.
  public init(
    of step: PipelineStep, under symmetry: Symmetry, height: Int, width: Int, planes: Int = 1, frames: Int = 2, seed: UInt64 = 0,
    measuringGlide: Bool = false
  ) throws {
    precondition(frames > 0, "\(frames) frames")
    self.step = step.name
    self.symmetry = symmetry.name
    (self.height, self.width) = (height, width)
    var sum = 0.0, largest = 0.0, other = 0.0, count = 0, before: [Tensor<Float>]?
    for index in 0..<frames {
      let noise = CommutationResidual.noise(height, width, planes: planes, seed: seed, index)
      let straight = try step(noise), turned = try step(noise.map { symmetry($0) })
      for (a, b) in zip(turned, straight.map { symmetry($0) }) {
        precondition(a.shape == b.shape, "\(step.name) gives \(a.shape) and \(b.shape)")
        for i in a.elements.indices {
          let d = Double(abs(a.elements[i] - b.elements[i]))
          sum += d
          largest = max(largest, d)
        }
        count += a.elements.count
      }
      // Of one frame, its own half turn stands for another.
      let unrelated = before ?? straight.map { Symmetry.halfTurn($0) }
      for (a, b) in zip(straight, unrelated) { other += zip(a.elements, b.elements).reduce(0) { $0 + Double(abs($1.0 - $1.1)) } }
      before = straight
    }
    mean = sum / Double(max(1, count))
    self.largest = largest
    unrelated = other / Double(max(1, count))
    glide = measuringGlide ? try CommutationResidual.glide(step, symmetry, height, width, planes, seed)?.joined().min() : nil
  }

  static func noise(_ height: Int, _ width: Int, planes: Int, seed: UInt64, _ index: Int) -> [Tensor<Float>] {
    (0..<planes).map { plane in
      var random = Philox(seed: seed, 60, UInt64(index), UInt64(plane))
      return Tensor([height, width], (0..<height * width).map { _ in Float(UInt8(truncatingIfNeeded: random.next() >> 32)) })
    }
  }

  /// The residual for every pair (φ₁, φ₂) of shifts, taken back before comparing: φ₁ before J and F after it, F before a shift of φ₂ and
  /// J after. Of the results moved against each other by up to two pixels, which crops do not notice either, the best. `nil` where J
  /// changes the size. Traps for symmetries that transpose.
  ///
  /// Source: the glide version of the commutation test of linzhiqiu/digital_chirality.
  static func glide(_ step: PipelineStep, _ symmetry: Symmetry, _ height: Int, _ width: Int, _ planes: Int, _ seed: UInt64) throws -> [[Double]]? {
    precondition(!symmetry.transposes, "a glide reflection of the rows or columns, not a transposition")
    let border = step.period, across = symmetry.reversesColumns, extent = across ? width : height
    let rows = height + (across ? 0 : 2 * border), columns = width + (across ? 2 * border : 0)
    /// The picture within a border of zeros, moved by `shift`.
    func placed(_ plane: Tensor<Float>, _ shift: Int) -> Tensor<Float> {
      var result = Tensor<Float>(repeating: 0, [rows, columns])
      for row in 0..<height {
        for column in 0..<width {
          let (i, j) = across ? (row, column + border + shift) : (row + border + shift, column)
          result.elements[i * columns + j] = plane.elements[row * width + column]
        }
      }
      return result
    }
    func taken(_ plane: Tensor<Float>, _ shift: Int) -> Tensor<Float> {
      var elements: [Float] = []
      for row in 0..<height {
        for column in 0..<width {
          let (i, j) = across ? (row, column + border + shift) : (row + border + shift, column)
          elements.append(plane.elements[i * columns + j])
        }
      }
      return Tensor([height, width], elements)
    }
    // What the border does to the pixels beside it is no matter of the picture.
    let slack = 2, edge = min(max(border, slack), extent / 4)
    let noise = noise(height, width, planes: planes, seed: seed, 0), mirrored = noise.map { symmetry($0) }
    let after = try (0..<border).map { shift in try step(noise.map { placed($0, shift) }) }
    guard after[0].allSatisfy({ $0.shape == [rows, columns] }) else { return nil }
    let straight = after.enumerated().map { shift, planes in planes.map { symmetry(taken($0, shift)) } }
    let turned = try (0..<border).map { shift in try step(mirrored.map { placed($0, shift) }).map { taken($0, shift) } }
    func difference(_ one: [Tensor<Float>], _ other: [Tensor<Float>], movedBy move: Int) -> Double {
      var sum = 0.0, count = 0
      for (a, b) in zip(one, other) {
        for row in (across ? 0 : edge)..<(across ? height : height - edge) {
          for column in (across ? edge : 0)..<(across ? width - edge : width) {
            let at = row * width + column
            sum += Double(abs(a.elements[at] - b.elements[at + move * (across ? 1 : width)]))
            count += 1
          }
        }
      }
      return sum / Double(max(1, count))
    }
    return straight.map { one in
      turned.map { other in (-slack...slack).map { difference(one, other, movedBy: $0) }.min() ?? 0 }
    }
  }
}

extension Symmetry {
  /// In words.
  var name: String {
    let turns = ["as it is", "quarter turn left", "half turn", "quarter turn right"]
    if let turn = Symmetry.rotations.firstIndex(of: self) { return turns[turn] }
    return transposes ? (reversesRows ? "transposed across" : "transposed") : reversesColumns ? "left and right exchanged" : "up and down exchanged"
  }
}
