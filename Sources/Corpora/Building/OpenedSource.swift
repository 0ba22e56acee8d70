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

  struct RawFile: Sendable {
    let match: FilePattern.Match
    let bytes: Int
    /// When it was last changed, s.
    let modified: Double

    init(_ match: FilePattern.Match) throws(InputError) {
      self.match = match
      do {
        let attributes = try FileManager.default.attributesOfItem(atPath: match.path)
        guard let size = attributes[.size] as? NSNumber, let date = attributes[.modificationDate] as? Date else {
          throw CocoaError(.fileReadUnknown)
        }
        (bytes, modified) = (size.intValue, date.timeIntervalSinceReferenceDate)
      } catch {
        throw InputError(
          .inputOutput, path: match.path, place: "size", expected: "a readable file", found: error.localizedDescription)
      }
    }
  }

  init(_ recipe: SourceRecipe, of corpus: CorpusRecipe, relativeTo base: String, environment: [String: String]) throws(InputError) {
    var matches: Set<FilePattern.Match> = []
    for (i, pattern) in recipe.files.enumerated() {
      matches.formUnion(
        try FilePattern(text: pattern).matches(
          relativeTo: base, environment: environment, place: "source \(recipe.name), files.[\(i)]"))
    }
    calibration = try recipe.calibration.map { text throws(InputError) in
      CalibrationFolder(
        try FilePattern(text: text).folder(
          relativeTo: base, environment: environment, place: "source \(recipe.name), calibration"))
    }
    guard recipe.detector == "automatic" || DetectorCatalog.detector(named: recipe.detector) != nil else {
      throw InputError(
        path: corpus.name, place: "source \(recipe.name), detector",
        expected: "automatic, \(DetectorCatalog.all.map { $0.name }.joined(separator: ", "))", found: recipe.detector)
    }
    labels = try recipe.labels.map { rule throws(InputError) in
      try LabelReader(rule, of: recipe.frames(calibration: calibration), relativeTo: base, environment: environment)
    }
    optics = try SourceOptics(recipe, of: corpus, relativeTo: base, environment: environment)
    var files: [RawFile] = [], names: Set<String> = []
    for match in matches.sorted() {
      guard names.insert(match.name).inserted else {
        throw InputError(
          path: match.path, place: "source \(recipe.name)", expected: "files of different names", found: match.name)
      }
      files.append(try RawFile(match))
    }
    self.files = files
  }
}

extension SourceRecipe {
  /// The frames that an instrument would read of this source, without files.
  func frames(calibration: CalibrationFolder?) -> RunShots {
    RunShots(files: [], detector: detector, source: source, calibration: calibration, commonMode: commonMode)
  }
}
