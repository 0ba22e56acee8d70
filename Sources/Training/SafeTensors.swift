import Foundation
import Host
import Tensors

/// Named arrays in one file, as PyTorch users load them: u64 little-endian N, N bytes of JSON header, the data.
///
/// Source: the safetensors format description, huggingface.co/docs/safetensors; stricter than its reference reader, which
/// accepts a name given twice.
public enum SafeTensors {
  /// An element type, spelt as in the header.
  public enum DType: String, Codable, Hashable, Sendable, CaseIterable {
    case bool = "BOOL", u8 = "U8", i8 = "I8", f8E4M3 = "F8_E4M3", f8E5M2 = "F8_E5M2"
    case u16 = "U16", i16 = "I16", f16 = "F16", bf16 = "BF16"
    case u32 = "U32", i32 = "I32", f32 = "F32"
    case u64 = "U64", i64 = "I64", f64 = "F64", c64 = "C64"

    /// Bytes to an element.
    public var width: Int {
      switch self {
      case .bool, .u8, .i8, .f8E4M3, .f8E5M2: 1
      case .u16, .i16, .f16, .bf16: 2
      case .u32, .i32, .f32: 4
      case .u64, .i64, .f64, .c64: 8
      }
    }
  }

  /// One named array, little-endian and row-major.
  public struct Entry: Hashable, Sendable {
    public let name: String
    public let dtype: DType
    public let shape: Shape
    public let bytes: [UInt8]

    /// Traps when the bytes do not fill the shape.
    public init(name: String, dtype: DType, shape: Shape, bytes: [UInt8]) {
      precondition(bytes.count == shape.count * dtype.width, "\(name): \(bytes.count) bytes are no \(dtype.rawValue) \(shape)")
      self.name = name
      self.dtype = dtype
      self.shape = shape
      self.bytes = bytes
    }

    public init(name: String, _ tensor: Tensor<Float>) {
      self.init(name: name, dtype: .f32, shape: tensor.shape, bytes: littleEndian(tensor.elements.map(\.bitPattern)))
    }

    public init(name: String, _ tensor: Tensor<Int64>) {
      self.init(
        name: name, dtype: .i64, shape: tensor.shape, bytes: littleEndian(tensor.elements.map { UInt64(bitPattern: $0) }))
    }
  }

  /// What a file holds.
  public struct Contents: Hashable, Sendable {
    /// Named in errors.
    public let path: String
    public let tensors: [String: Entry]
    public let metadata: [String: String]

    public init(path: String, tensors: [String: Entry], metadata: [String: String]) {
      self.path = path
      self.tensors = tensors
      self.metadata = metadata
    }

    /// The F32 tensor called `name`. Throws where it is missing or of another type.
    public func floats(_ name: String) throws(InputError) -> Tensor<Float> {
      let entry = try entry(name, .f32)
      return Tensor(entry.shape, words(entry.bytes, of: UInt32.self).map { Float(bitPattern: $0) })
    }

    /// The I64 tensor called `name`. Throws where it is missing or of another type.
    public func integers(_ name: String) throws(InputError) -> Tensor<Int64> {
      let entry = try entry(name, .i64)
      return Tensor(entry.shape, words(entry.bytes, of: UInt64.self).map { Int64(bitPattern: $0) })
    }

    private func entry(_ name: String, _ dtype: DType) throws(InputError) -> Entry {
      guard let entry = tensors[name] else {
        throw InputError(path: path, place: name, expected: "a tensor of this name", found: "none")
      }
      guard entry.dtype == dtype else {
        throw InputError(path: path, place: name, expected: dtype.rawValue, found: entry.dtype.rawValue)
      }
      return entry
    }
  }

  /// The metadata key of the checksum, see `data(_:metadata:isSealed:)`.
  public static let sealKey = "psimagenet.xxh128"

  /// Writes the file whole or not at all. See `data(_:metadata:isSealed:)`.
  public static func write(
    _ entries: [Entry], metadata: [String: String] = [:], isSealed: Bool = false, to path: String
  ) throws(InputError) {
    try AtomicFile.write(data(entries, metadata: metadata, isSealed: isSealed), to: path)
  }

