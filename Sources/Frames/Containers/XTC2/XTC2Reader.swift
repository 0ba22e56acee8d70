import Foundation
import Host
import Tensors

/// Reads one XTC2 (LCLS-II) file: L1Accept datagrams become events, the other transitions are counted.
///
/// Every array field becomes a payload named `detector/algorithm/field`; where a detector has several segments, their arrays are
/// stacked along a new first axis in segment order. Every single number becomes a scalar of that name. Experiment and run come
/// from `runinfo` in BeginRun. Damaged data are passed over and counted.
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
  private let file: SequentialFile
  private var experiment: String
  private var run: Int
  private var index = 0
  private var failure: InputError?
  /// The fields of each data record, by names id.
  private var names: [UInt32: XTC2Names] = [:]
  /// How many segments are configured, by field path.
  private var segmentCounts: [String: Int] = [:]

  private static let transitionNames: [UInt32: String] = [
    2: "Configure", 3: "Unconfigure", 4: "BeginRun", 5: "EndRun", 6: "BeginStep", 7: "EndStep", 8: "Enable", 9: "Disable",
    10: "SlowUpdate", 12: "L1Accept",
  ]

  public init(opening path: String) throws(InputError) {
    file = try SequentialFile(opening: path)
    guard file.byteCount > 0 else {
      throw InputError(path: path, place: "", expected: "XTC2 datagrams", found: "an empty file")
    }
    let name = XTC1FileName(path)
    experiment = name?.experiment ?? ""
    run = name?.run ?? 0
  }

  public func next() throws(InputError) -> Event? {
    if let failure { throw failure }
    do throws(InputError) {
      while !file.isAtEnd {
        if let event = try event(try readDatagram()) { return event }
      }
      return nil
    } catch {
      failure = error
      throw error
    }
  }

  private func readDatagram() throws(InputError) -> BinaryRecord {
    let start = file.offset
    let header = try file.read(24, "datagram")
    let view = BinaryRecord(header, path: file.path, fileOffset: start, name: "datagram")
    let extent = try view.size(20)
    guard extent >= 12 else { throw view.error(at: 20, "an extent of 12 or more", "\(extent)") }
    let payload = try file.read(extent - 12, "datagram payload")
    return BinaryRecord(header + payload, path: file.path, fileOffset: start, name: "datagram")
  }

  private func event(_ datagram: BinaryRecord) throws(InputError) -> Event? {
    let service = try datagram.uint32(8) >> 24 & 0xF
    let transition = Self.transitionNames[service] ?? "Transition \(service)"
    transitions[transition, default: 0] += 1
    let top = try XTC2Record(at: 12, in: datagram)
    guard top.type == .parent else { throw datagram.error(at: 18, "a Parent record (type 0)", "type \(top.typeCode)") }
    if transition == "Configure" {
      names = [:]
      segmentCounts = [:]
    }
    var data: [(names: XTC2Names, values: [XTC2Value])] = []
    try walk(top) { record throws(InputError) in
      switch record.type {
      case .names where transition != "L1Accept": try self.define(record)
      case .shapesData:
        if let found = try self.read(record) { data.append(found) }
      default: self.skipped["record of type \(record.typeCode)", default: 0] += 1
      }
    }
    guard transition == "L1Accept" else {
      if transition == "BeginRun" { try describeRun(data) }
      return nil
    }
    let id = EventID(
      experiment: experiment, run: run, seconds: try datagram.uint32(4), nanoseconds: try datagram.uint32(0))
    defer { index += 1 }
    return event(id, data)
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

  private func define(_ record: XTC2Record) throws(InputError) {
    let defined = try XTC2Names(record.payload)
    if let old = names.updateValue(defined, forKey: record.namesID) {
      for field in old.fields { segmentCounts[old.path(of: field), default: 1] -= 1 }
    }
    for field in defined.fields { segmentCounts[defined.path(of: field), default: 0] += 1 }
  }

  private func read(_ record: XTC2Record) throws(InputError) -> (names: XTC2Names, values: [XTC2Value])? {
    guard let names = names[record.namesID] else {
      throw record.payload.error(at: 0, "data of a configured detector", "names id \(record.namesID), which is not")
    }
    guard record.damage == 0 else {
      skipped["damaged \(names.detector)/\(names.algorithm)", default: 0] += 1
      return nil
    }
    return (names, try XTC2Value.values(of: names, in: record.payload))
  }

  private func describeRun(_ data: [(names: XTC2Names, values: [XTC2Value])]) throws(InputError) {
    for (names, values) in data where names.detector == "runinfo" {
      for value in values {
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

  private func event(_ id: EventID, _ data: [(names: XTC2Names, values: [XTC2Value])]) -> Event {
    var event = Event(id: id, index: index, payloads: [])
    var order: [String] = []
    var arrays: [String: [(names: XTC2Names, value: XTC2Value)]] = [:]
    for (names, values) in data {
      for value in values {
        let path = names.path(of: value.field)
        if value.field.rank > 0 {
          if value.field.type == .char {
            skipped["text \(path)", default: 0] += 1
          } else {
            if arrays[path] == nil { order.append(path) }
            arrays[path, default: []].append((names, value))
          }
        } else {
          // The entries of an enumeration's dictionary are constants, no measurements.
          guard value.field.type != .enumDictionary else { continue }
          let isOnlySegment = segmentCounts[path, default: 1] == 1
          event.scalars[isOnlySegment ? path : "\(path)/segment\(names.segment)"] = value.number
        }
      }
    }
    for path in order { event.payloads += payloads(path, arrays[path] ?? []) }
    return event
  }

  /// The payload of one field: the only segment as it is, several stacked; segments of different shapes each under their own
  /// name. An event in which a configured segment is missing has no such image: it is counted.
  private func payloads(_ path: String, _ segments: [(names: XTC2Names, value: XTC2Value)]) -> [Payload] {
    func payload(_ source: String, _ names: XTC2Names, _ value: XTC2Value, _ shape: Shape, _ bytes: [UInt8]) -> Payload {
      Payload(
        info: PayloadInfo(
          source: source, typeName: names.detectorType, version: names.version, element: value.field.type.element, shape: shape),
        bytes: bytes)
    }
    let configured = segmentCounts[path, default: 1]
    guard segments.count == configured else {
      skipped["\(path) with \(segments.count) of \(configured) segments", default: 0] += 1
      return []
    }
    let sorted = segments.sorted { $0.names.segment < $1.names.segment }
    guard let first = sorted.first else { return [] }
    if sorted.count == 1 { return [payload(path, first.names, first.value, first.value.shape, first.value.bytes.array())] }
    guard sorted.allSatisfy({ $0.value.shape == first.value.shape && $0.value.field.type == first.value.field.type }) else {
      return sorted.map { payload("\(path)/segment\($0.names.segment)", $0.names, $0.value, $0.value.shape, $0.value.bytes.array()) }
    }
    let bytes = sorted.flatMap { $0.value.bytes.array() }
    return [payload(path, first.names, first.value, [sorted.count] + first.value.shape, bytes)]
  }
}

/// One XTC2 record: header fields and payload.
struct XTC2Record {
  enum Kind: UInt16 { case parent, shapesData, shapes, data, names }

  static let headerSize = 12

  /// Which Names describe this record: node<<8 | id.
  let namesID: UInt32
  let damage: UInt16
  let typeCode: UInt16
  /// Bytes from this header to the next.
  let extent: Int
  let payload: BinaryRecord

  /// `nil` for a kind that is not in the format.
  var type: Kind? { Kind(rawValue: typeCode) }

  init(at offset: Int, in parent: BinaryRecord) throws(InputError) {
    namesID = try parent.uint32(offset) & 0xFFFFF
    damage = try parent.uint16(offset + 4)
    typeCode = try parent.uint16(offset + 6) & 0xFFF
    extent = try parent.size(offset + 8)
    guard extent >= Self.headerSize, extent <= parent.count - offset else {
      throw parent.error(at: offset + 8, "an extent from 12 to \(parent.count - offset)", "\(extent)")
    }
    payload = try parent.part(offset + Self.headerSize, count: extent - Self.headerSize, "record of type \(typeCode)")
  }
}
