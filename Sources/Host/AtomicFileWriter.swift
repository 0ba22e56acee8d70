import Crypto
import Foundation

extension AtomicFile {
  /// Writes a file piece by piece; it appears under its name by one rename when it is finished.
  public final class Writer {
    private let path: String
    private let handle: FileHandle
    private var hasher = SHA256()

    public init(to path: String) throws(InputError) {
      self.path = path
      let temporary = path + ".partial"
      guard FileManager.default.createFile(atPath: temporary, contents: nil), let handle = FileHandle(forWritingAtPath: temporary)
      else { throw InputError(.inputOutput, path: path, place: "write", expected: "a writable place", found: "one that is not") }
      self.handle = handle
    }

    public func write(_ data: Data) throws(InputError) {
      hasher.update(data: data)
      try wrapped { try handle.write(contentsOf: data) }
    }

    /// Flushes, renames and returns the SHA-256 of the file.
    public func finish() throws(InputError) -> String {
      try wrapped {
        try handle.synchronize()
        try handle.close()
      }
      try AtomicFile.move(path + ".partial", to: path)
      return Checksum.hex(hasher.finalize())
    }

    private func wrapped(_ body: () throws -> Void) throws(InputError) {
      do { try body() } catch {
        throw InputError(.inputOutput, path: path, place: "write", expected: "room on disk", found: AtomicFile.reason(error))
      }
    }
  }
}
