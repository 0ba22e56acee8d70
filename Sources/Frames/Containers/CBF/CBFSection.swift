import Foundation
import Host
import Tensors

/// One binary section of a CBF file: MIME header and pixels.
struct CBFSection {
  var element: ElementType
  var shape: Shape
  var bytes: [UInt8]

  private static let types: [String: ElementType] = [
    "unsigned 8-bit integer": .uint8, "signed 8-bit integer": .int8, "unsigned 16-bit integer": .uint16, "signed 16-bit integer": .int16,
    "unsigned 32-bit integer": .uint32, "signed 32-bit integer": .int32, "unsigned 64-bit integer": .uint64, "signed 64-bit integer": .int64,
    "signed 32-bit real ieee": .float32, "signed 64-bit real ieee": .float64,
  ]

  /// The bytes that stand between MIME header and pixels.
  static let magic: [UInt8] = [0x0C, 0x1A, 0x04, 0xD5]

  /// Decodes the pixels that begin at `start` of the file, right after the magic bytes. `end` becomes the byte behind them.
  init(_ mime: [String: String], _ file: BinaryRecord, at start: Int, end: inout Int) throws(InputError) {
    func error(_ key: String, _ expected: String, _ found: String) -> InputError {
      InputError(path: file.path, place: "binary section at byte \(start), \(key)", expected: expected, found: found)
    }
    func whole(_ key: String) throws(InputError) -> Int? {
      guard let text = mime[key.lowercased()] else { return nil }
      guard let value = Int(text), value >= 0 else { throw error(key, "a whole number", text) }
      return value
    }
    let encoding = mime["content-transfer-encoding"] ?? "none"
    guard encoding.uppercased() == "BINARY" else { throw error("Content-Transfer-Encoding", "BINARY", encoding) }
    guard let size = try whole("X-Binary-Size") else { throw error("X-Binary-Size", "a number of bytes", "none") }
    let name = mime["x-binary-element-type"] ?? "none"
    guard let element = Self.types[name.lowercased()] else {
      throw error("X-Binary-Element-Type", "one of \(Self.types.keys.sorted().joined(separator: ", "))", name)
    }
    guard let columns = try whole("X-Binary-Size-Fastest-Dimension") else { throw error("X-Binary-Size-Fastest-Dimension", "an extent", "none") }
    let rows = try whole("X-Binary-Size-Second-Dimension") ?? 1, planes = try whole("X-Binary-Size-Third-Dimension") ?? 1
    shape = planes > 1 ? [planes, rows, columns] : [rows, columns]
    self.element = element
    guard let count = shape.checkedCount, count > 0, RawPixels.byteCount(shape, element, limit: .max) != nil else {
      throw error("X-Binary-Size-Fastest-Dimension", "pixels", "\(shape)")
    }
    if let told = try whole("X-Binary-Number-of-Elements"), told != count {
      throw error("X-Binary-Number-of-Elements", "\(count) for \(shape)", "\(told)")
    }
    let data = try file.part(start, count: size, "binary section")
    end = start + size
    if let digest = mime["content-md5"], digest != Checksum.md5Base64(file.bytes[data.range]) {
      throw error("Content-MD5", digest, "\(Checksum.md5Base64(file.bytes[data.range])): the section is damaged")
    }
    let conversion = mime["conversions"] ?? "x-CBF_NONE"
    switch conversion.uppercased() {
    case "X-CBF_BYTE_OFFSET": bytes = try ByteOffset.decode(data, count: count, element)
    case "X-CBF_NONE":
      guard size == count * element.size else { throw error("X-Binary-Size", "\(count * element.size) for \(shape) of \(element)", "\(size)") }
      let order = (mime["x-binary-element-byte-order"] ?? "LITTLE_ENDIAN").uppercased()
      guard ["LITTLE_ENDIAN", "BIG_ENDIAN"].contains(order) else { throw error("X-Binary-Element-Byte-Order", "LITTLE_ENDIAN or BIG_ENDIAN", order) }
      bytes = RawPixels.littleEndian(data.array(), element, isBigEndian: order == "BIG_ENDIAN")
    default: throw error("conversions", "x-CBF_BYTE_OFFSET or x-CBF_NONE", conversion)
    }
  }
}
