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

  /// Which of `paths` are read together, in the order of their first: the streams and chunks of one XTC run
  /// (`xpptut15-r0054-s03-c00.xtc`) in one folder are one list, any other file stands alone.
  public static func runs(of paths: [String]) -> [[String]] { RunStreams.groups(of: paths) }

  /// Opens the files of one list of `runs(of:)` as one reader, which merges streams and chunks into events.
  public static func open(run paths: [String]) throws(InputError) -> any EventReader {
    guard paths.count > 1 else { return try open(paths[0]) }
    let head = try head(of: paths[0])
    if XTC1Reader.recognizes(head: head, path: paths[0]) { return try XTC1Reader(merging: paths) }
    if XTC2Reader.recognizes(head: head, path: paths[0]) { return try XTC2Reader(merging: paths) }
    throw InputError(path: paths[0], place: "byte 0", expected: "an XTC stream", found: describe(head))
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
