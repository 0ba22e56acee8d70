import Host
import Tensors

/// A variable or field of a MATLAB file.
indirect enum MATLABValue {
  /// Numbers, column-major as MATLAB lays them out, little-endian.
  case numbers(ElementType, Shape, [UInt8])
  case text(String)
  /// A structure array: one dictionary an element.
  case structures([[String: MATLABValue]])
  /// A class that holds no pictures, by its name: cells, sparse, objects, functions, complex numbers.
  case other(String)
}

/// Parses level 5 MAT files. Every tag is checked against the bytes that are there; what is allocated is at most what the file's
/// compressed variables really decode to.
///
/// Source: MathWorks, "MAT-File Format", chapter 1.
struct MATLABParser {
  private enum Kind: UInt32 {
    case int8 = 1, uint8, int16, uint16, int32, uint32, float32
    case float64 = 9
    case int64 = 12, uint64, matrix, compressed, utf8, utf16, utf32

    var element: ElementType? {
      switch self {
      case .int8: .int8
      case .uint8, .utf8: .uint8
      case .int16: .int16
      case .uint16, .utf16: .uint16
      case .int32: .int32
      case .uint32, .utf32: .uint32
      case .float32: .float32
      case .float64: .float64
      case .int64: .int64
      case .uint64: .uint64
      case .matrix, .compressed: nil
      }
    }
  }

  /// One data element: what it is, its bytes, and where the next begins.
  private struct Element {
    var kind: Kind
    var data: BinaryRecord
    var end: Int
  }

  /// Deflate packs at most 1032 bytes into one.
  private static let ratio = 1032
  static let depthLimit = 16

  let isBigEndian: Bool

  /// The variables of a file, in its order.
  static func variables(_ bytes: [UInt8], path: String) throws(InputError) -> [(name: String, value: MATLABValue)] {
    let file = BinaryRecord(bytes, path: path, name: "MATLAB file")
    let mark = try file.uint16(126)
    guard mark == 0x4D49 || mark == 0x494D else { throw file.error(at: 126, "the byte order IM or MI", "\(mark)") }
    let parser = MATLABParser(isBigEndian: mark == 0x494D)
    let version = parser.isBigEndian ? try file.uint16(124).byteSwapped : try file.uint16(124)
    guard version == 0x0100 else { throw file.error(at: 124, "version 0x0100", "\(version)") }
    var variables: [(name: String, value: MATLABValue)] = [], place = 128
    while place < file.count {
      let element = try parser.element(file, at: place)
      place = element.end
      switch element.kind {
      case .matrix: variables.append(try parser.matrix(element.data, depth: 0))
      case .compressed:
        let packed = file.bytes[element.data.range]
        let inflater = Inflater()
        let limit = min(1 << 30, 4096 + element.data.count * ratio)
        guard let plain = unsafe packed.withUnsafeBytes({ bytes in unsafe inflater.inflated(bytes, limit: limit) }) else {
          throw element.data.error(at: 0, "a zlib stream of at most \(limit) bytes", "a damaged one")
        }
        let record = BinaryRecord(plain, path: path, name: "variable decompressed from byte \(element.data.range.lowerBound), there")
        let inner = try parser.element(record, at: 0)
        guard inner.kind == .matrix else { throw record.error(at: 0, "a matrix", "\(inner.kind)") }
        variables.append(try parser.matrix(inner.data, depth: 0))
      default: throw file.error(at: place, "a matrix or a compressed one", "\(element.kind)")
      }
    }
    return variables
  }

  private func uint32(_ record: BinaryRecord, _ offset: Int) throws(InputError) -> UInt32 {
    let stored = try record.uint32(offset)
    return isBigEndian ? stored.byteSwapped : stored
  }

