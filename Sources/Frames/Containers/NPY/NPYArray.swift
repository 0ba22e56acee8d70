import Host
import Tensors

/// One array in numpy's NPY format, versions 1 to 3: row-major, little-endian.
///
/// Reading swaps big-endian numbers, reorders Fortran order to row-major, and widens float16 to float32 and Boolean to uint8;
/// complex, text and structured arrays are refused. Source: `numpy.lib.format`.
public struct NPYArray: Hashable, Sendable {
  public var element: ElementType
  public var shape: Shape
  public var bytes: [UInt8]

  /// Traps where `bytes` do not fill `shape`, and for records.
  public init(element: ElementType, shape: Shape, bytes: [UInt8]) {
    precondition(element != .record && bytes.count == shape.count * element.size, "\(bytes.count) bytes do not fill \(shape) of \(element)")
    self.element = element
    self.shape = shape
    self.bytes = bytes
  }

  public static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]

  /// Parses a whole NPY file. Throws where the header or the size does not fit.
  public init(parsing file: [UInt8], path: String) throws(InputError) {
    let record = BinaryRecord(file, path: path, name: "NPY array")
    guard file.starts(with: Self.magic) else { throw record.error(at: 0, "\\x93NUMPY", "other bytes") }
    let major = try record.uint8(6)
    guard (1...3).contains(major) else { throw record.error(at: 6, "NPY version 1, 2 or 3", "\(major)") }
    let start = major == 1 ? 10 : 12
    let size = major == 1 ? Int(try record.uint16(8)) : try record.size(8)
    let header = try NPYHeader(try record.part(start, count: size, "NPY header"))
    let data = try record.part(start + size, count: file.count - start - size, "NPY data")
    let (needed, overflow) = (header.shape.checkedCount ?? Int.max).multipliedReportingOverflow(by: header.size)
    guard !overflow, needed == data.count else {
      throw data.error(at: 0, "\(header.shape) numbers of \(header.size) bytes", "\(data.count) bytes")
    }
    var bytes = data.array()
    if header.isBigEndian, header.size > 1 {
      for start in stride(from: 0, to: bytes.count, by: header.size) { bytes[start..<start + header.size].reverse() }
    }
    if header.isFortranOrder { bytes = Self.rowMajor(bytes, header.shape, size: header.size) }
    if header.isHalf { bytes = Float.bytes(littleEndian: UInt16.array(littleEndian: bytes).map { Float(Float16(bitPattern: $0)) }) }
    self.init(element: header.element, shape: header.shape, bytes: bytes)
  }

  /// Column-major to row-major.
  static func rowMajor(_ bytes: [UInt8], _ shape: Shape, size: Int) -> [UInt8] {
    guard shape.rank > 1, !bytes.isEmpty else { return bytes }
    var strides = [Int](repeating: 1, count: shape.rank)
    for axis in 1..<shape.rank { strides[axis] = strides[axis - 1] * shape[axis - 1] }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var index = [Int](repeating: 0, count: shape.rank)
    var source = 0
    while result.count < bytes.count {
      result += bytes[source * size..<(source + 1) * size]
      var axis = shape.rank - 1
      while axis >= 0 {
        index[axis] += 1
        source += strides[axis]
        guard index[axis] == shape[axis] else { break }
        source -= strides[axis] * shape[axis]
        index[axis] = 0
        axis -= 1
      }
    }
    return result
  }

  /// The bytes of an NPY file, version 1.0, data aligned to 64 bytes, as numpy writes them.
  public var file: [UInt8] {
    let code: String =
      switch element {
      case .uint8: "|u1"
      case .int8: "|i1"
      case .uint16: "<u2"
      case .int16: "<i2"
      case .uint32: "<u4"
      case .int32: "<i4"
      case .uint64: "<u8"
      case .int64: "<i8"
      case .float32: "<f4"
      case .float64: "<f8"
      case .record: preconditionFailure("a record is no array of numbers")
      }
    let extents = shape.extents.map(String.init).joined(separator: ", ") + (shape.rank == 1 ? "," : "")
    var header = Array("{'descr': '\(code)', 'fortran_order': False, 'shape': (\(extents)), }".utf8)
    header += repeatElement(0x20, count: (64 - (10 + header.count + 1) % 64) % 64)
    header.append(0x0A)
    precondition(header.count < 1 << 16, "\(shape) has too many axes for NPY version 1")
    return Self.magic + [1, 0, UInt8(header.count & 0xFF), UInt8(header.count >> 8)] + header + bytes
  }
}

