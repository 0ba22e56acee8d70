import Foundation
import Host
import Tensors

/// Reads XTC2 (LCLS-II): one file, or all streams and chunks of a run merged into events by their time. L1Accept datagrams become
/// events, the other transitions are counted, those of all streams together.
///
/// Every array field becomes a payload named `detector/algorithm/field`; where a detector has several segments, in one stream or
/// in several, their arrays are stacked along a new first axis in segment order. Every single number becomes a scalar of that
/// name; those that SlowUpdate (EPICS) and BeginStep (scans) bring hold for the events that follow. Experiment and run come from
/// `runinfo` in BeginRun.
///
/// Damaged data are passed over, counted and told in the event's `damage`, and so is an array of which segments are missing. An
/// event whose records do not fit their format comes without any payload and number, and says so in its `damage`.
///
/// Source: xtcdata `Dgram.hh`, `Xtc.hh`, `ShapesData.hh`.
public final class XTC2Reader: EventReader {
  public static let container = "xtc2"
  /// LCLS-II counts from the EPICS epoch, 1990-01-01 UTC.
  public static let epoch_s: Double = 631_152_000

  /// The first datagram is a Configure around a Parent.
  public static func recognizes(head: [UInt8], path: String) -> Bool {
    let head = BinaryRecord(head, path: path, name: "head")
    do throws(InputError) {
      guard try head.uint32(0) < 1_000_000_000, try head.uint32(8) >> 24 & 0xF == 2 else { return false }
      guard try head.uint16(18) & 0xFFF == 0, try head.uint32(20) >= 12 else { return false }
      return true
    } catch { return false }
  }

  public private(set) var skipped: [String: Int] = [:]
  public private(set) var transitions: [String: Int] = [:]
  private let streams: [XTC2Stream]
  private var experiment: String
  private var run: Int
  private var index = 0
  private var failure: InputError?
  /// How many segments are configured, by field path.
  private var segmentCounts: [String: Int] = [:]
  /// What SlowUpdate and BeginStep said last.
  private var slowValues: [String: Double] = [:]

  /// The values of one data record.
  private struct Contribution {
    let names: XTC2Names
    let values: [XTC2Value]
  }

  public convenience init(opening path: String) throws(InputError) { try self.init(merging: [path]) }

  /// Opens streams and chunks of one run, named `<experiment>-r<run>-s<stream>-c<chunk>.xtc2`, in any order. Memory: one
  /// datagram a stream. Throws where the files are not of one run or a chunk is missing between others.
  public init(merging paths: [String]) throws(InputError) {
    var streams: [XTC2Stream] = []
    for stream in try RunStreams(paths).streams { streams.append(try XTC2Stream(stream)) }
    self.streams = streams
    let name = RunFileName(paths[0])
    experiment = name?.experiment ?? ""
    run = name?.run ?? 0
  }

  public func next() throws(InputError) -> Event? {
    if let failure { throw failure }
    do throws(InputError) {
      for stream in streams {
        while stream.head == nil, let datagram = try stream.next() { try take(datagram, of: stream) }
      }
      func time(_ datagram: XTC2Datagram) -> UInt64 { UInt64(datagram.seconds) << 32 | UInt64(datagram.nanoseconds) }
      guard let first = streams.compactMap({ $0.head.map(time) }).min() else { return nil }
      var parts: [(XTC2Stream, XTC2Datagram)] = []
      for stream in streams {
        guard let head = stream.head, time(head) == first else { continue }
        parts.append((stream, head))
        stream.head = nil
      }
      return event(parts)
    } catch {
      failure = error
      throw error
    }
  }

  /// Takes in a transition, or keeps an event as the head of its stream.
  private func take(_ datagram: XTC2Datagram, of stream: XTC2Stream) throws(InputError) {
    transitions[datagram.transition, default: 0] += 1
    guard datagram.transition != "L1Accept" else {
      stream.head = datagram
      return
    }
    if datagram.transition == "Configure" {
      for names in stream.names.values { count(names, by: -1) }
      stream.names = [:]
    }
    var data: [Contribution] = []
    try walk(datagram.top) { record throws(InputError) in
      switch record.type {
      case .names: try self.define(record, in: stream)
      case .shapesData:
        if let found = try self.read(record, stream) { data.append(found) }
      default: self.skipped["record of type \(record.typeCode)", default: 0] += 1
      }
    }
    switch datagram.transition {
    case "BeginRun":
      slowValues = [:]
      try describeRun(data)
    case "SlowUpdate", "BeginStep":
      for part in data {
        for value in part.values where value.field.rank == 0 && value.field.type != .enumDictionary {
          slowValues[scalarName(part.names, value)] = value.number
        }
      }
    default: break
    }
  }

  private func walk(_ top: XTC2Record, _ visit: (XTC2Record) throws(InputError) -> Void) throws(InputError) {
    var waiting = [top]
    while let record = waiting.popLast() {
      guard record.type == .parent else {
        try visit(record)
        continue
      }
      var children: [XTC2Record] = []
      var offset = 0
      while offset < record.payload.count {
        let child = try XTC2Record(at: offset, in: record.payload)
        children.append(child)
        offset += child.extent
      }
      waiting += children.reversed()
    }
  }

  private func define(_ record: XTC2Record, in stream: XTC2Stream) throws(InputError) {
    let defined = try XTC2Names(record.payload)
    if let old = stream.names.updateValue(defined, forKey: record.namesID) { count(old, by: -1) }
    count(defined, by: 1)
  }

