import Foundation
import Host

/// The unfinished build of a corpus: a sibling folder `<corpus>.building` that becomes the corpus by one rename.
///
/// Each finished shard has a journal entry, written after the shard. A build that was killed makes what has none.
struct BuildFolder: Sendable {
  let path: String

  /// What a build in progress is a build of.
  struct Identity: Codable, Hashable {
    var tool: String
    var recipeSHA256: String
    /// Source, name, size and time of change of every raw file.
    var files: [String]

    init(recipeSHA256: String, _ sources: [OpenedSource]) {
      tool = CorpusManifest.toolVersion
      self.recipeSHA256 = recipeSHA256
      files = sources.flatMap { source in
        source.files.map { "\(source.recipe.name) \($0.match.name) \($0.bytes) \($0.modified)" }
      }
    }
  }

  /// What is known about a finished shard.
  struct Entry: Codable, Hashable, Sendable {
    /// `nil` where every picture was refused.
    var shard: CorpusManifest.Shard?
    var records: [Record]
    /// Source -> reason -> pictures refused.
    var refused: [String: [String: Int]]
    /// Source -> events whose records could not be decoded.
    var damaged: [String: DamagedEvents]
  }

  init(_ path: String) { self.path = path }

  /// Makes the folder ready for a build of `identity`: goes on with one of the same, begins anew otherwise.
  func prepare(for identity: Identity) throws(InputError) {
    let note = path + "/journal/build.json"
    if FileManager.default.fileExists(atPath: note) {
      let known = try CanonicalJSON.value(Identity.self, from: try AtomicFile.read(note), path: note)
      if known != identity { try remove() }
    } else if AtomicFile.isFolder(path) {
      try remove()
    }
    for part in ["shards", "geometry", "journal", "survey"] { try AtomicFile.makeFolder("\(path)/\(part)") }
    try AtomicFile.write(try CanonicalJSON.data(identity), to: note)
  }

  private func note(_ key: ShardKey) -> String { "\(path)/journal/\(key.name).json" }

  func write(_ entry: Entry, of key: ShardKey) throws(InputError) {
    try AtomicFile.write(try CanonicalJSON.data(entry, pretty: false), to: note(key))
  }

  func isNoted(_ key: ShardKey) -> Bool { FileManager.default.fileExists(atPath: note(key)) }

  func entry(_ key: ShardKey) throws(InputError) -> Entry {
    try CanonicalJSON.value(Entry.self, from: try AtomicFile.read(note(key)), path: note(key))
  }

  /// Whether a shard is finished, with bytes that are still what the journal says.
  func isFinished(_ key: ShardKey) throws(InputError) -> Bool {
    guard isNoted(key) else { return false }
    let entry = try entry(key)
    guard let shard = entry.shard else { return true }
    let file = "\(path)/\(shard.file)"
    for digest in Set(entry.records.map(\.geometry)) where !digest.isEmpty {
      guard FileManager.default.fileExists(atPath: geometry(digest)) else { return false }
    }
    guard FileManager.default.fileExists(atPath: file) else { return false }
    return try Checksum.sha256(file: file) == shard.sha256
  }

  func geometry(_ digest: String) -> String { "\(path)/geometry/\(digest).h5" }

  /// The build is complete: drops whatever is not part of the corpus, which are `files`, and takes the corpus's name. What the
  /// processes said to each other goes last, after `crewEnds`: they wait for the name.
  func publish(as folder: String, files: Set<String>, crewEnds: () -> Void) throws(InputError) {
    for part in ["journal", "survey"] where AtomicFile.isFolder("\(path)/\(part)") { try removeItem("\(path)/\(part)") }
    for part in ["shards", "geometry"] {
      let names: [String]
      do { names = try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(part)") } catch {
        throw InputError(.inputOutput, path: "\(path)/\(part)", place: "list", expected: "a readable folder", found: error.localizedDescription)
      }
      // What a killed process had begun to write.
      for name in names where !files.contains("\(part)/\(name)") { try removeItem("\(path)/\(part)/\(name)") }
      if !files.contains(where: { $0.hasPrefix(part + "/") }) { try removeItem("\(path)/\(part)") }
    }
    if FileManager.default.fileExists(atPath: folder) { try removeItem(folder) }
    crewEnds()
    if AtomicFile.isFolder("\(path)/\(BuildCrew.folder)") { try removeItem("\(path)/\(BuildCrew.folder)") }
    try AtomicFile.move(path, to: folder)
  }

  func remove() throws(InputError) { try removeItem(path) }

  private func removeItem(_ path: String) throws(InputError) {
    do { try FileManager.default.removeItem(atPath: path) } catch {
      throw InputError(.inputOutput, path: path, place: "remove", expected: "a removable folder", found: error.localizedDescription)
    }
  }
}
