import Foundation
import Host
import Tensors

/// Reads an ESRF data format file, one event a data block: a header `{ key = value ; ... }` padded to 512 bytes, then the pixels,
/// `Dim_1` fastest. Integers of 8 to 64 bits, reals of 32 and 64, either byte order. Compressed blocks are refused by name; error
/// blocks (`EDF_DataBlockID` with `.Error`) are passed over and counted.
///
/// Source: ESRF, "SAXS keywords and EDF" (edfio); keys and types as fabio's edfimage has them.
public final class EDFReader: EventReader {
  public static let container = "edf"

  public static func recognizes(head: [UInt8], path: String) -> Bool {
    // SMV begins the same way, and stands before EDF in the list of readers; JSON has no equals sign.
    head.first == UInt8(ascii: "{") && head.contains(UInt8(ascii: "=")) && !head.contains(UInt8(ascii: "\""))
  }

  public private(set) var skipped: [String: Int] = [:]
  private let file: SequentialFile
  private var block = 0
  private var index = 0

  public init(opening path: String) throws(InputError) {
    file = try SequentialFile(opening: path)
    guard file.byteCount > 0 else { throw InputError(path: path, place: "byte 0", expected: "an EDF header", found: "an empty file") }
  }

  public func next() throws(InputError) -> Event? {
    while !file.isAtEnd {
      guard let text = try header() else { return nil }
      let block = try Block(text, file, number: self.block)
      self.block += 1
      let bytes = try file.read(block.byteCount, "pixels of block \(self.block - 1)")
      try file.move(to: min(file.byteCount, file.offset + block.padding))
      if block.isError {
        skipped["error block", default: 0] += 1
        continue
      }
      defer { index += 1 }
      let picture = StoredPicture(
        element: block.element, shape: block.shape, bytes: RawPixels.littleEndian(bytes, block.element, isBigEndian: block.isBigEndian),
        header: block.fields)
      return Event(picture: picture, typeName: "edf", index: index)
    }
    return nil
  }

  /// The text of the next header; leaves the file at the first pixel. `nil` where only padding is left.
  private func header() throws(InputError) -> String? {
    let start = file.offset
    var bytes: [UInt8] = []
    while true {
      guard !file.isAtEnd, bytes.count < 1 << 20 else {
        if bytes.allSatisfy({ $0 == 0 || $0 == 0x20 || $0 == 0x0A || $0 == 0x0D }), index > 0 {
          skipped["bytes after the last block"] = bytes.count
          return nil
        }
        throw InputError(
          path: file.path, place: "header at byte \(start)", expected: "} and a line end within 1 MiB",
          found: file.isAtEnd ? "the end of the file" : "none")
      }
      let known = max(0, bytes.count - 2)
      bytes += try file.read(min(512, file.byteCount - file.offset), "header")
      for place in known..<bytes.count where bytes[place] == UInt8(ascii: "}") {
        var end = place + 1
        if end < bytes.count, bytes[end] == 0x0D { end += 1 }
        guard end < bytes.count, bytes[end] == 0x0A else { continue }
        guard let open = bytes.firstIndex(of: UInt8(ascii: "{")), bytes[..<open].allSatisfy({ $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0 })
        else {
          throw InputError(path: file.path, place: "header at byte \(start)", expected: "{", found: "other bytes")
        }
        try file.move(to: start + end + 1)
        // Old headers are Latin-1; every byte is a character there.
        return String(String.UnicodeScalarView(bytes[open + 1..<place].map { Unicode.Scalar($0) }))
      }
    }
  }

  /// What one header says about its pixels.
  private struct Block {
    var element: ElementType
    var shape: Shape
    var isBigEndian: Bool
    var byteCount: Int
    /// Bytes after the pixels that belong to the block.
    var padding: Int
    var isError: Bool
    var fields = HeaderFields()

    private static let types: [String: ElementType] = [
      "unsignedbyte": .uint8, "signedbyte": .int8, "unsignedshort": .uint16, "signedshort": .int16, "unsignedinteger": .uint32,
      "unsignedlong": .uint32, "signedinteger": .int32, "signedlong": .int32, "unsigned64": .uint64, "signed64": .int64,
      "float": .float32, "floatvalue": .float32, "real": .float32, "double": .float64, "doublevalue": .float64,
    ]
    /// Units of the SAXS keywords, SI.
    private static let units = [
      "SampleDistance": "m", "WaveLength": "m", "PSize_1": "m", "PSize_2": "m", "ExposureTime": "s",
    ]

    init(_ text: String, _ file: SequentialFile, number: Int) throws(InputError) {
      func error(_ key: String, _ expected: String, _ found: String) -> InputError {
        InputError(path: file.path, place: "block \(number), \(key)", expected: expected, found: found)
      }
      var values: [String: String] = [:], fields = HeaderFields()
      for entry in text.split(separator: ";") {
        guard let equals = entry.firstIndex(of: "=") else { continue }
        let key = entry[..<equals].trimmingCharacters(in: .whitespacesAndNewlines)
        let value = entry[entry.index(after: equals)...].trimmingCharacters(in: .whitespacesAndNewlines)
        values[key.lowercased()] = value
        fields.add(key, value, unit: Self.units[key])
      }
      func whole(_ key: String) throws(InputError) -> Int? {
        guard let text = values[key.lowercased()] else { return nil }
        guard let value = Int(text), value >= 0 else { throw error(key, "a whole number", text) }
        return value
      }
      guard let name = values["datatype"] else { throw error("DataType", "a type of numbers", "none") }
      guard let element = Self.types[name.lowercased()] else { throw error("DataType", "one of \(Self.types.keys.sorted().joined(separator: ", "))", name) }
      let compression = values["compression"] ?? "none"
      guard ["none", "uncompressed", "nocompression"].contains(compression.lowercased()) else {
        throw error("COMPRESSION", "uncompressed pixels", compression)
      }
      guard let columns = try whole("Dim_1") else { throw error("Dim_1", "an extent", "none") }
      let rows = try whole("Dim_2") ?? 1, planes = try whole("Dim_3") ?? 1
      shape = planes > 1 ? [planes, rows, columns] : [rows, columns]
      guard let byteCount = RawPixels.byteCount(shape, element, limit: file.byteCount - file.offset) else {
        throw error("Dim_1", "pixels within the \(file.byteCount - file.offset) bytes that are left", "\(shape) of \(element)")
      }
      let binarySize = try whole("EDF_BinarySize"), size = try whole("Size"), stored = binarySize ?? size ?? byteCount
      guard stored >= byteCount else { throw error("Size", "at least \(byteCount) bytes for \(shape) of \(element)", "\(stored)") }
      switch (values["byteorder"] ?? "").lowercased() {
      case "lowbytefirst": isBigEndian = false
      case "highbytefirst": isBigEndian = true
      case let other where element.size > 1: throw error("ByteOrder", "LowByteFirst or HighByteFirst", other.isEmpty ? "none" : other)
      default: isBigEndian = false
      }
      (self.element, self.byteCount, padding) = (element, byteCount, stored - byteCount)
      isError = (values["edf_datablockid"] ?? "").contains(".Error")
      self.fields = fields
    }
  }
}
