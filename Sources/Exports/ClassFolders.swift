import Host

/// Folder names for classes: letters, digits, `-` and `_`, at most 64 bytes, different even where case does not count.
///
/// Any other character becomes `_`. A class whose name is not its own then, or too long, gets the head of its SHA-256 behind it, so
/// that a name depends on nothing but the class, unless two classes differ in case alone.
struct ClassFolders: Sendable {
  /// Class -> folder.
  let names: [String: String]

  init(_ classes: [String]) {
    var names: [String: String] = [:], seen: [String: Int] = [:]
    for name in Set(classes) { seen[name.lowercased(), default: 0] += 1 }
    for name in Set(classes) {
      let plain = String(decoding: name.utf8.map { ClassFolders.isPlain($0) ? $0 : 0x5F }, as: UTF8.self)
      let isOwn = plain == name && !name.isEmpty && name.utf8.count <= 64 && seen[name.lowercased()] == 1
      names[name] = isOwn ? name : String(plain.prefix(51)) + "-" + Checksum.sha256([UInt8](name.utf8)).prefix(12)
    }
    self.names = names
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D || byte == 0x5F
  }
}
