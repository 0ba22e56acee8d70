import Foundation
import Tensors

/// What mean pictures say of left and right, above and below: directions in the space of inputs that are taken out of every one, so that
/// no fixed axis, beam or pattern answers a question about the picture's orientation.
///
/// Of each mean picture m the span of g(m) − (mean over all g), g the eight symmetries of the square, orthonormal: at most seven
/// directions, closed under every symmetry, so that taking them out commutes with mirrors and turns. A linear template has nothing left:
/// the class means of the training pictures agree afterwards.
public struct HandednessTemplates: Hashable, Sendable {
  /// Orthonormal, row-major.
  public private(set) var directions: [[Float]]

  /// Of scaled mean pictures `[S,S]`, one a source. `nil` where all of them are as symmetric as the square.
  public init?(means: [Tensor<Float>]) {
    var basis: [[Double]] = []
    for mean in means {
      precondition(mean.shape.rank == 2 && mean.shape[0] == mean.shape[1], "a square mean picture, not \(mean.shape)")
      let turned = Symmetry.allCases.map { $0(mean).elements.map { Double($0) } }, count = Double(turned.count)
      let middle = mean.elements.indices.map { i in turned.reduce(0) { $0 + $1[i] } / count }
      let size = mean.elements.reduce(0) { $0 + Double($1) * Double($1) }
      for picture in turned {
        var rest = zip(picture, middle).map { $0 - $1 }
        // Twice, which is enough for orthogonality to the last digits.
        for _ in 0..<2 { for axis in basis { HandednessTemplates.remove(axis, from: &rest) } }
        let length = rest.reduce(0) { $0 + $1 * $1 }
        if length > 1e-8 * size, length > 0 { basis.append(rest.map { $0 / length.squareRoot() }) }
      }
    }
    guard !basis.isEmpty else { return nil }
    directions = basis.map { $0.map { Float($0) } }
  }

  private static func remove(_ axis: [Double], from picture: inout [Double]) {
    let share = zip(axis, picture).reduce(0) { $0 + $1.0 * $1.1 }
    for i in picture.indices { picture[i] -= share * axis[i] }
  }

  /// x − Σ (x·u) u over the directions u, in place; pixels that are 0, the value of gaps, stay 0, and count as 0. Traps on another size.
  func remove(from view: inout MutableSpan<Float>) {
    for direction in directions {
      precondition(direction.count == view.count, "\(view.count) pixels for templates of \(direction.count)")
      let u = direction.span
      var share = 0.0, length = 0.0
      for i in view.indices where view[i] != 0 {
        share += Double(u[i]) * Double(view[i])
        length += Double(u[i]) * Double(u[i])
      }
      guard length > 0 else { continue }
      let factor = Float(share / length)
      for i in view.indices where view[i] != 0 { view[i] = InputScaling.measured(view[i] - factor * u[i]) }
    }
  }
}

extension HandednessTemplates: Codable {
  private enum CodingKeys: String, CodingKey { case directions }

  /// Little-endian floats in base 64: decimal text would be four times as long.
  public init(from decoder: any Decoder) throws {
    let box = try decoder.container(keyedBy: CodingKeys.self)
    directions = try box.decode([Data].self, forKey: .directions).map { data in
      guard data.count % 4 == 0, !data.isEmpty else {
        throw DecodingError.dataCorruptedError(forKey: .directions, in: box, debugDescription: "\(data.count) bytes are no floats")
      }
      let bytes = [UInt8](data)
      return stride(from: 0, to: bytes.count, by: 4).map { i in
        Float(bitPattern: UInt32(bytes[i]) | UInt32(bytes[i + 1]) << 8 | UInt32(bytes[i + 2]) << 16 | UInt32(bytes[i + 3]) << 24)
      }
    }
    guard directions.allSatisfy({ $0.count == directions[0].count && $0.allSatisfy(\.isFinite) }) else {
      throw DecodingError.dataCorruptedError(forKey: .directions, in: box, debugDescription: "directions of one size, all numbers finite")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: CodingKeys.self)
    try box.encode(directions.map { direction in
      Data(direction.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) } })
    }, forKey: .directions)
  }
}
