import Foundation
import Host
import Tensors

/// What a raw file holds, found by reading all of it.
public struct Inspection: Codable, Hashable, Sendable {
  /// One kind of payload.
  public struct Source: Codable, Hashable, Sendable {
    public var info: PayloadInfo
    /// The type and version of the record that configured it, such as `CspadConfig v5`.
    public var configuration: String?
    /// In how many events it is.
    public var count: Int
  }

  /// One array of one event.
  public struct Array: Codable, Hashable, Sendable {
    /// The position of the event in its file, from 0.
    public var event: Int
    public var source: String
    public var element: ElementType
    public var shape: Shape
    /// SHA-256 of the little-endian bytes.
    public var sha256: String
  }

  /// What stopped the reading.
  public struct Problem: Codable, Hashable, Sendable {
    public var place: String
    public var expected: String
    public var found: String
  }

  public var path: String
  public var container: String
  /// Who wrote an HDF5 file, where its layout tells.
  public var layout: String?
  public var byteCount: Int
  public var experiment: String
  public var runs: [Int]
  public var events: Int
  /// Unix time in seconds of the first and last event in time, where the file tells.
  public var firstTime_s: Double?
  public var lastTime_s: Double?
  public var sources: [Source]
  public var scalars: [String]
  /// The names of the events' texts.
  public var texts: [String]
  /// How often each EVR event code occurs.
  public var eventCodes: [Int: Int]
  public var transitions: [String: Int]
  public var skipped: [String: Int]
  public var problems: [Problem]
  /// Where asked for.
  public var arrays: [Array]?

  /// Reads the file to its end, or to the first byte that does not fit, which becomes a problem. Throws only where the file
  /// cannot be opened as any known container.
  public init(of path: String, arrays wantsArrays: Bool = false, progress: ProgressHandler? = nil) throws(InputError) {
    let reader = try RunFile.open(path)
    self.path = path
    container = type(of: reader).container
    layout = (reader as? HDF5Reader)?.layout
    byteCount = try SequentialFile(opening: path).byteCount
    (experiment, runs, events, sources, scalars, texts) = ("", [], 0, [], [], [])
    (eventCodes, transitions, skipped, problems) = ([:], [:], [:], [])
    if wantsArrays { arrays = [] }
    var runs: Set<Int> = []
    var scalars: Set<String> = [], texts: Set<String> = []
    var identities: Set<EventID> = []
    let epoch_s = type(of: reader).epoch_s
    var places: [PayloadInfo: Int] = [:]
    do throws(InputError) {
      while let event = try reader.next() {
        add(event, epoch_s, &places)
        identities.insert(event.id)
        runs.insert(event.id.run)
        scalars.formUnion(event.scalars.keys)
        texts.formUnion(event.texts.keys)
        if events % 64 == 0 { progress?(Progress("inspect", done: events, total: 0)) }
      }
    } catch {
      problems.append(Problem(place: error.place, expected: error.expected, found: error.found))
    }
    self.runs = runs.sorted()
    self.scalars = scalars.sorted()
    self.texts = texts.sorted()
    transitions = reader.transitions
    skipped = reader.skipped
    // Pictures and arrays have no identity; a file that tells times has one for each event.
    if firstTime_s != nil, identities.count < events {
      problems.append(
        Problem(
          place: "events", expected: "\(events) different identities (run, time, fiducial)", found: "\(identities.count)"))
    }
  }

  private mutating func add(_ event: Event, _ epoch_s: Double, _ places: inout [PayloadInfo: Int]) {
    events += 1
    if experiment.isEmpty { experiment = event.id.experiment }
    // Zero stands for no time: no shot is that old.
    if event.id.seconds > 0 {
      let time = epoch_s + Double(event.id.seconds) + Double(event.id.nanoseconds) * 1e-9
      firstTime_s = min(firstTime_s ?? time, time)
      lastTime_s = max(lastTime_s ?? time, time)
    }
    for code in event.eventCodes { eventCodes[code, default: 0] += 1 }
    for payload in event.payloads {
      if let place = places[payload.info] {
        sources[place].count += 1
      } else {
        places[payload.info] = sources.count
        let configuration = payload.configuration.map { "\($0.typeName) v\($0.version)" }
        sources.append(Source(info: payload.info, configuration: configuration, count: 1))
      }
      arrays?.append(
        Array(
          event: event.index, source: payload.info.source, element: payload.info.element, shape: payload.info.shape,
          sha256: Checksum.sha256(payload.bytes)))
    }
  }
}

extension Inspection: CustomStringConvertible {
  /// Several lines for people.
  public var description: String {
    func list(_ counts: [String: Int]) -> String {
      counts.sorted { $0.key < $1.key }.map { "\($0.key) x \($0.value)" }.joined(separator: ", ")
    }
    func line(_ label: String, _ text: String) -> String {
      "  " + label + String(repeating: " ", count: max(1, 14 - label.count)) + text
    }
    var lines = ["\(path)", line("container", "\(container), \(byteCount) bytes")]
    if let layout { lines.append(line("layout", layout)) }
    if !experiment.isEmpty { lines.append(line("experiment", experiment)) }
    if runs != [0] { lines.append(line("runs", runs.map(String.init).joined(separator: ", "))) }
    lines.append(line("events", "\(events)"))
    if let firstTime_s, let lastTime_s {
      lines.append(line("first", "\(Self.utc(firstTime_s)) UTC"))
      lines.append(line("last", "\(Self.utc(lastTime_s)) UTC (\(Self.milli(lastTime_s - firstTime_s)) s later)"))
    }
    for source in sources {
      let info = source.info
      let name = info.source.isEmpty ? "picture" : info.alias.isEmpty ? info.source : "\(info.source) (\(info.alias))"
      let parts = [info.version >> 16, info.version >> 8 & 0xFF, info.version & 0xFF].map(String.init)
      let version = info.version == 0 ? "" : container == "xtc2" ? " " + parts.joined(separator: ".") : " v\(info.version)"
      let unit = info.element == .record ? " bytes" : [.float32, .float64].contains(info.element) ? "" : " (ADU)"
      let configured = source.configuration.map { ", configured by \($0)" } ?? ""
      lines.append(
        line("source", "\(name): \(info.typeName)\(version), \(info.element.rawValue) \(info.shape)\(unit) in \(source.count) events\(configured)"))
    }
    if !scalars.isEmpty { lines.append(line("scalars", scalars.joined(separator: ", "))) }
    if !texts.isEmpty { lines.append(line("texts", texts.joined(separator: ", "))) }
    if !eventCodes.isEmpty {
      lines.append(line("event codes", eventCodes.sorted { $0.key < $1.key }.map { "\($0.key) x \($0.value)" }.joined(separator: ", ")))
    }
    if !transitions.isEmpty { lines.append(line("transitions", list(transitions))) }
    if !skipped.isEmpty { lines.append(line("passed over", list(skipped))) }
    for problem in problems {
      lines.append(line("problem", "\(problem.place): expected \(problem.expected), found \(problem.found)"))
    }
    return lines.joined(separator: "\n")
  }

  private static func milli(_ seconds: Double) -> String { "\((seconds * 1000).rounded() / 1000)" }

  private static func utc(_ seconds: Double) -> String {
    Date(timeIntervalSince1970: seconds).formatted(
      .iso8601.year().month().day().dateSeparator(.dash).time(includingFractionalSeconds: true).timeSeparator(.colon))
  }
}
