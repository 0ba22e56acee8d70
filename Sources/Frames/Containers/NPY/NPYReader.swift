import Foundation
import Host
import Tensors

/// Reads a NPY file: an array of three axes or more is a stack with one event a row, but for one CSPAD image; any other array is
/// one event.
public final class NPYReader: EventReader {
  public static let container = "npy"

  public static func recognizes(head: [UInt8], path: String) -> Bool { head.starts(with: NPYArray.magic) }

  public let skipped: [String: Int] = [:]
  private let array: NPYArray
  private let eventCount: Int
  private var index = 0

  public init(opening path: String) throws(InputError) {
    array = try NPYArray(parsing: [UInt8](AtomicFile.read(path)), path: path)
    eventCount = StackLayout.eventCount(array.shape)
    // The payloads of an empty stack would take no bytes, however many there are.
    guard array.shape.count > 0 else {
      throw InputError(path: path, place: "shape", expected: "an array with elements", found: "shape \(array.shape)")
    }
  }

  public func next() throws(InputError) -> Event? {
    guard index < eventCount else { return nil }
    defer { index += 1 }
    let shape = StackLayout.eventShape(array.shape)
    let size = shape.count * array.element.size
    let info = PayloadInfo(source: "", typeName: "npy", element: array.element, shape: shape)
    return Event(
      id: EventID(run: 0, seconds: 0, nanoseconds: 0), index: index,
      payloads: [Payload(info: info, bytes: Array(array.bytes[index * size..<(index + 1) * size]))])
  }
}

/// Reads a NPZ file, numpy's archive of named arrays: one event per array, in the order of the archive, the key as its source.
public final class NPZReader: EventReader {
  public static let container = "npz"

  public static func recognizes(head: [UInt8], path: String) -> Bool { head.starts(with: [0x50, 0x4B, 0x03, 0x04]) }

  public private(set) var skipped: [String: Int] = [:]
  private let path: String
  private let archive: ZipArchive
  private var names: ArraySlice<String>
  private var index = 0

  public init(opening path: String) throws(InputError) {
    self.path = path
    archive = try ZipArchive(opening: path)
    let all = try archive.names()
    names = all.filter { $0.hasSuffix(".npy") }[...]
    for name in all where !name.hasSuffix(".npy") { skipped["entry \((name as NSString).pathExtension)", default: 0] += 1 }
    guard !names.isEmpty else {
      throw InputError(path: path, place: "archive", expected: "an archive of NPY arrays", found: "no .npy among \(all.count) entries")
    }
  }

  public func next() throws(InputError) -> Event? {
    guard let name = names.first else { return nil }
    let array = try NPYArray(parsing: try archive.contents(of: name), path: "\(path)/\(name)")
    names.removeFirst()
    defer { index += 1 }
    let info = PayloadInfo(source: String(name.dropLast(4)), typeName: "npy", element: array.element, shape: array.shape)
    return Event(
      id: EventID(run: 0, seconds: 0, nanoseconds: 0), index: index, payloads: [Payload(info: info, bytes: array.bytes)])
  }
}

/// Writes NPZ archives.
public enum NPZ {
  /// Writes named arrays, in the order given; the same arrays give the same bytes.
  public static func write(_ arrays: [(key: String, array: NPYArray)], to path: String) throws(InputError) {
    try ZipArchive.write(arrays.map { ("\($0.key).npy", $0.array.file) }, to: path)
  }
}
