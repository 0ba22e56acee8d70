import Foundation
import Host

/// The first pass over the raw files, shared between processes: files in parts, each part surveyed by one process and kept in the
/// building folder, where the others find it, and this build when it is run again after it was killed.
struct SurveyWork {
  private let sources: [OpenedSource]
  private let place: BuildFolder
  private let crew: BuildCrew
  private let parts: [Part]
  /// File -> part, for each source.
  private let partOfFile: [[Int]]

  /// Neighbouring files of one source: small ones together, so that a source of 100,000 pictures gives few parts.
  private struct Part: Sendable {
    let source: Int
    var files: Range<Int>

    func rawFiles(_ sources: [OpenedSource]) -> ArraySlice<OpenedSource.RawFile> { sources[source].files[files] }
  }

  /// Files and bytes in one part.
  private static let limits = (files: 64, bytes: 256 << 20)

  init(_ sources: [OpenedSource], in place: BuildFolder, _ crew: BuildCrew) {
    (self.sources, self.place, self.crew) = (sources, place, crew)
    var parts: [Part] = [], partOfFile: [[Int]] = []
    for (number, source) in sources.enumerated() {
      var bytes = 0, numbers: [Int] = []
      for (file, raw) in source.files.enumerated() {
        if file == 0 || parts[parts.count - 1].files.count == SurveyWork.limits.files || bytes + raw.bytes > SurveyWork.limits.bytes {
          parts.append(Part(source: number, files: file..<file))
          bytes = 0
        }
        parts[parts.count - 1].files = parts[parts.count - 1].files.lowerBound..<file + 1
        bytes += raw.bytes
        numbers.append(parts.count - 1)
      }
      partOfFile.append(numbers)
    }
    (self.parts, self.partOfFile) = (parts, partOfFile)
  }

  /// Surveys this process's parts on all cores, then joins those of all.
  func survey(_ recipe: CorpusRecipe, _ progress: BuildProgressHandler) throws(InputError) -> Survey {
    let own = parts.indices.filter { !hasLimit($0) && $0 % crew.rank.count == crew.rank.number && !isKept($0) }
    try make(own, recipe, progress)
    var loaded: (part: Int, surveys: [FileSurvey])?
    func part(of source: Int, _ file: Int) throws(InputError) -> (number: Int, first: Int) {
      let number = partOfFile[source][file]
      return (number, parts[number].files.lowerBound)
    }
    return try Survey(recipe, sources) { source, file throws(InputError) in
      let (number, first) = try part(of: source, file)
      if loaded?.part != number {
        // How far a source with a limit is read follows from its earlier parts; rank 0 finds out.
        if hasLimit(number), crew.rank.isFirst, !isKept(number) { try make([number], recipe, progress) }
        try crew.wait(for: "the survey of source \(sources[source].recipe.name)", { _ in }) { isKept(number) }
        loaded = (number, try CanonicalJSON.value([FileSurvey].self, from: try AtomicFile.read(path(number)), path: path(number)))
      }
      guard let surveys = loaded?.surveys, surveys.indices.contains(file - first) else {
        throw InputError(path: path(number), place: "", expected: "surveys of \(parts[number].files.count) files", found: "others")
      }
      return surveys[file - first]
    } checksumOf: { source, file throws(InputError) in
      try sources[source].files[file].checksum()
    }
  }

  private func hasLimit(_ part: Int) -> Bool { sources[parts[part].source].recipe.limit != nil }
  private func path(_ part: Int) -> String { "\(place.path)/survey/\(part).json" }
  private func isKept(_ part: Int) -> Bool { FileManager.default.fileExists(atPath: path(part)) }

  /// A window of parts at a time, so that progress is seen and failures of others are noticed: two for each core, since checksums
  /// are taken of two files at once.
  private func make(_ numbers: [Int], _ recipe: CorpusRecipe, _ progress: BuildProgressHandler) throws(InputError) {
    let cores = max(1, ProcessInfo.processInfo.activeProcessorCount)
    for first in stride(from: 0, to: numbers.count, by: 2 * cores) {
      let window = Array(numbers[first..<min(first + 2 * cores, numbers.count)])
      try progress(
        Progress("survey \(recipe.name)", done: first, total: numbers.count, note: sources[parts[window[0]].source].recipe.name))
      let checksums = try checksums(of: window.flatMap { parts[$0].rawFiles(sources) }, cores: cores)
      let starts = window.indices.map { window[..<$0].reduce(0) { $0 + parts[$1].files.count } }
      _ = try window.indices.concurrentMap { place throws(InputError) -> Bool in
        let number = window[place], part = parts[number]
        var surveys: [FileSurvey] = []
        for (i, file) in part.files.enumerated() {
          surveys.append(try FileSurvey(sources[part.source], file: file, sha256: checksums[starts[place] + i], splitBy: recipe.split.by))
        }
        try AtomicFile.write(try CanonicalJSON.data(surveys, pretty: false), to: path(number))
        return true
      }
      try crew.check()
    }
  }

  /// On all cores, each with about as many bytes.
  private func checksums(of files: [OpenedSource.RawFile], cores: Int) throws(InputError) -> [String] {
    var shares = [(bytes: Int, files: [Int])](repeating: (0, []), count: cores)
    for (i, file) in files.enumerated() {
      let least = shares.indices.reduce(0) { shares[$1].bytes < shares[$0].bytes ? $1 : $0 }
      shares[least].bytes += file.bytes
      shares[least].files.append(i)
    }
    let places = shares.map(\.files)
    let found = try places.concurrentMap { own throws(InputError) in try OpenedSource.RawFile.checksums(of: own.map { files[$0] }) }
    var checksums = [String](repeating: "", count: files.count)
    for (own, digests) in zip(places, found) {
      for (i, digest) in zip(own, digests) { checksums[i] = digest }
    }
    return checksums
  }
}
