import Corpora
import Foundation
import Host

/// What card and Croissant file tell about an export.
struct ExportDescription {
  let set: ExportSet
  let format: ExportFormat
  let terms: ExportTerms
  let files: [ExportFile]

  var title: String { self.set.corpus.manifest.name }

  func count(_ split: Split) -> Int { set.records.count { $0.split == split } }

  /// One sentence without what a reader cannot check.
  var summary: String {
    let detectors = Set(set.records.map(\.detector)).sorted().joined(separator: ", "), runs = Set(set.records.map(\.run)).count
    return
      "\(set.records.count) pictures of \(set.height)×\(set.width) pixels from X-ray light-source detectors (\(detectors)), \(runs) runs, "
      + "each with a mask of measured pixels and its provenance."
  }
}

/// `SHA256SUMS` over every file of a folder, in the order of their names, as `sha256sum -c` reads it.
enum ExportChecksums {
  static let file = "SHA256SUMS"

  /// Writes the list; returns the number of files and bytes of the folder, the list among them.
  static func write(in folder: String) throws(InputError) -> (files: Int, bytes: Int) {
    guard let walk = FileManager.default.enumerator(atPath: folder) else {
      throw InputError(.inputOutput, path: folder, place: "list", expected: "a readable folder", found: "one that is not")
    }
    var names: [String] = []
    for case let name as String in walk where !AtomicFile.isFolder("\(folder)/\(name)") { names.append(name) }
    names.sort()
    let entries = try names.concurrentMap { name throws(InputError) -> (digest: String, bytes: Int) in
      var bytes = 0
      let digest = try Checksum.sha256(file: "\(folder)/\(name)") { piece throws(InputError) in bytes += piece.count }
      return (digest, bytes)
    }
    let text = zip(names, entries).map { "\($1.digest)  \($0)\n" }.joined()
    try AtomicFile.write(Data(text.utf8), to: "\(folder)/\(file)")
    return (names.count + 1, entries.reduce(text.utf8.count) { $0 + $1.bytes })
  }
}
