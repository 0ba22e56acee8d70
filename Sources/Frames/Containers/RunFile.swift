import Foundation
import Host

/// Opens a file of recorded events by what it contains, whatever its name.
public enum RunFile {
  /// Every container that can be read; those with a signature come first.
  public static var readers: [any EventReader.Type] {
    [
      PNGReader.self, JPEGReader.self, TIFFReader.self, CBFReader.self, SMVReader.self, EDFReader.self, MATLABReader.self,
      NPYReader.self, NPZReader.self, HDF5Reader.self, XTC1Reader.self, XTC2Reader.self,
    ]
  }

  /// Throws `.missing` where there is no file, `.malformed` where it is of no known container or does not hold what its
  /// container promises.
  public static func open(_ path: String) throws(InputError) -> any EventReader {
    let head = try head(of: path)
    for reader in readers where reader.recognizes(head: head, path: path) { return try reader.init(opening: path) }
    let names = readers.map { $0.container }.joined(separator: ", ")
    throw InputError(path: path, place: "byte 0", expected: "one of \(names)", found: describe(head))
  }

  private static func head(of path: String) throws(InputError) -> [UInt8] {
    let file = try SequentialFile(opening: path)
    return try file.read(min(64, file.byteCount), "head")
  }

  private static func describe(_ head: [UInt8]) -> String {
    if head.isEmpty { return "an empty file" }
    let hexadecimal = head.prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    return "a file that begins with \(hexadecimal)"
  }
}
