import Foundation
import Tensors

/// How signal becomes the value a network sees: `value = f((x - offset) / scale)`, with `x` in the frame's unit.
///
/// `scale` is the signal that counts as "one": with a scale near the typical pixel, values are of order 1 and comparable
/// between pictures, because nothing is taken from the picture itself. Every curve is odd and strictly increasing, so that
/// noise around zero stays symmetric and `inverted` recovers the signal.
public struct ToneMap: Codable, Hashable, Sendable {
  public enum Curve: String, Codable, Sendable, CaseIterable {
    /// f(u) = u
    case linear
    /// f(u) = sign(u) sqrt(|u|); makes Poisson noise even
    case sqrt
    /// f(u) = asinh(u): linear below 1, logarithmic above
    case asinh
    /// f(u) = sign(u) ln(1 + |u|)
    case log
  }

  public var curve: Curve
  /// In the frame's unit (ADU, photons, keV); above 0.
  public var scale: Float
  /// In the frame's unit; subtracted first.
  public var offset: Float
  /// Stretches the measured pixels of each picture to 0...1 after the curve. Brightness then no longer compares between
  /// pictures and the map cannot be inverted.
  public var perImage: Bool

  public init(_ curve: Curve = .linear, scale: Float = 1, offset: Float = 0, perImage: Bool = false) {
    precondition(scale > 0 && scale.isFinite && offset.isFinite, "a tone map needs a positive scale, got \(scale)")
    (self.curve, self.scale, self.offset, self.perImage) = (curve, scale, offset, perImage)
  }

  enum CodingKeys: String, CodingKey, CaseIterable { case curve = "map", scale, offset, perImage }

  public init(from decoder: any Decoder) throws {
    let box = try StrictContainer<CodingKeys>(decoder)
    let name: String = try box.value(.curve, or: Curve.linear.rawValue)
    guard let curve = Curve(rawValue: name) else {
      throw box.refused(.curve, expected: Curve.allCases.map(\.rawValue).joined(separator: ", "), found: name)
    }
    let scale: Float = try box.value(.scale, or: 1), offset: Float = try box.value(.offset, or: 0)
    guard scale > 0, scale.isFinite else { throw box.refused(.scale, expected: "a positive number", found: "\(scale)") }
    guard offset.isFinite else { throw box.refused(.offset, expected: "a finite number", found: "\(offset)") }
    self.init(curve, scale: scale, offset: offset, perImage: try box.value(.perImage, or: false))
  }

  /// The value of one signal.
  public func mapped(_ signal: Float) -> Float {
    let u = (signal - offset) / scale
    switch curve {
    case .linear: return u
    case .sqrt: return u < 0 ? -(-u).squareRoot() : u.squareRoot()
    case .asinh: return Foundation.asinh(u)
    case .log: return u < 0 ? -log1p(-u) : log1p(u)
    }
  }

  /// The signal of one value; the inverse of `mapped`. Has no meaning for `perImage` maps.
  public func inverted(_ value: Float) -> Float {
    let u: Float
    switch curve {
    case .linear: u = value
    case .sqrt: u = value < 0 ? -value * value : value * value
    case .asinh: u = sinh(value)
    case .log: u = value < 0 ? -expm1(-value) : expm1(value)
    }
    return u * scale + offset
  }

  /// Maps the measured pixels; pixels of weight 0 hold 0.
  public func mapped(_ image: MaskedImage) -> MaskedImage {
    var result = image
    for i in image.pixels.elements.indices {
      result.pixels.elements[i] = image.weight.elements[i] > 0 ? mapped(image.pixels.elements[i]) : 0
    }
    guard perImage else { return result }
    let measured = result.pixels.elements.indices.filter { image.weight.elements[$0] > 0 }
    guard let low = measured.map({ result.pixels.elements[$0] }).min(),
      let high = measured.map({ result.pixels.elements[$0] }).max()
    else { return result }
    // A flat picture has no range to stretch: it becomes 0 everywhere.
    let range = high > low ? high - low : 1
    for i in measured { result.pixels.elements[i] = (result.pixels.elements[i] - low) / range }
    return result
  }

  /// For the transform chain: `tone asinh((x - 0) / 5 ADU)`.
  func summary(unit: String) -> String {
    "tone \(curve.rawValue)((x - \(offset)) / \(scale) \(unit))\(perImage ? ", stretched to 0...1 per image" : "")"
  }
}
