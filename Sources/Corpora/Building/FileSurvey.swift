import Frames
import Host

/// What one raw file holds of one source: its checksum, and the pictures to be with identity and labels, none of them decoded.
///
/// It depends on the file and the recipe alone, so files can be surveyed in any order, on any core or machine.
struct FileSurvey: Codable, Sendable {
  var checksum = ""
  var bytes: Int
  var events = 0
  /// Pictures that one unit gives; with `view: panels` as many as the first frame has panels.
  var picturesPerUnit = 1
  var units: [Unit] = []
  /// The events of unit i are `stack` numbers from `i * stack` on.
  var unitEvents: [Int32] = []
  /// What units refer to by position; each entry is there once.
  var experiments: [String] = [], detectors: [String] = [], labelSets: [[String: String]] = []
  var dropped: [String: Int] = [:]
  /// Events that recorded the source, and those of them that lost it to damage.
  var recorded = 0
  var damaged = DamagedEvents()
  var skipped: [String: Int] = [:]
  /// Some of the payloads, for the message that there is no picture.
  var seen: Set<String> = []

  /// One picture to be (with `view: panels`, one picture a panel).
  struct Unit: Sendable {
    var experiment: Int32, detector: Int32, labels: Int32
    var run: Int
    /// As the file says; calibrations go by it.
    var recordedRun: Int
    var seconds: UInt32, nanoseconds: UInt32, fiducial: UInt32
    /// The first run of the dark set, where the split goes by it; else -1.
    var darkSet: Int32
  }

  /// Surveys file `number` of `source`, whose checksum is known.
  init(_ source: OpenedSource, file number: Int, checksum: String, splitBy: SplitRule.Unit) throws(InputError) {
    let file = source.files[number], recipe = source.recipe
    self.init(bytes: file.bytes)
    self.checksum = checksum
    let reader = try recipe.open(file)
    var surveyor = FileSurveyor(source: source, number: number, splitBy: splitBy)
    while recipe.limit.map({ units.count < $0 }) ?? true {
      // Panels are counted in the first frame; subframes are looked for in the bytes; a frame that an instrument passed over may
      // be damaged.
      reader.readsBytes = recipe.subframe != nil || recipe.view == .panels && units.isEmpty || surveyor.asksInstruments
      guard let event = try reader.next() else { break }
      events += 1
      try surveyor.take(event, into: &self)
    }
    surveyor.closeStack(complete: false, into: &self)
    skipped = reader.skipped
  }

  private init(bytes: Int) { self.bytes = bytes }
}

extension FileSurvey.Unit: Codable {
  /// A row of numbers: names would be most of the file.
  init(from decoder: any Decoder) throws {
    var box = try decoder.unkeyedContainer()
    (experiment, detector, labels) = (try box.decode(Int32.self), try box.decode(Int32.self), try box.decode(Int32.self))
    (run, recordedRun) = (try box.decode(Int.self), try box.decode(Int.self))
    (seconds, nanoseconds, fiducial) = (try box.decode(UInt32.self), try box.decode(UInt32.self), try box.decode(UInt32.self))
    darkSet = try box.decode(Int32.self)
  }

  func encode(to encoder: any Encoder) throws {
    var box = encoder.unkeyedContainer()
    for number in [
      Int(experiment), Int(detector), Int(labels), run, recordedRun, Int(seconds), Int(nanoseconds), Int(fiducial), Int(darkSet),
    ] {
      try box.encode(number)
    }
  }
}

/// Walks the events of one file.
private struct FileSurveyor {
  let source: OpenedSource
  let number: Int
  let splitBy: SplitRule.Unit
  private var labels: [LabelReader]
  /// Rows collected for the next stack.
  private var pending: [(unit: FileSurvey.Unit, event: Int)] = []
  private var taken = 0
  private var labelNumbers: [[String: String]: Int32] = [:]

  private var darkSets: [String: Int32] = [:]

  init(source: OpenedSource, number: Int, splitBy: SplitRule.Unit) {
    (self.source, self.number, self.splitBy, labels) = (source, number, splitBy, source.labels)
  }

