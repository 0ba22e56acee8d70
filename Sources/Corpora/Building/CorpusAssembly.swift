import Foundation
import Frames
import Host
import Tensors

/// The second pass over the raw files: pictures into shards, in the order of the survey.
struct CorpusAssembly {
  private let recipe: CorpusRecipe
  private let survey: Survey
  private let place: BuildFolder
  private let labelNames: [String]
  private var outputs: [Split: Output] = [:]
  private var constants: [ConstantsKey: CalibrationConstants] = [:]
  private var placements: [ConstantsKey: DetectorPlacement] = [:]
  private var geometriesWritten: Set<String> = []

  /// What waits for a split's next shard, and what is finished.
  private struct Output {
    var entries: [BuildFolder.Entry] = []
    var images: [MaskedImage] = []
    var records: [Record] = []
    var transforms: [String] = []
    var refused: [String: [String: Int]] = [:]
    var nextUnit: Int { entries.last?.nextUnit ?? 0 }
  }

  private struct ConstantsKey: Hashable {
    let source: Int, run: Int, payload: String
  }

  /// One unit on its way: its place in the survey and what was read for it.
  private struct Job: Sendable {
    let index: Int
    let source: Int
    let unit: Survey.Unit
    let exposure: Exposure
    let optics: SourceOptics
    let byteCount: Int
  }

  init(_ recipe: CorpusRecipe, _ survey: Survey, in place: BuildFolder) throws(InputError) {
    (self.recipe, self.survey, self.place) = (recipe, survey, place)
    labelNames = Set(recipe.sources.flatMap { $0.labels.map(\.name) }).sorted()
    for split in Split.allCases { outputs[split] = Output(entries: try place.finished(split)) }
  }

  mutating func run(_ progress: BuildProgressHandler) throws(InputError) {
    var firstUnit = 0
    for (number, source) in survey.sources.enumerated() {
      for file in source.files.indices {
        let units = source.units.enumerated().filter { $0.element.file == file }.map { (firstUnit + $0.offset, $0.element) }
        try run(units, of: number, file: source.files[file].match, progress)
      }
      firstUnit += source.units.count
    }
    for split in Split.allCases { try closeShard(split, nextUnit: survey.unitCount) }
  }

  /// The pictures of one file. At most 64 units and about 256 MiB of raw data are in memory at a time.
  private mutating func run(
    _ units: [(Int, Survey.Unit)], of number: Int, file: FilePattern.Match, _ progress: BuildProgressHandler
  ) throws(InputError) {
    var waiting = units.filter { index, unit in index >= (outputs[unit.split]?.nextUnit ?? 0) }[...]
    guard !waiting.isEmpty else { return }
    let source = survey.sources[number]
    let reader = try source.optics.recipe.open(file.path)
    var batch: [Job] = [], bytes = 0, position = 0
    var payloads: [Payload] = []
    while let (index, unit) = waiting.first {
      guard let event = try reader.next() else {
        throw InputError(path: file.path, place: "event \(position)", expected: "the event that the survey saw", found: "the end")
      }
      defer { position += 1 }
      guard unit.events.contains(position) else { continue }
      guard let (payload, detector) = try source.optics.recipe.payload(of: event, path: file.path) else {
        throw InputError(path: file.path, place: "event \(position)", expected: "the payload that the survey saw", found: "none")
      }
      payloads.append(payload)
      bytes += payload.bytes.count
      guard payloads.count == unit.events.count else { continue }
      let exposure = Exposure(
        payloads: payloads, detector: detector,
        constants: try constants(for: payload, detector, of: number, run: unit.recordedRun, path: file.path),
        placement: try placement(for: payload, of: number, run: unit.recordedRun), path: file.path,
        place: "event \(unit.events[0])")
      batch.append(Job(index: index, source: number, unit: unit, exposure: exposure, optics: source.optics, byteCount: bytes))
      payloads.removeAll()
      waiting = waiting.dropFirst()
      if batch.count == 64 || bytes > 256 << 20 || waiting.isEmpty {
        try develop(batch, file, progress)
        batch.removeAll()
        bytes = 0
      }
    }
  }

  private mutating func constants(
    for payload: Payload, _ detector: any Detector.Type, of source: Int, run: Int, path: String
  ) throws(InputError) -> CalibrationConstants {
    let recipe = survey.sources[source].optics.recipe
    guard let folder = survey.sources[source].calibration else { return CalibrationConstants(commonMode: recipe.commonMode, mask: try recipe.mask) }
    let key = ConstantsKey(source: source, run: run, payload: payload.info.source)
    if let known = constants[key] { return known }
    let shape = try detector.decode(payload, path: path).shape
    let read = try folder.constants(for: payload.info.source, run: run, shape: shape, commonMode: recipe.commonMode, mask: try recipe.mask)
    constants[key] = read
    return read
  }

