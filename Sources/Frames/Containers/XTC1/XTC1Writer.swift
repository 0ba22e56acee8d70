import Foundation
import Host
import Tensors

/// Writes LCLS-I runs (XTC1): datagrams of 40 bytes, Event -> Segment -> Source, little-endian.
///
/// Bytes go to `<path>.partial`, renamed to `path` by `close()`; an unfinished file never has the final name.
/// Sources: lcls-daq/pdsdata xtc/{Dgram,Sequence,Xtc,TypeId,DetInfo}.hh.
public final class XTC1Writer {
  /// A transition of the data acquisition; the raw value is its service number.
  public enum Transition: UInt32, Sendable {
    case configure = 4, beginRun = 6, endRun = 7, event = 12
  }

  private let path: String
  private let handle: FileHandle
  private var isOpen = true

  public init(creating path: String) throws(InputError) {
    self.path = path
    try AtomicFile.makeFolder(path.folderOfPath)
    guard FileManager.default.createFile(atPath: path + ".partial", contents: nil),
      let handle = FileHandle(forWritingAtPath: path + ".partial")
    else { throw InputError(.inputOutput, path: path, place: "create", expected: "a writable place", found: "none") }
    self.handle = handle
  }

  /// Appends one datagram. `environment` is the run number in BeginRun, the readout groups in an event.
  public func write(
    _ transition: Transition, seconds: UInt32, nanoseconds: UInt32, fiducial: UInt32, environment: UInt32 = 0, leaves: [XTC1Record] = []
  ) throws(InputError) {
    precondition(isOpen, "written to a closed file")
    try append(
      Self.datagram(
        transition, seconds: seconds, nanoseconds: nanoseconds, fiducial: fiducial, environment: environment, leaves: leaves))
  }

  /// Appends finished datagrams, such as ones made concurrently by `datagram(...)`.
  public func append(_ datagram: Data) throws(InputError) {
    do { try handle.write(contentsOf: datagram) } catch {
      throw InputError(.inputOutput, path: path, place: "write", expected: "space for the run", found: error.localizedDescription)
    }
  }

  /// Flushes and gives the file its name.
  public func close() throws(InputError) {
    guard isOpen else { return }
    isOpen = false
    do {
      try handle.synchronize()
      try handle.close()
    } catch {
      throw InputError(.inputOutput, path: path, place: "close", expected: "space for the run", found: error.localizedDescription)
    }
    try AtomicFile.move(path + ".partial", to: path)
  }

  /// One datagram as bytes: the leaves of all sources under one readout node. Traps above 2^31 bytes.
  public static func datagram(
    _ transition: Transition, seconds: UInt32, nanoseconds: UInt32, fiducial: UInt32, environment: UInt32 = 0, leaves: [XTC1Record] = []
  ) -> Data {
    precondition(fiducial < 131_040, "a fiducial is below 131040, got \(fiducial)")
    let inner = leaves.reduce(0) { $0 + 20 + $1.bytes.count }
    precondition(inner < Int(Int32.max) - 40, "a datagram of \(inner) bytes")
    var out = RecordBytes()
    out.bytes.reserveCapacity(inner + 60)
    out.append(nanoseconds)
    out.append(seconds)
    out.append(transition.rawValue << 24)
    out.append(fiducial)
    out.append(environment)
    out.appendHeader(log: 0x0300_0000, phy: 0, type: 1, extent: 40 + inner)
    out.appendHeader(log: 0x0200_0000, phy: 0, type: 1, extent: 20 + inner)
    for leaf in leaves {
      out.appendHeader(log: leaf.log, phy: leaf.phy, type: leaf.type, extent: 20 + leaf.bytes.count)
      out.bytes.append(contentsOf: leaf.bytes)
    }
    return Data(out.bytes)
  }
}

/// Little-endian bytes, built up front to back.
struct RecordBytes {
  var bytes: [UInt8] = []

  mutating func append(_ value: UInt16) {
    bytes.append(UInt8(truncatingIfNeeded: value))
    bytes.append(UInt8(truncatingIfNeeded: value >> 8))
  }

  mutating func append(_ value: UInt32) {
    append(UInt16(truncatingIfNeeded: value))
    append(UInt16(truncatingIfNeeded: value >> 16))
  }

  mutating func append(_ value: Double) {
    append(UInt32(truncatingIfNeeded: value.bitPattern))
    append(UInt32(truncatingIfNeeded: value.bitPattern >> 32))
  }

  /// Many words at once: the room is made before.
  mutating func append(_ words: some Sequence<UInt16>, count: Int) {
    var at = bytes.count
    appendZeros(2 * count)
    for word in words {
      bytes[at] = UInt8(truncatingIfNeeded: word)
      bytes[at + 1] = UInt8(truncatingIfNeeded: word >> 8)
      at += 2
    }
  }

  mutating func appendZeros(_ count: Int) { bytes.append(contentsOf: repeatElement(0, count: count)) }

  mutating func appendHeader(log: UInt32, phy: UInt32, type: UInt32, extent: Int) {
    append(0 as UInt32)
    append(log)
    append(phy)
    append(type)
    append(UInt32(extent))
  }
}
