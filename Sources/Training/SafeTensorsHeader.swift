import Host
import Tensors

/// The JSON header of a safetensors file, parsed strictly and checked against the data behind it.
///
/// A parser of its own, since Foundation's accepts a key given twice and cannot say where in the file it stumbled.
struct SafeTensorsHeader {
  struct Field {
    let name: String
    let dtype: SafeTensors.DType
    let shape: Shape
    let begin: Int
    let end: Int
  }

  /// No header may be longer.
  static let limit = 100_000_000

  private(set) var fields: [Field] = []
  private(set) var metadata: [String: String] = [:]

  private let bytes: [UInt8]
  private let path: String
  private var position = 0

  /// `dataCount`: bytes behind the header, which the tensors must fill without hole, overlap or rest.
  init(_ header: [UInt8], dataCount: Int, path: String) throws(InputError) {
    bytes = header
    self.path = path
    guard String(validating: header, as: UTF8.self) != nil else {
      throw InputError(path: path, place: "header", expected: "UTF-8", found: "other bytes")
    }
    var names: Set<String> = []
    try object("header") { (self: inout SafeTensorsHeader, name, place) throws(InputError) in
      guard names.insert(name).inserted else { throw self.error("each name once", "\(name) again", at: place) }
      if name == "__metadata__" { try self.readMetadata() } else { try self.readField(name) }
    }
    skipSpace()
    guard position == bytes.count else { throw error("the end of the header", "more of it") }
    try checkLayout(dataCount)
  }

  private mutating func readMetadata() throws(InputError) {
    var found: [String: String] = [:]
    try object("__metadata__") { (self: inout SafeTensorsHeader, key, place) throws(InputError) in
      let value = try self.string()
      guard found.updateValue(value, forKey: key) == nil else { throw self.error("each key once", "\(key) again", at: place) }
    }
    metadata = found
  }