  mutating func take(_ event: Event, into survey: inout FileSurvey) throws(InputError) {
    let recipe = source.recipe, match = source.files[number].match
    for payload in event.payloads where survey.seen.count < 20 {
      survey.seen.insert("\(payload.info.source) (\(payload.info.typeName), \(payload.info.element) \(payload.info.shape))")
    }
    guard let (payload, detector) = try recipe.payload(of: event, path: match.path) else {
      if let damage = recipe.damage(of: event) {
        survey.recorded += 1
        lose(to: damage, &survey)
      } else {
        survey.dropped["no payload of this source", default: 0] += 1
      }
      return
    }
    taken += 1
    survey.recorded += 1
    guard (taken - 1) % recipe.every == 0 else {
      survey.dropped["passed over by every: \(recipe.every)", default: 0] += 1
      return
    }
    let id = try identity(of: event)
    var values: [String: String] = [:]
    for i in labels.indices {
      if try labels[i].hasPassedOver(event, file: source.files[number]),
        let damage = detector.damage(of: payload, event: event.index, path: match.path)
      {
        return lose(to: damage, &survey)
      }
      switch try labels[i].outcome(of: event, id: id, file: source.files[number], others: values) {
      case .label(let value): values[labels[i].rule.name] = value
      case .none: break
      case .dropped(let reason):
        survey.dropped[reason, default: 0] += 1
        closeStack(complete: false, into: &survey)
        return
      }
    }
    if recipe.view == .panels, survey.units.isEmpty {
      if let damage = detector.damage(of: payload, event: event.index, path: match.path) { return lose(to: damage, &survey) }
      survey.picturesPerUnit = max(1, try detector.decode(payload, path: match.path).shape[0])
    }
    let unit = FileSurvey.Unit(
      experiment: position(of: id.experiment, in: &survey.experiments), detector: position(of: detector.name, in: &survey.detectors),
      labels: labelNumber(of: values, in: &survey.labelSets), run: id.run, recordedRun: event.id.run, seconds: id.seconds,
      nanoseconds: id.nanoseconds, fiducial: id.fiducial, darkSet: try darkSet(of: payload.info.source, run: event.id.run))
    if recipe.stack > 1 {
      if let first = pending.first?.unit, first.labels != unit.labels || first.run != unit.run {
        closeStack(complete: false, into: &survey)
      }
      pending.append((unit, survey.events - 1))
      if pending.count == recipe.stack { closeStack(complete: true, into: &survey) }
    } else {
      survey.units.append(unit)
      survey.unitEvents.append(Int32(survey.events - 1))
    }
  }

  /// An event without a picture.
  private mutating func lose(to damage: EventDamage, _ survey: inout FileSurvey) {
    survey.damaged.add(DamagedEvents(damage))
    survey.dropped[damage.summary, default: 0] += 1
    closeStack(complete: false, into: &survey)
  }

  var asksInstruments: Bool { labels.contains(where: \.asksInstrument) }

  /// Looked up once a run: it lists a folder.
  private mutating func darkSet(of name: String, run: Int) throws(InputError) -> Int32 {
    guard splitBy == .darkSet, let calibration = source.calibration else { return -1 }
    let key = "\(name) \(run)"
    if let known = darkSets[key] { return known }
    let found = Int32(try calibration.firstRunOfDarkSet(for: name, run: run) ?? -1)
    darkSets[key] = found
    return found
  }

  mutating func closeStack(complete: Bool, into survey: inout FileSurvey) {
    guard let first = pending.first else { return }
    if complete {
      survey.units.append(first.unit)
      survey.unitEvents += pending.map { Int32($0.event) }
    } else {
      survey.dropped["not enough consecutive rows for a stack", default: 0] += pending.count
    }
    pending.removeAll()
  }

  private mutating func labelNumber(of labels: [String: String], in sets: inout [[String: String]]) -> Int32 {
    if let known = labelNumbers[labels] { return known }
    sets.append(labels)
    labelNumbers[labels] = Int32(sets.count - 1)
    return Int32(sets.count - 1)
  }

  /// Experiments and detectors of a file are few.
  private func position(of entry: String, in entries: inout [String]) -> Int32 {
    if let known = entries.lastIndex(of: entry) { return Int32(known) }
    entries.append(entry)
    return Int32(entries.count - 1)
  }

  /// The event's identity with the recipe's overrides; blocks are numbered later, when stacks are complete.
  private func identity(of event: Event) throws(InputError) -> EventID {
    let path = source.files[number].match.path
    var id = event.id
    switch source.recipe.experiment {
    case .recorded: if id.experiment.isEmpty && id.run == 0 { id.experiment = try folderName(path, level: 1) }
    case .folder(let level): id.experiment = try folderName(path, level: level)
    case .named(let name): id.experiment = name
    }
    switch source.recipe.run {
    case .recorded, .block: break
    case .folder: id.run = try RunRule.trailingNumber(ofFolder: try folderName(path, level: 1), path: path)
    case .index: id.run = number
    case .number(let number): id.run = number
    }
    return id
  }
}

extension SourceRecipe {
  /// What cost an event its payload of this source, where it was damage.
  func damage(of event: Event) -> EventDamage? {
    event.damage.first { damage in
      guard let source, !damage.source.isEmpty else { return true }
      // LCLS-II tells the detector's damage, a recipe may name a field of it.
      return damage.source.contains(source) || damage.alias.contains(source) || source.contains(damage.source)
    }
  }

  /// The one payload that this source is about, with the detector that decodes it; `nil` where the event has none.
  func payload(of event: Event, path: String) throws(InputError) -> (Payload, any Detector.Type)? {
    var found: [(Payload, any Detector.Type)] = []
    for var payload in event.payloads {
      if let key, payload.info.source != key { continue }
      if let source, !payload.info.isNamed(source) { continue }
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
