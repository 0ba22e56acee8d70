import Tensors

/// A picture as a shard stores it: 5 bytes a pixel.
public struct StoredImage: Sendable, Equatable {
  /// `[H,W]`, tone-mapped; 0 where nothing was measured.
  public let pixels: Tensor<Float>
  /// `[H,W]`, the measured share in units of 1/255.
  public let weight: Tensor<UInt8>

  /// The same with weights of 0...1. Cost at 128×128: some microseconds.
  public var maskedImage: MaskedImage {
    let stored = weight.elements.span
    var shares = [Float](repeating: 0, count: stored.count)
    for i in stored.indices { shares[i] = Float(stored[i]) / 255 }
    return MaskedImage(pixels: pixels, weight: Tensor(weight.shape, shares))
  }

  /// Bytes of a picture in memory.
  public static func byteCount(height: Int, width: Int) -> Int { height * width * 5 }
}
