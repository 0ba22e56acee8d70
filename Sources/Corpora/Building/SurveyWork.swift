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

  /// A window of parts at a time, so that progress is seen and failures of others are noticed.
  private func make(_ numbers: [Int], _ recipe: CorpusRecipe, _ progress: BuildProgressHandler) throws(InputError) {
    let width = 2 * max(1, ProcessInfo.processInfo.activeProcessorCount)
    for first in stride(from: 0, to: numbers.count, by: width) {
      let window = numbers[first..<min(first + width, numbers.count)]
      try progress(
        Progress("survey \(recipe.name)", done: first, total: numbers.count, note: sources[parts[numbers[first]].source].recipe.name))
      _ = try window.concurrentMap { number throws(InputError) -> Bool in
        let part = parts[number], source = sources[part.source]
        var surveys: [FileSurvey] = []
        for file in part.files {
          surveys.append(try FileSurvey(source, file: file, checksum: try source.files[file].checksum(), splitBy: recipe.split.by))
        }
        try AtomicFile.write(try CanonicalJSON.data(surveys, pretty: false), to: path(number))
        return true
      }
      try crew.check()
    }
  }
}
