import Foundation
import Frames
import Host

/// Makes a corpus from a recipe: raw -> decode -> calibrate -> view -> area average -> tone -> shards, records, manifest.
///
/// The corpus appears at `folder` by one rename when it is complete; until then its parts are in `<folder>.building`. A build
/// that was killed, or that ended with an error of kind `.inputOutput` (such as one thrown by `progress` to stop early), goes
/// on from there when run again, and gives the same bytes as an unbroken one. Other errors leave nothing behind.
///
/// Several processes, on one machine or many that share a file system, can build one corpus together: each is told its rank.
/// The bytes do not depend on how many they are. Memory does not grow with the number of pictures, but for some 200 bytes each.
public enum CorpusBuilder {
  /// Builds the recipe at `path`; its relative paths count from its folder.
  @discardableResult
  public static func build(
    recipeAt path: String, to folder: String, replacing: Bool = false,
    environment: [String: String] = ProcessInfo.processInfo.environment,
    progress: BuildProgressHandler = { _ in }
  ) throws(InputError) -> Corpus {
    try write(recipeAt: path, to: folder, replacing: replacing, environment: environment, progress: progress)
    return try Corpus(opening: trimmed(folder))
  }

  /// Builds `recipe`. A complete corpus of the same recipe and sources at `folder` is verified and returned; any other one
  /// is an error unless `replacing`. `progress` is called on this thread, and may throw to stop early.
  @discardableResult
  public static func build(
    _ recipe: CorpusRecipe, relativeTo base: String, to folder: String, replacing: Bool = false,
    environment: [String: String] = ProcessInfo.processInfo.environment,
    progress: BuildProgressHandler = { _ in }
  ) throws(InputError) -> Corpus {
    try write(recipe, relativeTo: base, to: folder, replacing: replacing, environment: environment, progress: progress)
    return try Corpus(opening: trimmed(folder))
  }

  /// As `build`, without reading the records back: for corpora of any size, and for each of several processes. Every
  /// process returns when the corpus is there, and throws when any failed.
  public static func write(
    recipeAt path: String, to folder: String, replacing: Bool = false, rank: BuildRank = .alone,
    environment: [String: String] = ProcessInfo.processInfo.environment, progress: BuildProgressHandler = { _ in }
  ) throws(InputError) {
    let base = path.folderOfPath
    try write(
      try CorpusRecipe(reading: path), relativeTo: base.isEmpty ? "." : base, to: folder, replacing: replacing, rank: rank,
      environment: environment, progress: progress)
  }

  public static func write(
    _ recipe: CorpusRecipe, relativeTo base: String, to folder: String, replacing: Bool = false, rank: BuildRank = .alone,
    environment: [String: String] = ProcessInfo.processInfo.environment, progress: BuildProgressHandler = { _ in }
  ) throws(InputError) {
    let folder = trimmed(folder), text = try recipe.yaml(), digest = Checksum.sha256(text)
    let sources = { () throws(InputError) in
      try recipe.sources.map { source throws(InputError) in
        try OpenedSource(source, of: recipe, relativeTo: base, environment: environment)
      }
    }
    if FileManager.default.fileExists(atPath: folder), !replacing {
      // One process is enough to look.
      if rank.isFirst { try verify(folder, recipeSHA256: digest, try sources()) }
      return
    }
    let place = BuildFolder(folder + ".building")
    if !rank.isFirst { return try assist(recipe, sources, in: place, becoming: folder, rank, progress) }
    let opened = try sources()
    let parent = folder.folderOfPath
    if !parent.isEmpty { try AtomicFile.makeFolder(parent) }
    let lock = try FileLock(folder + ".building.lock", expected: "no other build of this corpus")
    defer { withExtendedLifetime(lock) {} }
    do throws(InputError) {
      try place.prepare(for: BuildFolder.Identity(recipeSHA256: digest, opened))
      let crew = try BuildCrew(rank, in: place) { missing throws(InputError) in
        try progress(Progress("waiting", done: 0, total: 0, note: "for \(missing)"))
      }
      do throws(InputError) {
        let (survey, plan) = try share(recipe, opened, in: place, crew, progress)
        try crew.waitForAll { what throws(InputError) in try progress(Progress("waiting", done: 0, total: 0, note: "for \(what)")) }
        var completion = CorpusCompletion(recipe, survey, in: place)
        let files = try completion.run(plan, recipeText: text, progress)
        try place.publish(as: folder, files: files) { crew.end() }
      } catch {
        crew.fail(error)
        if error.kind != .inputOutput { crew.waitForEnd() }
        throw error
      }
    } catch {
      guard error.kind != .inputOutput else { throw error }
      do throws(InputError) { try place.remove() } catch let other {
        // The first reason is the one to know; the rest is removed by the next build.
        throw InputError(
          error.kind, path: error.path, place: error.place, expected: error.expected, found: "\(error.found) (and \(other))")
      }
      throw error
    }
  }

  /// What a process other than the first does.
  private static func assist(
    _ recipe: CorpusRecipe, _ sources: () throws(InputError) -> [OpenedSource], in place: BuildFolder, becoming folder: String,
    _ rank: BuildRank, _ progress: BuildProgressHandler
  ) throws(InputError) {
    let waiting = { (missing: String) throws(InputError) in
      try progress(Progress("waiting", done: 0, total: 0, note: "for \(missing)"))
    }
    let crew = try BuildCrew(rank, in: place, waiting: waiting)
    do throws(InputError) {
      // Within the crew, so that the others hear of a file that this machine cannot see.
      _ = try share(recipe, try sources(), in: place, crew, progress)
      try crew.finish()
      try crew.waitForCorpus(at: folder, waiting)
    } catch {
      let told = crew.explained(error)
      crew.fail(told)
      throw told
    }
  }

  /// A process's part of both passes over the raw files.
  private static func share(
    _ recipe: CorpusRecipe, _ sources: [OpenedSource], in place: BuildFolder, _ crew: BuildCrew, _ progress: BuildProgressHandler
  ) throws(InputError) -> (Survey, ShardPlan) {
    let survey = try SurveyWork(sources, in: place, crew).survey(recipe, progress)
    let plan = ShardPlan(survey, length: recipe.shardLength)
    var assembly = CorpusAssembly(recipe, survey, plan, in: place, crew)
    try assembly.run(progress)
    return (survey, plan)
  }

  private static func trimmed(_ folder: String) -> String {
    var folder = folder
    while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
    return folder
  }

  /// Throws unless a whole corpus of this recipe and these files stands at `folder`.
  private static func verify(_ folder: String, recipeSHA256: String, _ sources: [OpenedSource]) throws(InputError) {
    guard FileManager.default.fileExists(atPath: folder + "/manifest.json") else {
      throw InputError(path: folder, place: "", expected: "nothing there, or a corpus", found: "something else")
    }
    let corpus = try Corpus(opening: folder)
    let known = corpus.manifest.sources.map { source in source.files.map { [source.name, $0.name, $0.checksum] } }
    let wanted = try sources.map { source throws(InputError) in
      try source.files.concurrentMap { file throws(InputError) in
        [source.recipe.name, file.match.name, try file.checksum()]
      }
    }
    guard corpus.manifest.recipeSHA256 == recipeSHA256, known == wanted else {
      throw InputError(
        path: folder, place: "", expected: "nothing there, or a corpus of this recipe and these files (or ask to replace it)",
        found: "corpus \(corpus.manifest.name) of another recipe or other files")
    }
    try corpus.verify()
  }
}
