import Foundation
import Host

/// The last step of a build: the table of records, the recipe and, last, the manifest, from the journal of all shards.
///
/// Shards are gone through one at a time, so that memory does not grow with their number.
struct CorpusCompletion {
  private let recipe: CorpusRecipe
  private let survey: Survey
  private let place: BuildFolder
  private var counts: [Split: Int] = [:]
  private var labels: [String: [String: [Split: Int]]] = [:]
  private var refused: [String: [String: Int]] = [:]
  private var damaged: [String: DamagedEvents] = [:]
  private var runs: Set<RunKey> = []
  private var geometries: Set<String> = []
  private var shards: [CorpusManifest.Shard] = []
  private var tallies: [String: Tally] = [:]
  private var tree = Taxonomy.Counts()

  /// What the manifest says about a source.
  private struct Tally {
    var pictures = 0
    var firstDetector: String
    var detectors: Set<String> = [], units: Set<String> = [], calibrations: Set<String> = [], geometries: Set<String> = []
  }

  init(_ recipe: CorpusRecipe, _ survey: Survey, in place: BuildFolder) {
    (self.recipe, self.survey, self.place) = (recipe, survey, place)
    for rule in recipe.sources.flatMap(\.labels) {
      for name in rule.classes ?? [] { labels[rule.name, default: [:]][name] = [:] }
    }
  }

  /// Writes what is missing and returns the files of the corpus, without their folder.
  mutating func run(_ plan: ShardPlan, recipeText: Data, _ progress: BuildProgressHandler) throws(InputError) -> Set<String> {
    let names = recipe.labelNames, all = plan.all
    let table = try AtomicFile.Writer(to: place.path + "/records.csv")
    try table.write(Data(RecordTable.header(labels: names).utf8))
    for (done, key) in all.enumerated() {
      let entry = try place.entry(key)
      for record in entry.records { count(record) }
      for (source, reasons) in entry.refused { refused[source, default: [:]].merge(reasons, uniquingKeysWith: +) }
      for (source, events) in entry.damaged { damaged[source, default: DamagedEvents()].add(events) }
      if let shard = entry.shard { shards.append(shard) }
      try table.write(Data(RecordTable.lines(entry.records, labels: names).utf8))
      try progress(Progress("finish \(recipe.name)", done: done + 1, total: all.count, note: ""))
    }
    for source in survey.sources { try source.requireLittleDamage(beside: damaged[source.opened.recipe.name]) }
    try recipe.split.requireFilled(counts, runs: runs, path: recipe.name)
    let recordsSHA256 = try table.finish()
    let classes = Data(Taxonomy(tree, declared: labels.mapValues { $0.keys.sorted() }).text.utf8)
    try AtomicFile.write(classes, to: place.path + "/" + Taxonomy.file)
    try AtomicFile.write(recipeText, to: place.path + "/recipe.yaml")
    var digests: [String: String] = [:]
    for digest in geometries { digests[digest] = try Checksum.sha256(file: place.geometry(digest)) }
    let manifest = CorpusManifest(
      format: CorpusManifest.format, tool: CorpusManifest.toolVersion, name: recipe.name,
      recipeSHA256: Checksum.sha256(recipeText), height: recipe.image.height, width: recipe.image.width,
      splitBy: recipe.split.by, counts: counts, labels: labels, sources: try sources(), shards: shards, geometries: digests,
      recordsSHA256: recordsSHA256, taxonomySHA256: Checksum.sha256(classes), warnings: recipe.warnings)
    try AtomicFile.write(try CanonicalJSON.data(manifest), to: place.path + "/manifest.json")
    return Set(shards.map(\.file) + digests.keys.map { "geometry/\($0).h5" })
  }

  private mutating func count(_ record: Record) {
    counts[record.split, default: 0] += 1
    for (label, value) in record.labels { labels[label, default: [:]][value, default: [:]][record.split, default: 0] += 1 }
    runs.insert(record.run)
    tree.add(record)
    if !record.geometry.isEmpty { geometries.insert(record.geometry) }
    var tally = tallies[record.source] ?? Tally(firstDetector: record.detector)
    tally.pictures += 1
    tally.detectors.insert(record.detector)
    tally.units.insert(record.unit)
    tally.calibrations.insert(record.calibration)
    tally.geometries.insert(record.geometry)
    tallies[record.source] = tally
  }

  private func sources() throws(InputError) -> [CorpusManifest.Source] {
    try survey.sources.map { source throws(InputError) in
      let name = source.opened.recipe.name
      guard let tally = tallies[name] else {
        throw InputError(
          path: source.files[0].raw.match.path, place: "source \(name)", expected: "at least one picture",
          found: "none; refused: " + (refused[name] ?? [:]).map { "\($0.key): \($0.value)" }.sorted().joined(separator: "; "))
      }
      func joined(_ values: Set<String>) -> String { values.sorted().joined(separator: ", ") }
      /// One digest, or how many there are: each record names its own.
      func counted(_ digests: Set<String>) -> String {
        if digests.count == 1, let only = digests.first { return only }
        return "\(digests.count) sets, one a run"
      }
      let unit = joined(tally.units)
      return CorpusManifest.Source(
        name: name, detector: joined(tally.detectors), unit: unit, pictures: tally.pictures,
        transforms: source.opened.optics.transforms(
          detector: tally.firstDetector, unit: unit, calibration: counted(tally.calibrations), geometry: counted(tally.geometries)),
        calibration: joined(tally.calibrations),
        files: source.files.map {
          CorpusManifest.File(
            name: $0.raw.match.name, bytes: $0.raw.bytes, checksum: $0.checksum, events: $0.events,
            parts: $0.raw.parts.count > 1 ? $0.raw.parts.map(\.name) : nil)
        },
        dropped: source.dropped.merging(refused[name] ?? [:], uniquingKeysWith: +), skipped: source.skipped)
    }
  }
}