  private func element(_ record: BinaryRecord, at place: Int) throws(InputError) -> Element {
    let word = try uint32(record, place)
    // Up to 4 bytes stand inside the tag itself, their number in its upper half.
    let isSmall = word >> 16 != 0
    guard let kind = Kind(rawValue: isSmall ? word & 0xFFFF : word) else {
      throw record.error(at: place, "a data type of 1 to 18", "\(word)")
    }
    if isSmall {
      let size = Int(word >> 16)
      guard size <= 4 else { throw record.error(at: place, "a small element of at most 4 bytes", "\(size)") }
      return Element(kind: kind, data: try record.part(place + 4, count: size, "small element"), end: place + 8)
    }
    let size = Int(try uint32(record, place + 4))
    let data = try record.part(place + 8, count: size, "\(kind)")
    let padded = kind == .compressed ? size : (size + 7) / 8 * 8
    return Element(kind: kind, data: data, end: place + 8 + min(padded, record.count - place - 8))
  }

  /// The numbers of an element, converted to `element` where MATLAB stored them in a smaller type.
  private func numbers(_ element: Element, as wanted: ElementType, count: Int) throws(InputError) -> [UInt8] {
    guard let stored = element.kind.element else { throw element.data.error(at: 0, "numbers", "\(element.kind)") }
    guard element.data.count == count * stored.size else {
      throw element.data.error(at: 0, "\(count) numbers of \(stored)", "\(element.data.count) bytes")
    }
    let bytes = RawPixels.littleEndian(element.data.array(), stored, isBigEndian: isBigEndian)
    if stored == wanted { return bytes }
    // In pieces, so that only the result is large.
    var converted: [UInt8] = []
    converted.reserveCapacity(count * wanted.size)
    for start in stride(from: 0, to: bytes.count, by: stored.size << 16) {
      converted += try self.converted(Array(bytes[start..<min(bytes.count, start + stored.size << 16)]), stored, as: wanted, element)
    }
    return converted
  }

  private func converted(_ bytes: [UInt8], _ stored: ElementType, as wanted: ElementType, _ element: Element) throws(InputError) -> [UInt8] {
    switch wanted {
    case .float64: return Double.bytes(littleEndian: stored.doubles(littleEndian: bytes))
    case .float32: return Float.bytes(littleEndian: stored.doubles(littleEndian: bytes).map { Float($0) })
    default:
      guard stored != .float32, stored != .float64 else { throw element.data.error(at: 0, "integers", "\(stored)") }
      let integers = stored.integers(littleEndian: bytes)
      func packed<T: HDF5Number & FixedWidthInteger>(_ type: T.Type) throws(InputError) -> [UInt8] {
        T.bytes(littleEndian: try integers.map { value throws(InputError) -> T in
          guard let value, let narrow = T(exactly: value) else {
            throw element.data.error(at: 0, "integers that fit into \(wanted)", value.map { "\($0)" } ?? "a greater one")
          }
          return narrow
        })
      }
      switch wanted {
      case .uint8: return try packed(UInt8.self)
      case .int8: return try packed(Int8.self)
      case .uint16: return try packed(UInt16.self)
      case .int16: return try packed(Int16.self)
      case .uint32: return try packed(UInt32.self)
      case .int32: return try packed(Int32.self)
      case .uint64: return try packed(UInt64.self)
      default: return try packed(Int64.self)
      }
    }
  }

  private static let classes: [UInt32: ElementType] = [
    6: .float64, 7: .float32, 8: .int8, 9: .uint8, 10: .int16, 11: .uint16, 12: .int32, 13: .uint32, 14: .int64, 15: .uint64,
  ]
  private static let otherClasses: [UInt32: String] = [1: "cell", 3: "object", 5: "sparse", 16: "function", 17: "opaque"]