  private mutating func readField(_ name: String) throws(InputError) {
    let start = position
    var dtype: SafeTensors.DType?, shape: Shape?, offsets: [Int]?
    try object(name) { (self: inout SafeTensorsHeader, key, place) throws(InputError) in
      switch key {
      case "dtype" where dtype == nil:
        let text = try self.string()
        dtype = SafeTensors.DType(rawValue: text)
        if dtype == nil { throw self.error("a known dtype for \(name)", text, at: place) }
      case "shape" where shape == nil: shape = Shape(try self.integers())
      case "data_offsets" where offsets == nil: offsets = try self.integers()
      default: throw self.error("dtype, shape and data_offsets of \(name), each once", key, at: place)
      }
    }
    guard let dtype, let shape, let offsets else {
      throw error("dtype, shape and data_offsets of \(name)", "not all of them", at: start)
    }
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw error("data_offsets [begin,end] of \(name)", "\(offsets)", at: start)
    }
    let (size, overflow) = (shape.checkedCount ?? .max).multipliedReportingOverflow(by: dtype.width)
    guard shape.checkedCount != nil, !overflow else {
      throw error("a size of \(name) that fits 64 bits", "\(dtype.rawValue) \(shape)", at: start)
    }
    guard size == offsets[1] - offsets[0] else {
      throw error("\(size) bytes for \(name) \(dtype.rawValue) \(shape)", "\(offsets[1] - offsets[0])", at: start)
    }
    fields.append(Field(name: name, dtype: dtype, shape: shape, begin: offsets[0], end: offsets[1]))
  }

  private func checkLayout(_ dataCount: Int) throws(InputError) {
    var filled = 0
    for field in fields.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
      guard field.begin == filled else {
        throw InputError(
          path: path, place: field.name, expected: "data from offset \(filled), right behind the tensor before",
          found: (field.begin < filled ? "an overlap: " : "a hole: ") + "offset \(field.begin)")
      }
      filled = field.end
    }
    guard filled == dataCount else {
      throw InputError(
        path: path, place: "data", expected: "\(filled) bytes, as the header says", found: "\(dataCount) bytes")
    }
  }

  // MARK: - JSON

  private func error(_ expected: String, _ found: String, at place: Int? = nil) -> InputError {
    InputError(path: path, place: "byte \(8 + (place ?? position))", expected: expected, found: found)
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
  }

  private mutating func next() -> UInt8? {
    skipSpace()
    return position < bytes.count ? bytes[position] : nil
  }

  private mutating func expect(_ character: Unicode.Scalar, _ purpose: String) throws(InputError) {
    guard next() == UInt8(ascii: character) else { throw error("\(character) of \(purpose)", shown()) }
    position += 1
  }

  private func shown() -> String {
    position < bytes.count ? "\"\(Unicode.Scalar(bytes[position]).escaped(asASCII: true))\"" : "the end of the header"
  }

  /// Calls `read` with each key and its place, standing on the value.
  private mutating func object(
    _ purpose: String, _ read: (inout SafeTensorsHeader, String, Int) throws(InputError) -> Void
  ) throws(InputError) {
    try expect("{", purpose)
    if next() == UInt8(ascii: "}") {
      position += 1
      return
    }
    while true {
      skipSpace()
      let place = position, key = try string()
      try expect(":", purpose)
      try read(&self, key, place)
      if next() == UInt8(ascii: ",") {
        position += 1
      } else {
        try expect("}", purpose)
        return
      }
    }
  }

  private mutating func integers() throws(InputError) -> [Int] {
    try expect("[", "a list of integers")
    var values: [Int] = []
    if next() == UInt8(ascii: "]") {
      position += 1
      return values
    }
    while true {
      values.append(try integer())
      if next() == UInt8(ascii: ",") {
        position += 1
      } else {
        try expect("]", "a list of integers")
        return values
      }
    }
  }

  private mutating func integer() throws(InputError) -> Int {
    skipSpace()
    let start = position
    var value = 0
    while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
      let (tens, over) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflow) = tens.addingReportingOverflow(Int(bytes[position] - UInt8(ascii: "0")))
      guard !over, !overflow else { throw error("an integer of at most 63 bits", "a longer one", at: start) }
      value = sum
      position += 1
    }
    guard position > start else { throw error("a natural number", shown()) }
    guard bytes[start] != UInt8(ascii: "0") || position == start + 1 else {
      throw error("a natural number without leading zeros", "one with", at: start)
    }
    return value
  }

  private mutating func string() throws(InputError) -> String {
    try expect("\"", "a string")
    let start = position
    var units: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: units, as: UTF8.self) else { throw error("UTF-8", "other bytes", at: start) }
        return text
      case UInt8(ascii: "\\"): units += Array(String(Character(try escape())).utf8)
      case ..<0x20: throw error("no bare control character in a string", "byte \(byte)", at: position - 1)
      default: units.append(byte)
      }
    }
    throw error("the end of the string from byte \(8 + start)", "the end of the header")
  }

  private mutating func escape() throws(InputError) -> Unicode.Scalar {
    guard position < bytes.count else { throw error("an escape", "the end of the header") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try unicodeEscape()
    default: throw error("a JSON escape", "\\" + Unicode.Scalar(byte).escaped(asASCII: true), at: position - 1)
    }
  }

  private mutating func unicodeEscape() throws(InputError) -> Unicode.Scalar {
    let start = position
    let first = try hexadecimal()
    if let scalar = Unicode.Scalar(first) { return scalar }
    // Not a scalar by itself: the high half of a pair must be followed by its low half.
    guard first < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
      bytes[position + 1] == UInt8(ascii: "u")
    else { throw error("a pair of surrogates", "half of one", at: start) }
    position += 2
    let second = try hexadecimal()
    guard (0xDC00...0xDFFF).contains(second), let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { throw error("a pair of surrogates", "half of one", at: start) }
    return scalar
  }

  private mutating func hexadecimal() throws(InputError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
        throw error("four hexadecimal digits", shown())
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}
