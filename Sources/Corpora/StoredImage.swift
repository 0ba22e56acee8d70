import Tensors

/// A picture as a shard stores it: 5 bytes a pixel.
public struct StoredImage: Sendable, Equatable {
  /// `[H,W]`, tone-mapped; 0 where nothing was measured.
  public let pixels: Tensor<Float>
  /// `[H,W]`, the measured share in units of 1/255.
  public let weight: Tensor<UInt8>

  public var maskedImage: MaskedImage { MaskedImage(pixels: pixels, weight: weight.map { Float($0) / 255 }) }

  /// Bytes of a picture in memory.
  public static func byteCount(height: Int, width: Int) -> Int { height * width * 5 }
}
