import Foundation
import Frames
import Host
import Instruments

/// A first pass over the raw files: which pictures there will be, with identity, labels and split, before any is decoded.
///
/// Mistakes in labels, joins and splits so come to light before hours of decoding.
struct Survey: Sendable {
  /// One picture to be (with `view: panels`, one picture a panel).
  struct Unit: Sendable {
    var file: Int
    /// The events that make it; one but for stacks.
    var events: [Int]
    var id: EventID
    /// As the file says; calibrations go by it.
    var recordedRun: Int
    var split: Split
    var labels: [String: String]
    var detector: String
    /// The first run of the dark set, where the split goes by it.
    var darkSet: Int?
  }

  struct File: Sendable {
    var match: FilePattern.Match
    var bytes: Int
    var sha256: String
    var events: Int
  }

  struct Source: Sendable {
    var optics: SourceOptics
    var files: [File]
    var units: [Unit]
    var dropped: [String: Int]
    var skipped: [String: Int]
    var calibration: CalibrationFolder?
  }

  var sources: [Source] = []
  var unitCount: Int { sources.reduce(0) { $0 + $1.units.count } }

  init(
    _ recipe: CorpusRecipe, relativeTo base: String, environment: [String: String],
    progress: BuildProgressHandler
  ) throws(InputError) {
    for source in recipe.sources {
      var surveyor = try SourceSurveyor(source, of: recipe, relativeTo: base, environment: environment)
      try surveyor.run(progress)
      sources.append(surveyor.result)
    }
    var counts: [Split: Int] = [:], runs: Set<RunKey> = [], splits: [RunKey: Split] = [:]
    for unit in sources.flatMap(\.units) {
      let run = RunKey(experiment: unit.id.experiment, run: unit.id.run)
      counts[unit.split, default: 0] += 1
      runs.insert(run)
      let other = splits.updateValue(unit.split, forKey: run)
      guard recipe.split.by != .darkSet || other == nil || other == unit.split else {
        throw InputError(
          path: recipe.name, place: "split", expected: "run \(run) in one split (its sources have dark sets of different first runs: "
            + "name the run under split.runs)", found: "\(other?.rawValue ?? "") and \(unit.split.rawValue)")
      }
    }
    try recipe.split.requireFilled(counts, runs: runs, path: recipe.name)
  }
}

/// Walks the files of one source.
private struct SourceSurveyor {
  let recipe: SourceRecipe
  let corpus: CorpusRecipe
  var labels: [LabelReader] = []
  var result: Survey.Source
  /// Lines collected for the next stack.
  private var pending: [Survey.Unit] = []
  private var taken = 0
  private var perExperiment: [String: Int] = [:]
  private var seen: Set<String> = []
  private var darkSets: [String: Int?] = [:]

  init(_ recipe: SourceRecipe, of corpus: CorpusRecipe, relativeTo base: String, environment: [String: String])
    throws(InputError)
  {
    (self.recipe, self.corpus) = (recipe, corpus)
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
    guard recipe.detector == "automatic" || DetectorCatalog.detector(named: recipe.detector) != nil else {
      throw InputError(
        path: corpus.name, place: "source \(recipe.name), detector",
        expected: "automatic, \(DetectorCatalog.all.map { $0.name }.joined(separator: ", "))", found: recipe.detector)
    }
    for rule in recipe.labels {
      labels.append(
        try LabelReader(rule, of: recipe.frames(calibration: calibration), relativeTo: base, environment: environment))
    }
    result = Survey.Source(
      optics: try SourceOptics(recipe, of: corpus, relativeTo: base, environment: environment), files: [], units: [],
      dropped: [:], skipped: [:], calibration: calibration)
    for match in matches.sorted() {
      result.files.append(
        Survey.File(
          match: match, bytes: try fileSize(match.path), sha256: try Checksum.sha256(file: match.path), events: 0))
    }
    if let first = result.files.first, let twin = result.files.dropFirst().first(where: { $0.match.name == first.match.name }) {
      throw InputError(
        path: twin.match.path, place: "source \(recipe.name)", expected: "files of different names", found: twin.match.name)
    }
  }

  mutating func run(_ progress: BuildProgressHandler) throws(InputError) {
    for file in result.files.indices where !isFull {
      try progress(Progress("survey \(recipe.name)", done: file, total: result.files.count, note: result.files[file].match.name))
      let reader = try recipe.open(result.files[file].match.path)
      // A stack never joins two files.
      closeStack(complete: false)
      while !isFull, let event = try reader.next() {
        result.files[file].events += 1
        try take(event, file: file)
      }
      for (reason, count) in reader.skipped { result.skipped[reason, default: 0] += count }
    }
    closeStack(complete: false)
    guard !result.units.isEmpty else {
      throw InputError(
        .missing, path: result.files[0].match.path, place: "source \(recipe.name)", expected: "at least one picture",
        found: describeNothing())
    }
  }

  private var isFull: Bool { recipe.limit.map { result.units.count >= $0 } ?? false }

  private func describeNothing() -> String {
    let reasons = result.dropped.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
    let payloads = seen.isEmpty ? "no payloads" : "payloads \(seen.sorted().joined(separator: ", "))"
    return ([payloads] + reasons).joined(separator: "; ")
  }

