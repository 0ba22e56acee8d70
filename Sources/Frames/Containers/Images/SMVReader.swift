import Foundation
import Host
import Tensors

/// Reads an SMV picture (ADSC, Rayonix) as one event: a header `{ KEY=value; ... }` of `HEADER_BYTES`, then the pixels, `SIZE1`
/// fastest. Lengths are mm, the wavelength is Å, `TIME` s, angles degrees.
///
/// Source: ADSC's description of SMV; types as fabio's adscimage and dxtbx write and read them.
public final class SMVReader: EventReader {
  public static let container = "smv"

  public static func recognizes(head: [UInt8], path: String) -> Bool {
    guard head.first == UInt8(ascii: "{") else { return false }
    return head.dropFirst().drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D }.starts(with: Array("HEADER_BYTES".utf8))
  }

  public private(set) var skipped: [String: Int] = [:]
  private var picture: StoredPicture?

  private static let types: [String: ElementType] = [
    "unsigned char": .uint8, "unsigned byte": .uint8, "unsigned short": .uint16, "unsigned short int": .uint16, "signed short": .int16,
    "short int": .int16, "short": .int16, "unsigned long": .uint32, "unsigned int": .uint32, "unsigned long int": .uint32,
    "signed long": .int32, "long": .int32, "long int": .int32, "signed int": .int32, "int": .int32, "float": .float32, "double": .float64,
  ]
  private static let units = [
    "DISTANCE": "mm", "WAVELENGTH": "A", "TIME": "s", "PIXEL_SIZE": "mm", "PHI": "deg", "OSC_START": "deg", "OSC_RANGE": "deg",
    "TWOTHETA": "deg", "BEAM_CENTER_X": "mm", "BEAM_CENTER_Y": "mm",
  ]

  public init(opening path: String) throws(InputError) {
    let file = try SequentialFile(opening: path)
    func error(_ key: String, _ expected: String, _ found: String) -> InputError {
      InputError(path: path, place: key, expected: expected, found: found)
    }
    let head = try file.read(min(512, file.byteCount), "header")
    let start = String(decoding: head.prefix(64), as: UTF8.self).split(separator: "=", maxSplits: 1).dropFirst().first
    guard let digits = start?.split(separator: ";").first, let headerBytes = Int(digits.trimmingCharacters(in: .whitespacesAndNewlines)),
      (16...1 << 20).contains(headerBytes), headerBytes <= file.byteCount
    else {
      throw error("HEADER_BYTES", "a header of 16 bytes to 1 MiB within the file of \(file.byteCount)", head.isEmpty ? "an empty file" : String(decoding: head.prefix(40), as: UTF8.self).debugDescription)
    }
    try file.move(to: 0)
    let bytes = try file.read(headerBytes, "header")
    guard let end = bytes.firstIndex(of: UInt8(ascii: "}")) else { throw error("header", "} within \(headerBytes) bytes", "none") }
    var values: [String: String] = [:], fields = HeaderFields()
    let text = String(String.UnicodeScalarView(bytes[1..<end].map { Unicode.Scalar($0) }))
    for entry in text.split(separator: ";") {
      guard let equals = entry.firstIndex(of: "=") else { continue }
      let key = entry[..<equals].trimmingCharacters(in: .whitespacesAndNewlines)
      let value = entry[entry.index(after: equals)...].trimmingCharacters(in: .whitespacesAndNewlines)
      values[key.lowercased()] = value
      fields.add(key, value, unit: Self.units[key])
    }
    func extent(_ key: String) throws(InputError) -> Int {
      guard let text = values[key.lowercased()], let value = Int(text), value > 0 else {
        throw error(key, "an extent of 1 and more", values[key.lowercased()] ?? "none")
      }
      return value
    }
    let name = values["type"] ?? values["data_type"] ?? "unsigned_short"
    guard let element = Self.types[name.lowercased().replacing("_", with: " ")] else {
      throw error("TYPE", "one of \(Self.types.keys.sorted().joined(separator: ", "))", name)
    }
    let compression = values["compression"] ?? "none"
    guard compression.lowercased() == "none" else { throw error("COMPRESSION", "none", compression) }
    let shape: Shape = [try extent("SIZE2"), try extent("SIZE1")]
    guard let size = RawPixels.byteCount(shape, element, limit: file.byteCount - headerBytes) else {
      throw error("SIZE1", "pixels within the \(file.byteCount - headerBytes) bytes after the header", "\(shape) of \(element)")
    }
    let order = (values["byte_order"] ?? "").lowercased()
    guard ["little_endian", "big_endian"].contains(order) || element.size == 1 else {
      throw error("BYTE_ORDER", "little_endian or big_endian", order.isEmpty ? "none" : order)
    }
    let pixels = try file.read(size, "pixels")
    if !file.isAtEnd { skipped["bytes after the picture"] = file.byteCount - file.offset }
    picture = StoredPicture(
      element: element, shape: shape, bytes: RawPixels.littleEndian(pixels, element, isBigEndian: order == "big_endian"), header: fields)
  }

  public func next() throws(InputError) -> Event? {
    defer { picture = nil }
    return picture.map { Event(picture: $0, typeName: "smv", index: 0) }
  }
}
