import Foundation

/// Whole-file reads and writes: a failed or killed write leaves the old file.
public enum AtomicFile {
  /// Writes to a temporary sibling, flushes it to disk, renames it over `path`.
  public static func write(_ data: Data, to path: String) throws(InputError) {
    let folder = path.folderOfPath
    if !folder.isEmpty { try makeFolder(folder) }
    let temporary = path + ".partial"
    do {
      guard FileManager.default.createFile(atPath: temporary, contents: nil) else { throw CocoaError(.fileWriteUnknown) }
      let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: temporary))
      try handle.write(contentsOf: data)
      try handle.synchronize()
      try handle.close()
    } catch {
      // A disk that is full should not stay full by what did not fit.
      try? FileManager.default.removeItem(atPath: temporary)
      throw InputError(
        .inputOutput, path: path, place: "write", expected: "a writable place with \(data.count) bytes free", found: reason(error))
    }
    try move(temporary, to: path)
  }

  /// What the system said, where an error of Foundation hides it.
  public static func reason(_ error: any Error) -> String {
    let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error
    return (underlying ?? error).localizedDescription
  }

  /// Renames `source` over `path` in one step.
  public static func move(_ source: String, to path: String) throws(InputError) {
    // The one C call of this module: POSIX rename is the only atomic replacement; Swift passes both strings by value.
    guard unsafe rename(source, path) == 0 else {
      throw InputError(.inputOutput, path: path, place: "rename", expected: "a replaceable file", found: "error \(errno) from rename")
    }
  }

  public static func makeFolder(_ path: String) throws(InputError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw InputError(.inputOutput, path: path, place: "create folder", expected: "a writable place", found: error.localizedDescription)
    }
  }

  /// Whether a folder stands at `path`.
  public static func isFolder(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path + "/.")
  }

  /// The whole file; throws `.missing` where there is none.
  public static func read(_ path: String) throws(InputError) -> Data {
    guard FileManager.default.fileExists(atPath: path) else {
      throw InputError(.missing, path: path, place: "", expected: "a file", found: "nothing there")
    }
    guard !isFolder(path) else {
      throw InputError(.missing, path: path, place: "", expected: "a file", found: "a folder")
    }
    do { return try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw InputError(.inputOutput, path: path, place: "read", expected: "a readable file", found: error.localizedDescription)
    }
  }
}