  private mutating func take(_ event: Event, file: Int) throws(InputError) {
    let match = result.files[file].match
    for payload in event.payloads where seen.count < 20 {
      seen.insert("\(payload.info.source) (\(payload.info.typeName), \(payload.info.element) \(payload.info.shape))")
    }
    guard let (payload, detector) = try recipe.payload(of: event, path: match.path) else {
      result.dropped["no payload of this source", default: 0] += 1
      return
    }
    taken += 1
    guard (taken - 1) % recipe.every == 0 else {
      result.dropped["passed over by every: \(recipe.every)", default: 0] += 1
      return
    }
    let id = try identity(of: event, file: file)
    var values: [String: String] = [:]
    for i in labels.indices {
      switch try labels[i].outcome(of: event, id: id, file: match, others: values) {
      case .label(let value): values[labels[i].rule.name] = value
      case .none: break
      case .dropped(let reason):
        result.dropped[reason, default: 0] += 1
        closeStack(complete: false)
        return
      }
    }
    let unit = Survey.Unit(
      file: file, events: [result.files[file].events - 1], id: id, recordedRun: event.id.run, split: .train, labels: values,
      detector: detector.name, darkSet: try darkSet(of: payload.info.source, run: event.id.run))
    if recipe.stack > 1 { stack(unit) } else { append(unit) }
  }

  /// Looked up once a run: it lists a folder.
  private mutating func darkSet(of source: String, run: Int) throws(InputError) -> Int? {
    guard corpus.split.by == .darkSet, let calibration = result.calibration else { return nil }
    let key = "\(source) \(run)"
    if let known = darkSets[key] { return known }
    let found = try calibration.firstRunOfDarkSet(for: source, run: run)
    darkSets[key] = .some(found)
    return found
  }

  private mutating func stack(_ unit: Survey.Unit) {
    if let first = pending.first, first.labels != unit.labels || first.id.run != unit.id.run { closeStack(complete: false) }
    pending.append(unit)
    if pending.count == recipe.stack { closeStack(complete: true) }
  }

  private mutating func closeStack(complete: Bool) {
    guard var unit = pending.first else { return }
    if complete {
      unit.events = pending.flatMap(\.events)
      append(unit)
    } else {
      result.dropped["not enough consecutive rows for a stack", default: 0] += pending.count
    }
    pending.removeAll()
  }

  private mutating func append(_ unit: Survey.Unit) {
    var unit = unit
    if case .block(let length) = recipe.run {
      unit.id.run = perExperiment[unit.id.experiment, default: 0] / length
      perExperiment[unit.id.experiment, default: 0] += 1
    }
    let key = RunKey(experiment: unit.id.experiment, run: unit.id.run)
    let frame = "\(result.files[unit.file].match.name)/\(unit.events[0])"
    unit.split = corpus.split.split(of: key, frame: frame, darkSet: unit.darkSet, seed: corpus.seed)
    result.units.append(unit)
  }

  /// The event's identity with the recipe's overrides; blocks are numbered later, when stacks are complete.
  private func identity(of event: Event, file: Int) throws(InputError) -> EventID {
    let path = result.files[file].match.path
    var id = event.id
    switch recipe.experiment {
    case .recorded: if id.experiment.isEmpty && id.run == 0 { id.experiment = try folderName(path, level: 1) }
    case .folder(let level): id.experiment = try folderName(path, level: level)
    case .named(let name): id.experiment = name
    }
    switch recipe.run {
    case .recorded, .block: break
    case .folder: id.run = try RunRule.trailingNumber(ofFolder: try folderName(path, level: 1), path: path)
    case .index: id.run = file
    case .number(let number): id.run = number
    }
    return id
  }
}

func fileSize(_ path: String) throws(InputError) -> Int {
  do {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    guard let size = attributes[.size] as? NSNumber else { throw CocoaError(.fileReadUnknown) }
    return size.intValue
  } catch {
    throw InputError(.inputOutput, path: path, place: "size", expected: "a readable file", found: error.localizedDescription)
  }
}

extension SourceRecipe {
  /// The one payload that this source is about, with the detector that decodes it; `nil` where the event has none.
  func payload(of event: Event, path: String) throws(InputError) -> (Payload, any Detector.Type)? {
    var found: [(Payload, any Detector.Type)] = []
    for var payload in event.payloads {
      if let key, payload.info.source != key { continue }
      if let source, !payload.info.source.contains(source) { continue }
      if let subframe {
        let place = "event \(event.index), \(payload.info.source)"
        guard let bytes = try EventBatch.subframe(UInt8(subframe), of: payload.bytes, path: path, place: place) else { continue }
        payload.info.element = .uint8
        payload.info.shape = [bytes.count]
        payload.bytes = bytes
      }
      if let empty = payload.info.shape.extents.first(where: { $0 < 1 }) {
        throw InputError(
          path: path, place: "event \(event.index), \(payload.info.source)", expected: "an image with pixels",
          found: "shape \(payload.info.shape), extent \(empty)")
      }
      if detector == "automatic" {
        if let type = DetectorCatalog.detector(for: payload.info) { found.append((payload, type)) }
      } else if let type = DetectorCatalog.detector(named: detector), type.recognizes(payload.info) {
        found.append((payload, type))
      }
    }
    guard found.count <= 1 else {
      throw InputError(
        path: path, place: "event \(event.index)", expected: "one payload for source \(name); narrow it by source: or detector:",
        found: found.map { "\($0.0.info.source) (\($0.1.name))" }.joined(separator: ", "))
    }
    return found.first
  }
}

extension SourceRecipe {
  /// The frames that an instrument would read of this source, without files.
  func frames(calibration: CalibrationFolder?) -> RunShots {
    RunShots(files: [], detector: detector, source: source, calibration: calibration, commonMode: commonMode)
  }
}
