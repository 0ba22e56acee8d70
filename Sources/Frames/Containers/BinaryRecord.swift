import Foundation
import Host

/// A stretch of bytes of a file with checked little-endian loads: whatever the bytes say, a load either succeeds or throws
/// where it went past the end.
struct BinaryRecord {
  let bytes: [UInt8]
  /// The part of `bytes` that this record may look at.
  let range: Range<Int>
  let path: String
  /// Where `bytes[0]` stands in the file.
  let fileOffset: Int
  /// What the record is, such as `datagram`, for messages.
  let name: String

  init(_ bytes: [UInt8], path: String, fileOffset: Int = 0, name: String) {
    self.init(bytes: bytes, range: bytes.indices, path: path, fileOffset: fileOffset, name: name)
  }

  private init(bytes: [UInt8], range: Range<Int>, path: String, fileOffset: Int, name: String) {
    self.bytes = bytes
    self.range = range
    self.path = path
    self.fileOffset = fileOffset
    self.name = name
  }

  var count: Int { range.count }

  /// The bytes `start ..< start + count` of this record under their own name.
  func part(_ start: Int, count: Int, _ name: String) throws(InputError) -> BinaryRecord {
    guard start >= 0, count >= 0, start <= self.count, count <= self.count - start else {
      throw error(at: start, "\(count) bytes of \(name)", "\(max(0, self.count - start)) left in this \(self.name)")
    }
    let lower = range.lowerBound + start
    return BinaryRecord(bytes: bytes, range: lower..<lower + count, path: path, fileOffset: fileOffset, name: name)
  }

  /// An integer at byte `offset`, which need not be aligned.
  func load<T: FixedWidthInteger>(_ offset: Int, as type: T.Type = T.self) throws(InputError) -> T {
    let size = T.bitWidth / 8
    guard offset >= 0, offset <= count - size else {
      throw error(at: offset, "\(size) bytes", "the end of this \(name) of \(count) bytes")
    }
    var value: T = 0
    for index in (0..<size).reversed() { value = value << 8 | T(truncatingIfNeeded: bytes[range.lowerBound + offset + index]) }
    return value
  }

  func uint8(_ offset: Int) throws(InputError) -> UInt8 { try load(offset) }
  func uint16(_ offset: Int) throws(InputError) -> UInt16 { try load(offset) }
  func uint32(_ offset: Int) throws(InputError) -> UInt32 { try load(offset) }
  func uint64(_ offset: Int) throws(InputError) -> UInt64 { try load(offset) }
  /// A u32 as a count or extent.
  func size(_ offset: Int) throws(InputError) -> Int { Int(try uint32(offset)) }
  func double(_ offset: Int) throws(InputError) -> Double { Double(bitPattern: try load(offset)) }

  /// A text that ends at the first zero or after `count` bytes.
  func text(_ offset: Int, count: Int) throws(InputError) -> String {
    let part = try part(offset, count: count, "text")
    let bytes = bytes[part.range].prefix { $0 != 0 }
    guard let text = String(validating: Array(bytes), as: UTF8.self) else { throw error(at: offset, "UTF-8 text", "other bytes") }
    return text
  }

  func array() -> [UInt8] { Array(bytes[range]) }

  /// An error that names the byte of the file.
  func error(at offset: Int, _ expected: String, _ found: String) -> InputError {
    InputError(path: path, place: "\(name) at byte \(fileOffset + range.lowerBound + offset)", expected: expected, found: found)
  }
}

/// A file read front to back in pieces of known size.
final class SequentialFile {
  let path: String
  let byteCount: Int
  private(set) var offset = 0
  private let handle: FileHandle

  init(opening path: String) throws(InputError) {
    guard FileManager.default.fileExists(atPath: path), !AtomicFile.isFolder(path) else {
      throw InputError(.missing, path: path, place: "", expected: "a file", found: "nothing there or a folder")
    }
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw InputError(.inputOutput, path: path, place: "open", expected: "a readable file", found: "one that cannot be opened")
    }
    self.path = path
    self.handle = handle
    do {
      byteCount = Int(clamping: try handle.seekToEnd())
      try handle.seek(toOffset: 0)
    } catch {
      throw InputError(.inputOutput, path: path, place: "open", expected: "a file size", found: error.localizedDescription)
    }
  }

  var isAtEnd: Bool { offset >= byteCount }

  /// Goes to a byte of the file; traps outside it.
  func move(to offset: Int) throws(InputError) {
    precondition(offset >= 0 && offset <= byteCount, "no byte \(offset) in a file of \(byteCount)")
    do { try handle.seek(toOffset: UInt64(offset)) } catch {
      throw InputError(.inputOutput, path: path, place: "byte \(offset)", expected: "a place to read from", found: error.localizedDescription)
    }
    self.offset = offset
  }

  /// The next `count` bytes. Throws where the file ends before, without reading or allocating anything.
  func read(_ count: Int, _ name: String) throws(InputError) -> [UInt8] {
    guard count <= byteCount - offset else {
      throw InputError(
        path: path, place: "\(name) at byte \(offset)", expected: "\(count) bytes", found: "the end of the file after \(byteCount - offset)")
    }
    guard count > 0 else { return [] }
    let data: Data?
    do { data = try handle.read(upToCount: count) } catch {
      throw InputError(.inputOutput, path: path, place: "byte \(offset)", expected: "readable bytes", found: error.localizedDescription)
    }
    guard let data, data.count == count else {
      throw InputError(
        .inputOutput, path: path, place: "byte \(offset)", expected: "\(count) bytes", found: "\(data?.count ?? 0); the file changed")
    }
    offset += count
    return [UInt8](data)
  }
}