  /// The bytes of a file: the widest types first and then by name, as the reference writer has them; the header is padded
  /// with spaces so that the data start at a multiple of 8. `format` is `pt` unless `metadata` says otherwise, since readers
  /// look for it. Equal values give equal bytes. Traps when a name is used twice, is `__metadata__`, or the header would pass 100 MB.
  /// - Parameter isSealed: whether the metadata get a checksum by which reading tells damage: XXH3 with 128 bits of the data and, behind them,
  ///   of every other metadata key and value, in the order of the keys and each ended by a zero byte.
  public static func data(_ entries: [Entry], metadata: [String: String] = [:], isSealed: Bool = false) -> Data {
    let sorted = entries.sorted { ($1.dtype.width, $0.name) < ($0.dtype.width, $1.name) }
    precondition(Set(entries.map(\.name)).count == entries.count, "two tensors of one name")
    var metadata = metadata.merging(["format": "pt"]) { own, _ in own }
    if isSealed { metadata[sealKey] = seal(sorted.map(\.bytes), metadata) }
    var fields = [
      "\"__metadata__\":{"
        + metadata.sorted { $0.key < $1.key }
        .map { quoted($0.key) + ":" + quoted($0.value) }.joined(separator: ",") + "}"
    ]
    var offset = 0
    for entry in sorted {
      precondition(entry.name != "__metadata__", "a tensor cannot be called __metadata__")
      let extents = entry.shape.extents.map(String.init).joined(separator: ",")
      fields.append(
        "\(quoted(entry.name)):{\"dtype\":\"\(entry.dtype.rawValue)\",\"shape\":[\(extents)],"
          + "\"data_offsets\":[\(offset),\(offset + entry.bytes.count)]}")
      offset += entry.bytes.count
    }
    var header = Array(("{" + fields.joined(separator: ",") + "}").utf8)
    header += Array(repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
    precondition(header.count <= SafeTensorsHeader.limit, "a header of \(header.count) bytes")
    var data = Data(capacity: 8 + header.count + offset)
    data.append(contentsOf: littleEndian([UInt64(header.count)]))
    data.append(contentsOf: header)
    for entry in sorted { data.append(contentsOf: entry.bytes) }
    return data
  }

  static func seal(_ data: [[UInt8]], _ metadata: [String: String]) -> String {
    let words = metadata.filter { $0.key != sealKey }.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
    return Checksum.xxh128(of: data + words.map { Array($0.utf8) + [0] })
  }

  /// Reads a whole file. Throws where the smallest thing is wrong, or where a sealed file is not as it was written: nothing is loaded in part.
  public static func read(_ path: String) throws(InputError) -> Contents {
    try parse(AtomicFile.read(path), path: path)
  }

  /// The same from memory; `path` is for messages.
  public static func parse(_ data: Data, path: String) throws(InputError) -> Contents {
    let bytes = [UInt8](data)
    guard bytes.count >= 8 else {
      throw InputError(path: path, place: "byte 0", expected: "8 bytes of header length", found: "\(bytes.count) bytes in all")
    }
    let claimed = words(Array(bytes[..<8]), of: UInt64.self)[0]
    guard claimed <= UInt64(SafeTensorsHeader.limit) else {
      throw InputError(path: path, place: "byte 0", expected: "a header of at most 100 MB", found: "\(claimed) bytes")
    }
    guard claimed <= UInt64(bytes.count - 8) else {
      throw InputError(
        path: path, place: "byte 0", expected: "a header within the \(bytes.count) bytes of the file", found: "\(claimed) bytes"
      )
    }
    let start = 8 + Int(claimed)
    let header = try SafeTensorsHeader(Array(bytes[8..<start]), dataCount: bytes.count - start, path: path)
    var tensors: [String: Entry] = [:]
    for field in header.fields {
      tensors[field.name] = Entry(
        name: field.name, dtype: field.dtype, shape: field.shape,
        bytes: Array(bytes[start + field.begin..<start + field.end]))
    }
    if let expected = header.metadata[sealKey] {
      let found = seal(header.fields.sorted { $0.begin < $1.begin }.map { tensors[$0.name]!.bytes }, header.metadata)
      guard found == expected else {
        throw InputError(
          path: path, place: "metadata.\(sealKey)", expected: "XXH3 \(expected), as the file was written",
          found: "\(found): the file was damaged afterwards")
      }
    }
    return Contents(path: path, tensors: tensors, metadata: header.metadata)
  }

  /// Checks that a file holds exactly the tensors a network expects, each of its shape.
  ///
  /// Throws one error that lists every missing tensor, every extra one and every other shape, by name.
  public static func match(expected: [(name: String, shape: Shape)], found: Contents) throws(InputError) {
    let wanted = Set(expected.map(\.name))
    let missing = expected.filter { found.tensors[$0.name] == nil }.map { "\($0.name) \($0.shape)" }
    let extra = found.tensors.values.filter { !wanted.contains($0.name) }.sorted { $0.name < $1.name }.map {
      "\($0.name) \($0.shape)"
    }
    let other = expected.compactMap { wish in
      found.tensors[wish.name].flatMap { $0.shape == wish.shape ? nil : "\(wish.name) \($0.shape) instead of \(wish.shape)" }
    }
    let complaints = [("missing", missing), ("extra", extra), ("of another shape", other)].filter { !$0.1.isEmpty }
    guard complaints.isEmpty else {
      throw InputError(
        path: found.path, place: "tensors", expected: "exactly the \(expected.count) tensors of the network",
        found: complaints.map { "\($0.1.count) \($0.0): " + $0.1.joined(separator: ", ") }.joined(separator: "; "))
    }
  }

  /// A JSON string.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\u{8}": result += "\\b"
      case "\u{C}": result += "\\f"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

private func littleEndian<Word: FixedWidthInteger & UnsignedInteger>(_ values: [Word]) -> [UInt8] {
  let width = Word.bitWidth / 8
  var bytes = [UInt8](repeating: 0, count: values.count * width)
  var place = 0
  for value in values {
    for i in 0..<width {
      bytes[place] = UInt8(truncatingIfNeeded: value >> Word(8 * i))
      place += 1
    }
  }
  return bytes
}

private func words<Word: FixedWidthInteger & UnsignedInteger>(_ bytes: [UInt8], of type: Word.Type) -> [Word] {
  let width = Word.bitWidth / 8
  return (0..<bytes.count / width).map { index in
    var value: Word = 0
    for i in 0..<width { value |= Word(bytes[index * width + i]) << Word(8 * i) }
    return value
  }
}
