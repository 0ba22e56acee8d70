import Foundation
import Frames
import Host

/// Makes a corpus from a recipe: raw -> decode -> calibrate -> view -> area average -> tone -> shards, records, manifest.
///
/// The corpus appears at `folder` by one rename when it is complete; until then its parts are in `<folder>.building`. A build
/// that was killed, or that ended with an error of kind `.inputOutput` (such as one thrown by `progress` to stop early), goes
/// on from there when run again, and gives the same bytes as an unbroken one. Other errors leave nothing behind.
public enum CorpusBuilder {
  /// Builds the recipe at `path`; its relative paths count from its folder.
  @discardableResult
  public static func build(
    recipeAt path: String, to folder: String, replacing: Bool = false,
    environment: [String: String] = ProcessInfo.processInfo.environment,
    progress: BuildProgressHandler = { _ in }
  ) throws(InputError) -> Corpus {
    let base = (path as NSString).deletingLastPathComponent
    return try build(
      try CorpusRecipe(reading: path), relativeTo: base.isEmpty ? "." : base, to: folder, replacing: replacing,
      environment: environment, progress: progress)
  }

  /// Builds `recipe`. A complete corpus of the same recipe and sources at `folder` is verified and returned; any other one
  /// is an error unless `replacing`. `progress` is called on this thread, and may throw to stop early.
  @discardableResult
  public static func build(
    _ recipe: CorpusRecipe, relativeTo base: String, to folder: String, replacing: Bool = false,
    environment: [String: String] = ProcessInfo.processInfo.environment,
    progress: BuildProgressHandler = { _ in }
  ) throws(InputError) -> Corpus {
    let folder = trimmed(folder)
    let text = try recipe.yaml()
    let survey = try Survey(recipe, relativeTo: base, environment: environment, progress: progress)
    if FileManager.default.fileExists(atPath: folder), !replacing {
      return try existing(at: folder, recipeSHA256: Checksum.sha256(text), survey: survey)
    }
    let place = try BuildFolder(folder + ".building", recipeSHA256: Checksum.sha256(text), survey: survey)
    do throws(InputError) {
      var assembly = try CorpusAssembly(recipe, survey, in: place)
      try assembly.run(progress)
      try assembly.finish(recipeText: text)
    } catch {
      if error.kind != .inputOutput { try place.remove() }
      throw error
    }
    try place.publish(as: folder)
    return try Corpus(opening: folder)
  }

  private static func trimmed(_ folder: String) -> String {
    var folder = folder
    while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
    return folder
  }

  private static func existing(at folder: String, recipeSHA256: String, survey: Survey) throws(InputError) -> Corpus {
    guard FileManager.default.fileExists(atPath: folder + "/manifest.json") else {
      throw InputError(path: folder, place: "", expected: "nothing there, or a corpus", found: "something else")
    }
    let corpus = try Corpus(opening: folder)
    let known = corpus.manifest.sources.map { source in source.files.map { [source.name, $0.name, $0.sha256] } }
    let wanted = survey.sources.map { source in source.files.map { [source.optics.recipe.name, $0.match.name, $0.sha256] } }
    guard corpus.manifest.recipeSHA256 == recipeSHA256, known == wanted else {
      throw InputError(
        path: folder, place: "", expected: "nothing there, or a corpus of this recipe and these files (or ask to replace it)",
        found: "corpus \(corpus.manifest.name) of another recipe or other files")
    }
    try corpus.verify()
    return corpus
  }
}
