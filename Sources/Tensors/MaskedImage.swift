/// A picture that knows which of its pixels were measured.
///
/// `pixels` and `weight` are `[H,W]`. `weight` is the measured share of each pixel, 0 (a gap, a masked or bad pixel) to 1;
/// a pixel of weight 0 holds 0 by convention and means nothing.
public struct MaskedImage: Sendable, Equatable {
  public var pixels: Tensor<Float>
  public var weight: Tensor<Float>

  /// Traps unless both are `[H,W]` of one shape.
  public init(pixels: Tensor<Float>, weight: Tensor<Float>) {
    precondition(
      pixels.shape == weight.shape && pixels.shape.rank == 2, "pixels \(pixels.shape) and weight \(weight.shape) do not match")
    self.pixels = pixels
    self.weight = weight
  }

  public var height: Int { pixels.shape[0] }
  public var width: Int { pixels.shape[1] }

  /// The measured share of the whole picture, 0...1.
  public var coverage: Double {
    weight.elements.isEmpty ? 0 : weight.elements.reduce(0) { $0 + Double($1) } / Double(weight.elements.count)
  }
}

extension MaskedImage {
  /// The part of the picture in `rows` and `columns`; traps when they reach outside.
  public func cropped(rows: Range<Int>, columns: Range<Int>) -> MaskedImage {
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= height && columns.lowerBound >= 0 && columns.upperBound <= width,
      "rows \(rows), columns \(columns) reach outside \(pixels.shape)")
    func part(_ array: Tensor<Float>) -> Tensor<Float> {
      Tensor([rows.count, columns.count], rows.flatMap { array.elements[$0 * width + columns.lowerBound..<$0 * width + columns.upperBound] })
    }
    return MaskedImage(pixels: part(pixels), weight: part(weight))
  }
}
