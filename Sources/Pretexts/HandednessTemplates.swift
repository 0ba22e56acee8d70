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

  /// Takes out of x, in place, its part in the span of the directions **on the pixels that are shown**, by least squares; pixels that are 0, the value of
  /// gaps, stay 0. Where pixels are hidden the directions are no longer orthogonal, and taking out one after another would bring back what went before.
  ///
  /// With D directions, N pixels and H hidden ones it takes D·N + D²·H multiplications. Traps on another size.
  func remove(from view: inout MutableSpan<Float>) {
    let count = directions.count
    // What is left of the directions' products with each other, 1 and 0 on the whole square, on the pixels that are shown.
    var products = (0..<count).map { row in (0..<count).map { $0 == row ? 1.0 : 0 } }, shares = [Double](repeating: 0, count: count)
    let hidden = view.indices.filter { view[$0] == 0 }
    for (row, direction) in directions.enumerated() {
      precondition(direction.count == view.count, "\(view.count) pixels for templates of \(direction.count)")
      let u = direction.span
      for i in view.indices { shares[row] += Double(u[i]) * Double(view[i]) }
      for column in 0...row {
        let other = directions[column], v = other.span
        var lost = 0.0
        for i in hidden { lost += Double(u[i]) * Double(v[i]) }
        products[row][column] -= lost
        if column != row { products[column][row] = products[row][column] }
      }
    }
    let factors = HandednessTemplates.solution(of: products, shares)
    for (direction, factor) in zip(directions, factors) where factor != 0 {
      let u = direction.span, factor = Float(factor)
      for i in view.indices where view[i] != 0 { view[i] = InputScaling.measured(view[i] - factor * u[i]) }
    }
  }

  /// x of A·x = b, A symmetric without negative eigenvalues, by the square root of A (Cholesky); 0 for rows that depend on those before them.
  private static func solution(of a: [[Double]], _ b: [Double]) -> [Double] {
    var root = a, x = b
    var isFree = [Bool](repeating: true, count: b.count)
    for row in b.indices {
      for column in 0...row {
        var rest = a[row][column]
        for k in 0..<column where isFree[k] { rest -= root[row][k] * root[column][k] }
        if column < row {
          root[row][column] = isFree[column] ? rest / root[column][column] : 0
        } else {
          // Directions have length 1 on the whole square; what is shown of this one lies in the span of the others, but for rounding.
          isFree[row] = rest > 1e-9
          root[row][row] = isFree[row] ? rest.squareRoot() : 0
        }
      }
    }
    for row in b.indices {
      for k in 0..<row where isFree[k] { x[row] -= root[row][k] * x[k] }
      x[row] = isFree[row] ? x[row] / root[row][row] : 0
    }
    for row in b.indices.reversed() {
      for k in b.indices where k > row && isFree[k] { x[row] -= root[k][row] * x[k] }
      x[row] = isFree[row] ? x[row] / root[row][row] : 0
    }
    return x
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
