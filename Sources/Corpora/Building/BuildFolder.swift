import Foundation
import Host

/// The unfinished build of a corpus: a sibling folder `<corpus>.building` that becomes the corpus by one rename.
///
/// Each finished shard has a journal entry, written after the shard. A build that was killed goes on after the last entry.
struct BuildFolder {
  let path: String

  /// What a build in progress is a build of.
  private struct Identity: Codable, Hashable {
    var tool: String
    var recipeSHA256: String
    var files: [String]
  }

  /// What is known about a finished shard.
  struct Entry: Codable, Hashable, Sendable {
    var shard: CorpusManifest.Shard
    var records: [Record]
    /// The units of the survey before this one are in this or earlier shards of the split, or refused.
    var nextUnit: Int
    /// Source -> reason -> pictures refused since the split's last shard.
    var refused: [String: [String: Int]]
  }

  /// Continues the build at `path` where it is one of the same recipe, sources and tool; begins anew otherwise.
  init(_ path: String, recipeSHA256: String, survey: Survey) throws(InputError) {
    self.path = path
    let identity = Identity(
      tool: CorpusManifest.toolVersion, recipeSHA256: recipeSHA256,
      files: survey.sources.flatMap { source in source.files.map { "\(source.optics.recipe.name) \($0.match.name) \($0.sha256)" } })
    let note = path + "/journal/build.json"
    if FileManager.default.fileExists(atPath: note) {
      let known = try CanonicalJSON.value(Identity.self, from: try AtomicFile.read(note), path: note)
      if known != identity { try remove() }
    } else if AtomicFile.isFolder(path) {
      try remove()
    }
    try AtomicFile.makeFolder(path + "/shards")
    try AtomicFile.makeFolder(path + "/journal")
    try AtomicFile.write(try CanonicalJSON.data(identity), to: note)
  }

  func entryPath(_ split: Split, _ number: Int) -> String { "\(path)/journal/\(shardName(split, number)).json" }

  /// The finished shards of a split whose bytes are still what the journal says, up to the first that is not.
  func finished(_ split: Split) throws(InputError) -> [Entry] {
    var entries: [Entry] = []
    while true {
      let note = entryPath(split, entries.count)
      guard FileManager.default.fileExists(atPath: note) else { return entries }
      let entry = try CanonicalJSON.value(Entry.self, from: try AtomicFile.read(note), path: note)
      let shard = path + "/" + entry.shard.file
      guard FileManager.default.fileExists(atPath: shard), try Checksum.sha256(file: shard) == entry.shard.sha256 else {
        return entries
      }
      entries.append(entry)
    }
  }

  /// The build is complete: drops the journal and takes the corpus's name.
  func publish(as folder: String) throws(InputError) {
    try removeItem(path + "/journal")
    if FileManager.default.fileExists(atPath: folder) { try removeItem(folder) }
    try AtomicFile.move(path, to: folder)
  }

  func remove() throws(InputError) { try removeItem(path) }

  private func removeItem(_ path: String) throws(InputError) {
    do { try FileManager.default.removeItem(atPath: path) } catch {
      throw InputError(.inputOutput, path: path, place: "remove", expected: "a removable folder", found: error.localizedDescription)
    }
  }
}

/// `train-00003`
func shardName(_ split: Split, _ number: Int) -> String {
  let digits = String(number)
  return "\(split.rawValue)-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
}