  private func matrix(_ record: BinaryRecord, depth: Int) throws(InputError) -> (name: String, value: MATLABValue) {
    guard depth < Self.depthLimit else { throw record.error(at: 0, "at most \(Self.depthLimit) nested structures", "more") }
    // An empty field of a structure has no content at all.
    guard record.count > 0 else { return ("", .numbers(.float64, [0, 0], [])) }
    let flags = try element(record, at: 0)
    let word = try uint32(flags.data, 0), kind = word & 0xFF
    let extents = try element(record, at: flags.end)
    guard extents.kind == .int32, extents.data.count >= 8, extents.data.count % 4 == 0, extents.data.count <= 4 * 32 else {
      throw extents.data.error(at: 0, "2 to 32 extents", "\(extents.data.count) bytes of \(extents.kind)")
    }
    var shape = Shape([])
    for axis in 0..<extents.data.count / 4 { shape.extents.append(Int(Int32(bitPattern: try uint32(extents.data, 4 * axis)))) }
    guard let count = shape.checkedCount else { throw extents.data.error(at: 0, "extents of 0 and more", "\(shape)") }
    let title = try element(record, at: extents.end)
    let name = String(decoding: title.data.array(), as: UTF8.self)
    // Opaque objects have no extents where others have; they are told by their class before anything else is read.
    if let other = Self.otherClasses[kind] { return (name, .other(other)) }
    if word >> 8 & 0x08 != 0 { return (name, .other("complex")) }
    let place = title.end
    if kind == 2 { return (name, .structures(try structures(record, at: place, count: count, depth: depth))) }
    if kind == 4 {
      guard count > 0 else { return (name, .text("")) }
      return (name, .text(try text(try element(record, at: place))))
    }
    guard let type = Self.classes[kind] else { throw flags.data.error(at: 0, "a class of 1 to 17", "\(kind)") }
    guard count > 0 else { return (name, .numbers(type, shape, [])) }
    return (name, .numbers(type, shape, try numbers(try element(record, at: place), as: type, count: count)))
  }

  private func text(_ element: Element) throws(InputError) -> String {
    switch element.kind {
    case .utf8, .int8, .uint8: return String(decoding: element.data.array(), as: UTF8.self)
    case .utf16, .uint16, .int16:
      guard element.data.count % 2 == 0 else { throw element.data.error(at: 0, "UTF-16 text", "\(element.data.count) bytes") }
      let units = UInt16.array(littleEndian: RawPixels.littleEndian(element.data.array(), .uint16, isBigEndian: isBigEndian))
      return String(decoding: units, as: UTF16.self)
    case .utf32, .uint32, .int32:
      guard element.data.count % 4 == 0 else { throw element.data.error(at: 0, "UTF-32 text", "\(element.data.count) bytes") }
      let units = UInt32.array(littleEndian: RawPixels.littleEndian(element.data.array(), .uint32, isBigEndian: isBigEndian))
      return String(decoding: units, as: UTF32.self)
    default: throw element.data.error(at: 0, "text", "\(element.kind)")
    }
  }

  private func structures(_ record: BinaryRecord, at start: Int, count: Int, depth: Int) throws(InputError) -> [[String: MATLABValue]] {
    let size = try element(record, at: start)
    let length = Int(try uint32(size.data, 0))
    let table = try element(record, at: size.end)
    guard length > 0, length <= 4096, table.data.count % length == 0 else {
      throw table.data.error(at: 0, "field names of \(length) bytes", "\(table.data.count) bytes")
    }
    var names: [String] = []
    for place in stride(from: 0, to: table.data.count, by: length) { names.append(try table.data.text(place, count: length)) }
    // Each field of each element takes a tag of 8 bytes; structures without fields take nothing, however many there are.
    guard names.isEmpty ? count <= 1 : count <= record.count / 8 / names.count else {
      throw record.error(at: start, "\(count) structures of \(names.count) fields", "\(record.count) bytes")
    }
    var place = table.end, structures: [[String: MATLABValue]] = []
    for _ in 0..<count {
      var fields: [String: MATLABValue] = [:]
      for name in names {
        let field = try element(record, at: place)
        guard field.kind == .matrix else { throw record.error(at: place, "the matrix of field \(name)", "\(field.kind)") }
        fields[name] = try matrix(field.data, depth: depth + 1).value
        place = field.end
      }
      structures.append(fields)
    }
    return structures
  }
}
