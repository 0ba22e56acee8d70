import Host

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

  /// What the bits of `damage` mean; from bit 12 on they are the user's. Source: xtcdata `Damage.hh`.
  static let damageNames: [Int: String] = [
    1: "OutOfOrder", 2: "OutOfSynch", 3: "Corrupted", 4: "DroppedContribution", 5: "MissingData", 6: "TimedOut", 12: "UserDefined",
  ]

  /// Of its header in the file.
  var fileOffset: Int { payload.fileOffset + payload.range.lowerBound - Self.headerSize }

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

/// One datagram: what happened when, and the record of what was written.
struct XTC2Datagram {
  let transition: String
  let seconds: UInt32
  let nanoseconds: UInt32
  /// Where it begins in its file.
  let fileOffset: Int
  let top: XTC2Record

  private static let transitionNames: [UInt32: String] = [
    2: "Configure", 3: "Unconfigure", 4: "BeginRun", 5: "EndRun", 6: "BeginStep", 7: "EndStep", 8: "Enable", 9: "Disable",
    10: "SlowUpdate", 12: "L1Accept",
  ]

  init(_ record: BinaryRecord) throws(InputError) {
    nanoseconds = try record.uint32(0)
    seconds = try record.uint32(4)
    let service = try record.uint32(8) >> 24 & 0xF
    transition = Self.transitionNames[service] ?? "Transition \(service)"
    fileOffset = record.fileOffset
    top = try XTC2Record(at: 12, in: record)
    guard top.type == .parent else { throw record.error(at: 18, "a Parent record (type 0)", "type \(top.typeCode)") }
  }
}

/// One stream of a run: datagrams in file order, and the fields that it has configured.
final class XTC2Stream {
  private let file: ChunkedFile
  /// The fields of each data record, by names id.
  var names: [UInt32: XTC2Names] = [:]
  /// The next event, read but not yet part of one.
  var head: XTC2Datagram?

  init(_ stream: RunStreams.Stream) throws(InputError) { file = try ChunkedFile(opening: stream.paths, "XTC2 datagrams") }

  /// The next datagram, `nil` at the end.
  func next() throws(InputError) -> XTC2Datagram? {
    guard try file.hasMore() else { return nil }
    let start = file.offset, path = file.path
    let header = try file.read(24, "datagram")
    let view = BinaryRecord(header, path: path, fileOffset: start, name: "datagram")
    let extent = try view.size(20)
    guard extent >= 12 else { throw view.error(at: 20, "an extent of 12 or more", "\(extent)") }
    let payload = try file.read(extent - 12, "datagram payload")
    return try XTC2Datagram(BinaryRecord(header + payload, path: path, fileOffset: start, name: "datagram"))
  }
}
