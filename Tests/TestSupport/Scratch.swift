import Foundation
import Host

/// A folder of its own for one test, removed with it.
package final class Scratch: Sendable {
  package let path = NSTemporaryDirectory() + "psimagenet-tests-\(UUID().uuidString)"

  /// Traps where the temporary folder cannot be written to: no test could go on.
  package init() {
    do { try AtomicFile.makeFolder(path) } catch { preconditionFailure("\(error)") }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a file in it.
  package func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a file and returns its path.
  package func write(_ bytes: [UInt8], _ name: String) throws -> String {
    try AtomicFile.write(Data(bytes), to: self(name))
    return self(name)
  }

  package func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: self(name)) }

  package func names(_ folder: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: self(folder)).sorted()
  }

  /// What is in a folder of it, by name, with SHA-256; folders are walked.
  package func digests(_ folder: String) -> [String: String] {
    var found: [String: String] = [:]
    for case let name as String in FileManager.default.enumerator(atPath: self(folder)) ?? .init() {
      let path = self(folder) + "/" + name
      if !AtomicFile.isFolder(path) { found[name] = try? Checksum.sha256(file: path) }
    }
    return found
  }
}
