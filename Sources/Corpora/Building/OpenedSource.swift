import Foundation
import Frames
import Host
import Instruments

/// One source of a recipe with all that lies outside of its raw files found, opened and checked.
struct OpenedSource: Sendable {
  let optics: SourceOptics
  let labels: [LabelReader]
  let files: [RawFile]
  let calibration: CalibrationFolder?
  var recipe: SourceRecipe { optics.recipe }

  /// One file, or the streams and chunks of one run, which are read together.
  struct RawFile: Sendable {
    /// Sorted by name.
    let parts: [FilePattern.Match]
    /// Of all parts.
    let bytes: Int
    /// When a part was last changed, s.
    let modified: Double
    /// The first part, by which the run is called.
    var match: FilePattern.Match { parts[0] }

    init(_ parts: [FilePattern.Match]) throws(InputError) {
      precondition(!parts.isEmpty, "a raw file has at least one part")
      self.parts = parts
      var bytes = 0, modified = -Double.infinity
      for part in parts {
        do {
          let attributes = try FileManager.default.attributesOfItem(atPath: part.path)
          guard let size = attributes[.size] as? NSNumber, let date = attributes[.modificationDate] as? Date else {
            throw CocoaError(.fileReadUnknown)
          }
          bytes += size.intValue
          modified = max(modified, date.timeIntervalSinceReferenceDate)
        } catch {
          throw InputError(
            .inputOutput, path: part.path, place: "size", expected: "a readable file", found: error.localizedDescription)
        }
      }
      (self.bytes, self.modified) = (bytes, modified)
    }

    /// `xxh128:` and the checksum of the file; of several parts, of their checksums in a row.
    func checksum() throws(InputError) -> String { "xxh128:" + (try Checksum.xxh128(files: parts.map(\.path))) }
  }

  init(_ recipe: SourceRecipe, of corpus: CorpusRecipe, relativeTo base: String, environment: [String: String]) throws(InputError) {
    var matches: Set<FilePattern.Match> = []
    for (i, pattern) in recipe.files.enumerated() {
      matches.formUnion(
        try FilePattern(text: pattern).matches(
          relativeTo: base, environment: environment, place: "source \(recipe.name), files.[\(i)]"))
    }
    let calibration = try recipe.calibration.map { text throws(InputError) in
      CalibrationFolder(
        try FilePattern(text: text).folder(
          relativeTo: base, environment: environment, place: "source \(recipe.name), calibration"))
    }
    self.calibration = calibration
    guard recipe.detector == "automatic" || DetectorCatalog.detector(named: recipe.detector) != nil else {
      throw InputError(
        path: corpus.name, place: "source \(recipe.name), detector",
        expected: "automatic, \(DetectorCatalog.all.map { $0.name }.joined(separator: ", "))", found: recipe.detector)
    }
    let frames = RunShots(
      files: [], detector: recipe.detector, source: recipe.source, calibration: calibration, commonMode: recipe.commonMode)
    labels = try recipe.labels.map { rule throws(InputError) in
      try LabelReader(rule, of: frames, relativeTo: base, environment: environment)
    }
    optics = try SourceOptics(recipe, of: corpus, relativeTo: base, environment: environment)
    var files: [RawFile] = [], names: Set<String> = []
    var byPath: [String: FilePattern.Match] = [:]
    for match in matches.sorted() {
      guard names.insert(match.name).inserted else {
        throw InputError(
          path: match.path, place: "source \(recipe.name)", expected: "files of different names", found: match.name)
      }
      byPath[match.path] = match
    }
    for run in RunFile.runs(of: matches.sorted().map(\.path)) { files.append(try RawFile(run.compactMap { byPath[$0] })) }
    self.files = files
  }
}