/// The header of an NPY file: a Python dictionary of three entries.
struct NPYHeader {
  var element = ElementType.uint8
  /// Bytes per stored number.
  var size = 1
  var isHalf = false
  var isBigEndian = false
  var isFortranOrder = false
  var shape = Shape([])

  init(_ record: BinaryRecord) throws(InputError) {
    guard let text = String(validating: record.array(), as: UTF8.self) else {
      throw record.error(at: 0, "text", "other bytes")
    }
    var scanner = PythonLiteral(text)
    var seen: Set<String> = []
    func mistake() -> InputError {
      record.error(at: 0, "{'descr': …, 'fortran_order': …, 'shape': …}", String(text.prefix(80)).debugDescription)
    }
    guard scanner.skip("{") else { throw mistake() }
    while !scanner.skip("}") {
      guard let key = scanner.string(), seen.insert(key).inserted, scanner.skip(":") else { throw mistake() }
      switch key {
      case "descr":
        guard let code = scanner.string() else { throw mistake() }
        guard describe(code) else { throw record.error(at: 0, "real numbers", "numpy type \(code.debugDescription)") }
      case "fortran_order":
        guard let word = scanner.word(), ["True", "False"].contains(word) else { throw mistake() }
        isFortranOrder = word == "True"
      case "shape":
        guard scanner.skip("(") else { throw mistake() }
        while !scanner.skip(")") {
          guard let extent = scanner.integer(), shape.rank < 32 else { throw mistake() }
          shape.extents.append(extent)
          guard scanner.skip(",") || scanner.isNext(")") else { throw mistake() }
        }
      default: throw mistake()
      }
      guard scanner.skip(",") || scanner.isNext("}") else { throw mistake() }
    }
    guard seen.count == 3, scanner.isAtEnd else { throw mistake() }
  }

  private mutating func describe(_ code: String) -> Bool {
    let types: [String: ElementType] = [
      "u1": .uint8, "b1": .uint8, "i1": .int8, "u2": .uint16, "i2": .int16, "u4": .uint32, "i4": .int32, "u8": .uint64,
      "i8": .int64, "f2": .float32, "f4": .float32, "f8": .float64,
    ]
    guard let order = code.first, "<>|=".contains(order), let type = types[String(code.dropFirst())],
      let digit = code.last?.wholeNumberValue
    else { return false }
    isBigEndian = order == ">"
    isHalf = code.hasSuffix("f2")
    size = digit
    element = type
    return true
  }
}

/// A scanner of the few Python literals that NPY headers use.
private struct PythonLiteral {
  private let text: [UInt8]
  private var place = 0

  init(_ text: String) { self.text = Array(text.utf8) }

  private mutating func skipSpace() {
    while place < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[place]) { place += 1 }
  }

  var isAtEnd: Bool { text[place...].allSatisfy { [0x20, 0x09, 0x0A, 0x0D].contains($0) } }

  mutating func isNext(_ symbol: Unicode.Scalar) -> Bool {
    skipSpace()
    return place < text.count && UInt32(text[place]) == symbol.value
  }

  mutating func skip(_ symbol: Unicode.Scalar) -> Bool {
    guard isNext(symbol) else { return false }
    place += 1
    return true
  }

  mutating func string() -> String? {
    skipSpace()
    guard place < text.count, text[place] == 0x27 || text[place] == 0x22 else { return nil }
    guard let end = text[(place + 1)...].firstIndex(of: text[place]) else { return nil }
    defer { place = end + 1 }
    return String(decoding: text[place + 1..<end], as: UTF8.self)
  }

  mutating func word() -> String? {
    skipSpace()
    let word = text[place...].prefix { UInt8(ascii: "A")...UInt8(ascii: "z") ~= $0 }
    place += word.count
    return word.isEmpty ? nil : String(decoding: word, as: UTF8.self)
  }

  mutating func integer() -> Int? {
    skipSpace()
    let digits = text[place...].prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    place += digits.count
    // Python 2 wrote long integers with an L.
    if place < text.count, text[place] == UInt8(ascii: "L") { place += 1 }
    return Int(String(decoding: digits, as: UTF8.self))
  }
}