  private func count(_ names: XTC2Names, by step: Int) {
    for field in names.fields { segmentCounts[names.path(of: field), default: 0] += step }
  }

  /// The values of a data record, `nil` where it is damaged.
  private func read(_ record: XTC2Record, _ stream: XTC2Stream, damage: ((EventDamage) -> Void)? = nil) throws(InputError) -> Contribution? {
    guard let names = stream.names[record.namesID] else {
      throw record.payload.error(at: 0, "data of a configured detector", "names id \(record.namesID), which is not")
    }
    guard record.damage == 0 else {
      skipped["damaged \(names.detector)/\(names.algorithm)", default: 0] += 1
      damage?(
        EventDamage(
          source: "\(names.detector)/\(names.algorithm)", typeName: names.detectorType, bits: UInt32(record.damage),
          reason: EventDamage.reason(bits: UInt32(record.damage), names: XTC2Record.damageNames), path: record.payload.path,
          offset: record.fileOffset))
      return nil
    }
    return Contribution(names: names, values: try XTC2Value.values(of: names, in: record.payload))
  }

  private func describeRun(_ data: [Contribution]) throws(InputError) {
    for part in data where part.names.detector == "runinfo" {
      for value in part.values {
        switch (value.field.name, value.field.type, value.field.rank) {
        case ("expt", .char, 1): experiment = try value.bytes.text(0, count: value.bytes.count)
        case ("runnum", _, 0):
          guard let number = Int(exactly: value.number) else { throw value.bytes.error(at: 0, "a run number", "\(value.number)") }
          run = number
        default: break
        }
      }
    }
  }

  private func event(_ parts: [(XTC2Stream, XTC2Datagram)]) -> Event {
    let (_, first) = parts[0]
    let id = EventID(experiment: experiment, run: run, seconds: first.seconds, nanoseconds: first.nanoseconds)
    var event = Event(id: id, index: index, payloads: [])
    index += 1
    var data: [Contribution] = []
    for (stream, datagram) in parts {
      do throws(InputError) {
        try walk(datagram.top) { record throws(InputError) in
          guard record.type == .shapesData else {
            self.skipped["record of type \(record.typeCode)", default: 0] += 1
            return
          }
          if let found = try self.read(record, stream, damage: { event.damage.append($0) }) { data.append(found) }
        }
      } catch {
        let unreadable = Event.unreadable(id, index: event.index, error, offset: datagram.fileOffset)
        skipped[unreadable.damage[0].summary, default: 0] += 1
        return unreadable
      }
    }
    event.scalars = slowValues
    fill(&event, data, path: first.top.payload.path, offset: first.fileOffset)
    return event
  }

  private func fill(_ event: inout Event, _ data: [Contribution], path file: String, offset: Int) {
    var order: [String] = []
    var arrays: [String: [(names: XTC2Names, value: XTC2Value)]] = [:]
    for part in data {
      for value in part.values {
        let path = part.names.path(of: value.field)
        if value.field.rank == 0 {
          // The entries of an enumeration's dictionary are constants, no measurements.
          if value.field.type != .enumDictionary { event.scalars[scalarName(part.names, value)] = value.number }
        } else if value.field.type == .char {
          skipped["text \(path)", default: 0] += 1
        } else {
          if arrays[path] == nil { order.append(path) }
          arrays[path, default: []].append((part.names, value))
        }
      }
    }
    for path in order {
      let segments = arrays[path] ?? [], configured = segmentCounts[path, default: 1]
      guard segments.count == configured, let first = segments.first else {
        let reason = "\(segments.count) of \(configured) segments"
        skipped["\(path) with \(reason)", default: 0] += 1
        event.damage.append(
          EventDamage(
            source: path, typeName: segments.first?.names.detectorType ?? "", bits: 0, reason: reason, path: file, offset: offset))
        continue
      }
      event.payloads += payloads(path, segments, first)
    }
  }

  private func scalarName(_ names: XTC2Names, _ value: XTC2Value) -> String {
    let path = names.path(of: value.field)
    return segmentCounts[path, default: 1] == 1 ? path : "\(path)/segment\(names.segment)"
  }

  /// The payload of one field: the only segment as it is, several stacked; segments of different shapes each under their own
  /// name.
  private func payloads(
    _ path: String, _ segments: [(names: XTC2Names, value: XTC2Value)], _ first: (names: XTC2Names, value: XTC2Value)
  ) -> [Payload] {
    func payload(_ source: String, _ names: XTC2Names, _ value: XTC2Value, _ shape: Shape, _ bytes: [UInt8]) -> Payload {
      Payload(
        info: PayloadInfo(
          source: source, typeName: names.detectorType, version: names.version, element: value.field.type.element, shape: shape),
        bytes: bytes)
    }
    if segments.count == 1 { return [payload(path, first.names, first.value, first.value.shape, first.value.bytes.array())] }
    let sorted = segments.sorted { $0.names.segment < $1.names.segment }
    guard sorted.allSatisfy({ $0.value.shape == first.value.shape && $0.value.field.type == first.value.field.type }) else {
      return sorted.map { payload("\(path)/segment\($0.names.segment)", $0.names, $0.value, $0.value.shape, $0.value.bytes.array()) }
    }
    let bytes = sorted.flatMap { $0.value.bytes.array() }
    return [payload(path, sorted[0].names, first.value, [sorted.count] + first.value.shape, bytes)]
  }
}
