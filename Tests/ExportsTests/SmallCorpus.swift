import Corpora
import Foundation
import Frames
import Host

/// A corpus of small pictures in a folder of its own, which goes with it. Class names are such as paths and odd texts.
final class SmallCorpus {
  static let classes = ["cspad/hit", "cspad_hit", "Cspad_hit", "a.b", "ünwell"]
  let folder: String
  let corpus: Corpus

  init(shots: Int = 10, otherShots: Int? = nil, side: Int = 5, classes: [String] = SmallCorpus.classes) throws {
    folder = NSTemporaryDirectory() + "exports-\(UUID().uuidString)"
    for (run, shots) in [(1, shots), (2, otherShots ?? shots), (3, otherShots ?? shots)] {
      try AtomicFile.makeFolder("\(folder)/raw/run\(run)")
      let file = try HDF5File(creating: "\(folder)/raw/run\(run)/shots.h5")
      let values = (0..<shots * side * side).map { i -> Float in i % 7 == 3 ? .nan : Float(i % 101) + Float(run) }
      try file.write(values, shape: [shots, side, side], to: "/images")
      try file.write(strings: (0..<shots).map { classes[$0 % classes.count] }, to: "/kind")
      try file.write((0..<shots).map { Int64($0 % 2) }, shape: [shots], to: "/odd")
      try file.close()
    }
    let recipe = try CorpusRecipe(
      yaml: """
        name: "small: a corpus"
        image: {height: \(side), width: \(side)}
        split: {runs: {train: ['t:1'], validation: ['t:2'], test: ['t:3']}}
        imagesPerShard: 64
        sources:
          - name: shots
            files: ["raw/run*/shots.h5"]
            dataset: /images
            detector: picture
            experiment: t
            run: folder
            nonFinite: mask
            labels:
              - {name: kind, dataset: /kind}
              - {name: odd, dataset: /odd}
        """)
    corpus = try CorpusBuilder.build(recipe, relativeTo: folder, to: folder + "/corpus")
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func callAsFunction(_ name: String) -> String { "\(folder)/\(name)" }

  /// SHA-256 of every file below a folder, by name.
  func digests(_ name: String) throws -> [String: String] {
    var found: [String: String] = [:]
    for case let file as String in FileManager.default.enumerator(atPath: self(name)) ?? .init() where !AtomicFile.isFolder(self(name) + "/" + file) {
      found[file] = try Checksum.sha256(file: self(name) + "/" + file)
    }
    return found
  }
}

/// Runs another program; what it prints, and its exit code.
func run(_ program: String, _ arguments: [String], in folder: String) throws -> (code: Int32, output: Data) {
  let process = Process(), pipe = Pipe()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = [program] + arguments
  process.currentDirectoryURL = URL(fileURLWithPath: folder)
  process.standardOutput = pipe
  try process.run()
  let output = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return (process.terminationStatus, output)
}
