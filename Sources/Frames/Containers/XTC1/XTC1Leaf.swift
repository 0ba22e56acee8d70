import Host

/// One Xtc: header fields and payload.
struct XTC1Leaf {
  let damage: UInt32
  let source: XTC1Source
  let type: XTC1Format.TypeID
  let isCompressed: Bool
  /// Bytes from this header to the next.
  let extent: Int
  let payload: BinaryRecord

  init(at offset: Int, in parent: BinaryRecord) throws(InputError) {
    damage = try parent.uint32(offset)
    source = XTC1Source(log: try parent.uint32(offset + 4), phy: try parent.uint32(offset + 8))
    let word = try parent.uint32(offset + 12)
    type = XTC1Format.TypeID(word: word)
    isCompressed = word & XTC1Format.compressedBit != 0
    extent = try parent.size(offset + 16)
    guard extent >= XTC1Format.xtcHeaderSize, extent <= parent.count - offset else {
      throw parent.error(at: offset + 16, "an extent from 20 to \(parent.count - offset)", "\(extent)")
    }
    payload = try parent.part(
      offset + XTC1Format.xtcHeaderSize, count: extent - XTC1Format.xtcHeaderSize, "\(type) of \(source)")
  }

  /// Of its header in the file.
  var fileOffset: Int { payload.fileOffset + payload.range.lowerBound - XTC1Format.xtcHeaderSize }

  /// psana's policy: no damage, but for an EBeam that is damaged by `UserDefined` alone: its own mask tells what is good.
  var isIntact: Bool {
    damage == 0 || type.name == "EBeam" && damage & ~(XTC1Format.Damage.userDefined | XTC1Format.Damage.userByte) == 0
  }
}

/// One datagram: what happened when, and the container of what was recorded.
struct XTC1Datagram {
  let record: BinaryRecord
  let transition: XTC1Format.Transition
  /// Whether it belongs to the sequence of the run; occurrences and markers do not.
  let isOfSequence: Bool
  let seconds: UInt32
  let nanoseconds: UInt32
  /// The 360 Hz pulse number; `XTC1Format.fiducialLimit` or more where the event has none.
  let fiducial: UInt32
  /// The run number of a BeginRun, the trigger flags of an L1Accept.
  let environment: UInt32
  let top: XTC1Leaf

  init(_ record: BinaryRecord) throws(InputError) {
    self.record = record
    nanoseconds = try record.uint32(0)
    seconds = try record.uint32(4)
    let control = try record.uint32(8) >> 24
    guard let transition = XTC1Format.Transition(rawValue: control & 0xF) else {
      throw record.error(at: 8, "a transition from 0 to 12", "\(control & 0xF)")
    }
    self.transition = transition
    isOfSequence = control >> 4 & 3 == 0
    fiducial = try record.uint32(12) & 0x1FFFF
    environment = try record.uint32(16)
    top = try XTC1Leaf(at: 20, in: record)
    guard top.type.name == "Xtc" else { throw record.error(at: 32, "a container (type 1)", "type \(top.type)") }
  }

  /// Where it begins in its file.
  var fileOffset: Int { record.fileOffset }
}

/// One stream of a run: datagrams in file order, and what the run configured in it.
final class XTC1Stream {
  let name: String
  let isControl: Bool
  private let file: ChunkedFile
  /// The next event, read but not yet part of one.
  var head: XTC1Datagram?

  init(_ stream: RunStreams.Stream) throws(InputError) {
    name = stream.name
    isControl = stream.isControl
    file = try ChunkedFile(opening: stream.paths, "XTC1 datagrams")
  }

  var path: String { file.path }

  /// The next datagram, `nil` at the end.
  func next() throws(InputError) -> XTC1Datagram? {
    guard try file.hasMore() else { return nil }
    let start = file.offset, path = file.path
    let header = try file.read(XTC1Format.datagramHeaderSize + XTC1Format.xtcHeaderSize, "datagram")
    let view = BinaryRecord(header, path: path, fileOffset: start, name: "datagram")
    let extent = try view.size(36)
    guard extent >= XTC1Format.xtcHeaderSize else { throw view.error(at: 36, "an extent of 20 or more", "\(extent)") }
    let payload = try file.read(extent - XTC1Format.xtcHeaderSize, "datagram payload")
    return try XTC1Datagram(BinaryRecord(header + payload, path: path, fileOffset: start, name: "datagram"))
  }
}
