import Frames
import Host

/// Reads the wanted units from the raw files in the order of the survey, each file front to back and once.
struct UnitFeed {
  /// One unit on its way to a picture.
  struct Job: Sendable {
    /// Its number among all units of the survey.
    let index: Int
    let source: Int, file: Int
    let unit: Survey.Unit
    /// Positions of its events in the file.
    let events: [Int]
    /// What was read; empty for a file of a single event, which is read by whoever develops it.
    var payloads: [Payload] = []
    var detector: (any Detector.Type)?
  }

  private let survey: Survey
  private let spareBytes: SpareBytes
  /// Wanted units, rising.
  private let wanted: [Int32]
  private var next = 0
  private var source = 0, firstOfSource = 0, file = 0
  private var reader: (any EventReader)?
  /// Events read from the open file.
  private var position = 0

  init(_ survey: Survey, wanted: [Int32], spareBytes: SpareBytes) {
    (self.survey, self.wanted, self.spareBytes) = (survey, wanted, spareBytes)
  }

  var isAtEnd: Bool { next == wanted.count }

  /// The next wanted unit, `nil` behind the last.
  mutating func job() throws(InputError) -> Job? {
    guard next < wanted.count else { return nil }
    let index = Int(wanted[next])
    next += 1
    while index >= firstOfSource + survey.sources[source].units.count {
      firstOfSource += survey.sources[source].units.count
      (source, file, reader) = (source + 1, 0, nil)
    }
    let place = survey.sources[source], local = index - firstOfSource
    while !place.files[file].units.contains(local) { (file, reader) = (file + 1, nil) }
    var job = Job(
      index: index, source: source, file: file, unit: place.units[local], events: place.events(ofUnit: local).map { Int($0) })
    if place.files[file].events == 1 { return job }
    if reader == nil {
      reader = try place.opened.recipe.open(place.files[file].raw)
      reader?.spareBytes = spareBytes
      position = 0
    }
    guard let reader else { preconditionFailure("a reader was just opened") }
    try UnitFeed.fill(&job, from: reader, &position, place)
    return job
  }

  /// Reads what belongs to a job of a file of one event.
  static func filled(_ job: Job, _ survey: Survey) throws(InputError) -> Job {
    guard job.payloads.isEmpty else { return job }
    var job = job, position = 0
    let source = survey.sources[job.source]
    let reader = try source.opened.recipe.open(source.files[job.file].raw)
    try fill(&job, from: reader, &position, source)
    return job
  }

  private static func fill(
    _ job: inout Job, from reader: any EventReader, _ position: inout Int, _ source: Survey.Source
  ) throws(InputError) {
    let path = source.files[job.file].raw.match.path
    while job.payloads.count < job.events.count {
      guard let event = try reader.next() else {
        throw InputError(path: path, place: "event \(position)", expected: "the event that the survey saw", found: "the end")
      }
      defer { position += 1 }
      guard position == job.events[job.payloads.count] else { continue }
      guard let (payload, detector) = try source.opened.recipe.payload(of: event, path: path) else {
        throw InputError(path: path, place: "event \(position)", expected: "the payload that the survey saw", found: "none")
      }
      job.payloads.append(payload)
      job.detector = detector
    }
  }
}