  private mutating func placement(for payload: Payload, of source: Int, run: Int) throws(InputError) -> DetectorPlacement? {
    let optics = survey.sources[source].optics
    guard optics.recipe.geometry == SourceRecipe.geometryOfCalibration, let folder = survey.sources[source].calibration else {
      return optics.placement
    }
    let key = ConstantsKey(source: source, run: run, payload: payload.info.source)
    if let known = placements[key] { return known }
    guard let geometry = try folder.geometry(for: payload.info.source, run: run) else {
      throw InputError(
        .missing, path: folder.path, place: payload.info.source, expected: "a geometry for run \(run)", found: "none")
    }
    let placement = try DetectorPlacement(.psana(geometry), optics.recipe, optics.image)
    placements[key] = placement
    return placement
  }

  /// Writes the coordinates of a picture that is kept, once.
  private mutating func writeGeometry(_ digest: String, _ placement: DetectorPlacement) throws(InputError) {
    guard let coordinates = placement.coordinates[digest], geometriesWritten.insert(digest).inserted else { return }
    try AtomicFile.makeFolder(place.path + "/geometry")
    try coordinates.write(to: "\(place.path)/geometry/\(digest).h5")
  }

  private mutating func develop(
    _ batch: [Job], _ file: FilePattern.Match, _ progress: BuildProgressHandler
  ) throws(InputError) {
    let developed = batch.concurrentMap { job -> Result<[Exposure.Picture], InputError> in
      do throws(InputError) { return .success(try job.exposure.pictures(job.optics)) } catch { return .failure(error) }
    }
    for (job, pictures) in zip(batch, developed) {
      for picture in try pictures.get() { try add(picture, job) }
      if outputs[job.unit.split]?.images.count ?? 0 >= recipe.shardLength {
        try closeShard(job.unit.split, nextUnit: job.index + 1)
      }
      try progress(Progress("build \(recipe.name)", done: job.index + 1, total: survey.unitCount, note: file.name))
    }
  }

  private mutating func add(_ picture: Exposure.Picture, _ job: Job) throws(InputError) {
    let source = survey.sources[job.source], name = source.optics.recipe.name, split = job.unit.split
    let coverage = picture.image.coverage
    guard coverage >= recipe.minimumCoverage, coverage > 0 else {
      guard recipe.minimumCoverage > 0 else {
        throw InputError(
          path: job.exposure.path, place: job.exposure.place, expected: "at least one measured pixel (or a minimumCoverage)",
          found: "a picture that the mask hides everywhere")
      }
      outputs[split]?.refused[name, default: [:]]["coverage below \(recipe.minimumCoverage)", default: 0] += 1
      return
    }
    let file = source.files[job.unit.file]
    let key = "\(name)|\(file.match.name)|\(file.sha256)|\(job.unit.events[0])|\(picture.panel)"
    let record = Record(
      id: String(Checksum.sha256(Data(key.utf8)).prefix(16)), split: split, source: name, detector: job.unit.detector,
      event: job.unit.id, file: file.match.name, fileSHA256: file.sha256, eventIndex: job.unit.events[0], panel: picture.panel,
      coverage: coverage, unit: picture.unit, calibration: job.exposure.constants.digest,
      darkSet: job.exposure.constants.darkSet, geometry: job.exposure.placement?.digest(panel: picture.panel) ?? "",
      saturation: picture.saturation, labels: job.unit.labels, shard: "", row: 0)
    let steps = source.optics.transforms(
      detector: record.detector, unit: record.unit, calibration: record.calibration, geometry: record.geometry)
    if let placement = job.exposure.placement { try writeGeometry(record.geometry, placement) }
    outputs[split]?.images.append(picture.image)
    outputs[split]?.records.append(record)
    outputs[split]?.transforms.append(
      String(decoding: try CanonicalJSON.data(steps, pretty: false), as: UTF8.self))
  }

  /// Writes what waits as a shard, then its journal entry.
  private mutating func closeShard(_ split: Split, nextUnit: Int) throws(InputError) {
    guard var output = outputs[split], !output.images.isEmpty else { return }
    let number = output.entries.count, file = "shards/\(shardName(split, number)).h5", path = "\(place.path)/\(file)"
    for row in output.records.indices { (output.records[row].shard, output.records[row].row) = (file, row) }
    try Shard.write(output.images, output.records, transforms: output.transforms, labels: labelNames, to: path)
    let shard = CorpusManifest.Shard(
      file: file, split: split, pictures: output.images.count, bytes: try fileSize(path),
      sha256: try Checksum.sha256(file: path))
    let entry = BuildFolder.Entry(shard: shard, records: output.records, nextUnit: nextUnit, refused: output.refused)
    try AtomicFile.write(try CanonicalJSON.data(entry, pretty: false), to: place.entryPath(split, number))
    outputs[split] = Output(entries: output.entries + [entry])
  }
}

