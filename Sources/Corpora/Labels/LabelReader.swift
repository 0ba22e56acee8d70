import Foundation
import Frames
import Host
import Instruments

/// One label rule with what it has read: its table, and the label dataset of the file at hand.
struct LabelReader {
  let rule: LabelRule
  private let table: LabelTable?
  private var dataset: (path: String, values: [String])?
  /// The frames that an instrument reads: the source's, of no file yet.
  private let frames: RunShots
  private var readings: (path: String, values: [EventID: String])?

  /// `frames` are the source's, without files.
  init(_ rule: LabelRule, of frames: RunShots, relativeTo base: String, environment: [String: String]) throws(InputError) {
    self.rule = rule
    self.frames = frames
    if case .table(let table) = rule.origin {
      self.table = try LabelTable(reading: table, relativeTo: base, environment: environment)
    } else {
      table = nil
    }
  }

  /// The label of an event, or why it is dropped. `id` is the event's identity in the corpus, `others` are the labels of the rules
  /// before this one.
  mutating func outcome(
    of event: Event, id: EventID, file: OpenedSource.RawFile, others: [String: String]
  ) throws(InputError) -> LabelRule.Outcome {
    let place = "event \(event.index) (\(id.experiment):\(id.run), \(id.seconds).\(id.nanoseconds), fiducial \(id.fiducial))"
    return try rule.outcome(of: try rawValue(of: event, id: id, file: file, others: others), path: file.match.path, place: place)
  }

  private mutating func rawValue(
    of event: Event, id: EventID, file: OpenedSource.RawFile, others: [String: String]
  ) throws(InputError) -> String? {
    switch rule.origin {
    case .constant(let text): return text
    case .folder(let level): return try folderName(file.match.path, level: level)
    case .field(let name): return event.texts[name] ?? event.scalars[name].map(LabelReader.className)
    case .table: return table?.value(of: id, file: file.match.name, index: event.index)
    case .thresholds(let bins): return event.scalars[bins.scalar].flatMap { bins.bin(of: $0) }
    case .eventCodes(let rule):
      return rule.codes.first { event.eventCodes.contains($0.code) }?.name ?? rule.otherwise
    case .runs(let runs):
      return runs[RunKey(experiment: id.experiment, run: id.run).description] ?? runs["\(id.run)"]
    case .dataset(let name):
      if dataset?.path != file.match.path { dataset = (file.match.path, try LabelReader.values(of: name, in: file.match.path)) }
      guard let values = dataset?.values else { return nil }
      guard event.index < values.count else {
        throw InputError(
          path: file.match.path, place: name, expected: "a value for event \(event.index)", found: "\(values.count) values")
      }
      return values[event.index]
    case .instrument(let instrument):
      try read(file, by: instrument)
      return readings?.values[event.id]
    case .path(let rules):
      return rules.lazy.compactMap { $0.value(of: others) }.first
    }
  }

  var asksInstrument: Bool { if case .instrument = rule.origin { true } else { false } }

  /// Whether an instrument has nothing to say of the event: it passes over frames that cannot be decoded.
  mutating func hasPassedOver(_ event: Event, file: OpenedSource.RawFile) throws(InputError) -> Bool {
    guard case .instrument(let instrument) = rule.origin else { return false }
    try read(file, by: instrument)
    return readings?.values[event.id] == nil
  }

  private mutating func read(_ file: OpenedSource.RawFile, by instrument: LabelOrigin.Instrumented) throws(InputError) {
    guard readings?.path != file.match.path else { return }
    var frames = frames
    frames.files = file.parts.map(\.path)
    frames.passesOverDamage = true
    if frames.detector == "automatic" { frames.detector = try instrument.choice.instrument(path: file.match.path).detector }
    readings = (file.match.path, try instrument.values(of: frames))
  }

  private static func values(of name: String, in path: String) throws(InputError) -> [String] {
    let file = try HDF5File(opening: path)
    let dataset = try file.dataset(name)
    guard dataset.shape.rank == 1 else {
      throw InputError(path: path, place: name, expected: "one value an event, [N]", found: "\(dataset.shape)")
    }
    let values: [String]
    if dataset.element == .string {
      values = try dataset.strings()
    } else {
      values = try dataset.doubles().map(className)
    }
    try file.close()
    return values
  }

  /// 3 and 3.0 are the same class.
  private static func className(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 0x1p53 ? "\(Int(value))" : "\(value)"
  }
}
