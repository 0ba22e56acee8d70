import Foundation
import Host

/// `SHA256SUMS`: one line `<64 hexadecimal digits>  <name>` a file, as `sha256sum -c` reads it.
enum ChecksumList {
  /// Writes the list over every file of a published folder.
  static func write(in folder: String) throws(InputError) {
    var text = ""
    for name in ModelFile.allCases.map(\.rawValue).sorted() {
      text += "\(try Checksum.sha256(file: "\(folder)/\(name)"))  \(name)\n"
    }
    try AtomicFile.write(Data(text.utf8), to: "\(folder)/\(ModelFile.checksums)")
  }

  /// Throws unless the folder holds exactly the files of a published model, each with the bytes that the list tells.
  ///
  /// Hidden files, such as those of git, do not count.
  static func verify(_ folder: String) throws(InputError) {
    guard AtomicFile.isFolder(folder) else {
      throw InputError(.missing, path: folder, place: "", expected: "a published folder", found: "nothing there")
    }
    let listed = try digests(folder), wanted = Set(ModelFile.allCases.map(\.rawValue))
    let present: [String]
    do { present = try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasPrefix(".") } } catch {
      throw InputError(.inputOutput, path: folder, place: "", expected: "a readable folder", found: error.localizedDescription)
    }
    let extra = Set(present).subtracting(wanted).subtracting([ModelFile.checksums]).sorted()
    guard extra.isEmpty else {
      throw InputError(
        path: folder, place: "", expected: "only the files of a published model", found: "also \(extra.joined(separator: ", "))")
    }
    for name in wanted.sorted() {
      guard let digest = listed[name] else {
        throw InputError(path: "\(folder)/\(ModelFile.checksums)", place: name, expected: "a line for this file", found: "none")
      }
      let path = "\(folder)/\(name)", found = try Checksum.sha256(file: path)
      guard found == digest else { throw InputError(path: path, place: "", expected: "SHA-256 \(digest)", found: found) }
    }
  }

  private static func digests(_ folder: String) throws(InputError) -> [String: String] {
    let path = "\(folder)/\(ModelFile.checksums)", data = try AtomicFile.read(path)
    var digests: [String: String] = [:]
    for (number, line) in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast().enumerated() {
      let bytes = Array(line), name = String(decoding: bytes.dropFirst(66), as: UTF8.self)
      let isDigest = bytes.prefix(64).allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
      guard bytes.count > 66, isDigest, bytes[64...65].elementsEqual("  ".utf8), ModelFile(rawValue: name) != nil,
        digests.updateValue(String(decoding: bytes.prefix(64), as: UTF8.self), forKey: name) == nil
      else {
        throw InputError(
          path: path, place: "line \(number + 1)", expected: "64 lower-case hexadecimal digits, two spaces and a file of the folder, once",
          found: "\"\(String(decoding: bytes, as: UTF8.self))\"")
      }
    }
    guard data.last == UInt8(ascii: "\n") else {
      throw InputError(path: path, place: "end", expected: "a line end", found: "a list that is cut short")
    }
    return digests
  }
}