extension CorpusAssembly {
  /// Writes records, geometry, recipe and, last, the manifest.
  func finish(recipeText: Data) throws(InputError) {
    let entries = Split.allCases.flatMap { outputs[$0]?.entries ?? [] }
    let records = entries.flatMap(\.records)
    var refused: [String: [String: Int]] = [:]
    for part in entries.map(\.refused) + Split.allCases.map({ outputs[$0]?.refused ?? [:] }) {
      for (source, reasons) in part { refused[source, default: [:]].merge(reasons, uniquingKeysWith: +) }
    }
    var counts: [Split: Int] = [:]
    for record in records { counts[record.split, default: 0] += 1 }
    try recipe.split.requireFilled(counts, runs: Set(records.map(\.run)), path: recipe.name)

    let table = Data(RecordTable.text(records, labels: labelNames).utf8)
    try AtomicFile.write(table, to: place.path + "/records.csv")
    let taxonomy = Data(Taxonomy(records, declared: labelCounts(records).mapValues { $0.keys.sorted() }).text.utf8)
    try AtomicFile.write(taxonomy, to: place.path + "/" + Taxonomy.file)
    try AtomicFile.write(recipeText, to: place.path + "/recipe.yaml")
    var geometries: [String: String] = [:]
    for digest in Set(records.map(\.geometry)) where !digest.isEmpty {
      geometries[digest] = try Checksum.sha256(file: "\(place.path)/geometry/\(digest).h5")
    }
    let manifest = CorpusManifest(
      format: CorpusManifest.format, tool: CorpusManifest.toolVersion, name: recipe.name,
      recipeSHA256: Checksum.sha256(recipeText), height: recipe.image.height, width: recipe.image.width,
      splitBy: recipe.split.by, counts: counts, labels: labelCounts(records), sources: try sources(records, refused),
      shards: entries.map(\.shard), geometries: geometries, recordsSHA256: Checksum.sha256(table),
      taxonomySHA256: Checksum.sha256(taxonomy), warnings: recipe.warnings)
    try AtomicFile.write(try CanonicalJSON.data(manifest), to: place.path + "/manifest.json")
  }

  private func labelCounts(_ records: [Record]) -> [String: [String: [Split: Int]]] {
    var counts: [String: [String: [Split: Int]]] = [:]
    for rule in recipe.sources.flatMap(\.labels) {
      for name in rule.classes ?? [] { counts[rule.name, default: [:]][name] = [:] }
    }
    for record in records {
      for (label, value) in record.labels { counts[label, default: [:]][value, default: [:]][record.split, default: 0] += 1 }
    }
    return counts
  }

  private func sources(_ records: [Record], _ refused: [String: [String: Int]]) throws(InputError) -> [CorpusManifest.Source] {
    try survey.sources.map { source throws(InputError) in
      let name = source.optics.recipe.name
      let own = records.filter { $0.source == name }
      guard let first = own.first else {
        throw InputError(
          path: source.files[0].match.path, place: "source \(name)", expected: "at least one picture",
          found: "none; refused: " + (refused[name] ?? [:]).map { "\($0.key): \($0.value)" }.sorted().joined(separator: "; "))
      }
      func joined(_ values: [String]) -> String { Set(values).sorted().joined(separator: ", ") }
      /// One digest, or how many there are: each record names its own.
      func counted(_ digests: [String]) -> String {
        let different = Set(digests)
        return different.count == 1 ? digests[0] : "\(different.count) sets, one a run"
      }
      let unit = joined(own.map(\.unit)), calibration = joined(own.map(\.calibration))
      return CorpusManifest.Source(
        name: name, detector: joined(own.map(\.detector)), unit: unit, pictures: own.count,
        transforms: source.optics.transforms(
          detector: first.detector, unit: unit, calibration: counted(own.map(\.calibration)), geometry: counted(own.map(\.geometry))),
        calibration: calibration,
        files: source.files.map {
          CorpusManifest.File(name: $0.match.name, bytes: $0.bytes, sha256: $0.sha256, events: $0.events)
        },
        dropped: source.dropped.merging(refused[name] ?? [:], uniquingKeysWith: +), skipped: source.skipped)
    }
  }
}
