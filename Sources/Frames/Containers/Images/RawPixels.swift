import Host
import Tensors

/// Uncompressed pixels as formats with text headers name them.
enum RawPixels {
  /// Bytes of `element` in the given order -> little-endian; traps where bytes are left over.
  static func littleEndian(_ bytes: [UInt8], _ element: ElementType, isBigEndian: Bool) -> [UInt8] {
    guard isBigEndian, element.size > 1 else { return bytes }
    precondition(bytes.count % element.size == 0, "\(bytes.count) bytes are no whole number of \(element)")
    var swapped = bytes
    for start in stride(from: 0, to: bytes.count, by: element.size) {
      for place in 0..<element.size { swapped[start + place] = bytes[start + element.size - 1 - place] }
    }
    return swapped
  }

  /// The bytes that a shape takes, `nil` where that overflows or exceeds `limit`: what the file holds.
  static func byteCount(_ shape: Shape, _ element: ElementType, limit: Int) -> Int? {
    guard let count = shape.checkedCount, count > 0 else { return nil }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: element.size)
    return overflow || bytes > limit ? nil : bytes
  }
}
