import Foundation
import Host
import Tensors

/// Reads one XTC1 (LCLS-I) file: L1Accept datagrams become events, the other transitions are counted.
///
/// Images (CspadElement, Cspad2x2Element, Frame) become payloads of element `.record`, each with the configuration of the same
/// device; EBeam, gas detector and time-tool leaves become scalars, EVR data event codes. Damage follows psana: a damaged leaf
/// is passed over and counted, except an EBeam damaged only by `UserDefined`; containers with an incomplete contribution are
/// not entered. Other leaves are passed over and counted by type.
public final class XTC1Reader: EventReader {
  public static let container = "xtc1"

  /// The first datagram's top Xtc is a container of version 0, and its clock and transition are possible.
  public static func recognizes(head: [UInt8], path: String) -> Bool {
    let head = BinaryRecord(head, path: path, name: "head")
    do throws(InputError) {
      guard try head.uint32(0) < 1_000_000_000, try head.uint32(8) >> 24 & 0xF <= 12 else { return false }
      guard try head.uint32(32) == 1, try head.uint32(36) >= 20 else { return false }
      return true
    } catch { return false }
  }

  public private(set) var skipped: [String: Int] = [:]
  public private(set) var transitions: [String: Int] = [:]
  private let file: SequentialFile
  private let experiment: String
  private var run: Int
  private var index = 0
  /// Behind the first byte that does not fit there is nothing to trust.
  private var failure: InputError?
  /// What the run configured, by device.
  private var configurations: [UInt32: [Payload.Configuration]] = [:]

  public init(opening path: String) throws(InputError) {
    file = try SequentialFile(opening: path)
    guard file.byteCount > 0 else {
      throw InputError(path: path, place: "", expected: "XTC1 datagrams", found: "an empty file")
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
    let size = XTC1Format.datagramHeaderSize + XTC1Format.xtcHeaderSize
    let header = try file.read(size, "datagram")
    let view = BinaryRecord(header, path: file.path, fileOffset: start, name: "datagram")
    let extent = try view.size(36)
    guard extent >= XTC1Format.xtcHeaderSize else {
      throw view.error(at: 36, "an extent of 20 or more", "\(extent)")
    }
    let payload = try file.read(extent - XTC1Format.xtcHeaderSize, "datagram payload")
    return BinaryRecord(header + payload, path: file.path, fileOffset: start, name: "datagram")
  }

  private func event(_ datagram: BinaryRecord) throws(InputError) -> Event? {
    let control = try datagram.uint32(8) >> 24
    let service = control & 0xF
    guard let transition = XTC1Format.Transition(rawValue: service) else {
      throw datagram.error(at: 8, "a transition from 0 to 12", "\(service)")
    }
    guard control >> 4 & 3 == 0 else {
      skipped["\(transition.name) that is no event", default: 0] += 1
      return nil
    }
    transitions[transition.name, default: 0] += 1
    let top = try XTC1Leaf(at: 20, in: datagram)
    guard top.type.name == "Xtc" else { throw datagram.error(at: 32, "a container (type 1)", "type \(top.type)") }

    guard transition == .l1Accept else {
      if transition == .beginRun {
        let number = Int(try datagram.uint32(16))
        // Some streams say 0 here: then the file name or another stream knows.
        if number > 0 { run = number }
      }
      if transition == .configure { configurations = [:] }
      var found: [UInt32: [Payload.Configuration]] = [:]
      try walk(top) { leaf throws(InputError) in try self.configure(leaf, &found) }
      configurations.merge(found) { _, new in new }
      return nil
    }
    let fiducial = try datagram.uint32(12) & 0x1FFFF
    guard fiducial < XTC1Format.fiducialLimit else {
      skipped["L1Accept without a valid fiducial", default: 0] += 1
      return nil
    }
    let id = EventID(
      experiment: experiment, run: run, seconds: try datagram.uint32(4), nanoseconds: try datagram.uint32(0),
      fiducial: fiducial)
    var event = Event(id: id, index: index, payloads: [])
    try walk(top) { leaf throws(InputError) in try self.collect(leaf, &event) }
    index += 1
    return event
  }

  /// Visits all undamaged leaves below a container, in file order.
  private func walk(_ container: XTC1Leaf, _ visit: (XTC1Leaf) throws(InputError) -> Void) throws(InputError) {
    // A stack instead of recursion: nesting is whatever the file says.
    var waiting = [container]
    while let leaf = waiting.popLast() {
      guard leaf.type.code == 1 else {
        try visit(leaf)
        continue
      }
      guard leaf.damage & XTC1Format.Damage.incompleteContribution == 0 else {
        skipped["incomplete container", default: 0] += 1
        continue
      }
      var children: [XTC1Leaf] = []
      var offset = 0
      while offset < leaf.payload.count {
        let child = try XTC1Leaf(at: offset, in: leaf.payload)
        children.append(child)
        offset += child.extent
      }
      waiting += children.reversed()
    }
  }

  private func configure(_ leaf: XTC1Leaf, _ found: inout [UInt32: [Payload.Configuration]]) throws(InputError) {
    guard leaf.type.name.hasSuffix("Config"), leaf.source.level == .source else { return }
    guard leaf.damage == 0 else {
      skipped["damaged \(leaf.type)", default: 0] += 1
      return
    }
    found[leaf.source.phy, default: []].append(
      .init(typeName: leaf.type.name, version: Int(leaf.type.version), bytes: leaf.payload.array()))
  }

  private func collect(_ leaf: XTC1Leaf, _ event: inout Event) throws(InputError) {
    guard leaf.isIntact else {
      skipped[leaf.type.code == 0 ? "missing source" : "damaged \(leaf.type)", default: 0] += 1
      return
    }
    switch (leaf.type.name, leaf.type.version) {
    case ("CspadElement", 1...2), ("Cspad2x2Element", 1), ("Frame", 1):
      let bytes = leaf.isCompressed ? try XTC1Compression.decompressed(leaf.payload) : leaf.payload.array()
      let info = PayloadInfo(
        source: leaf.source.name, typeName: leaf.type.name, version: Int(leaf.type.version), element: .record,
        shape: [bytes.count])
      event.payloads.append(Payload(info: info, bytes: bytes, configuration: configuration(of: leaf)))
    case _ where leaf.isCompressed:
      skipped["compressed \(leaf.type)", default: 0] += 1
    case ("EBeam", _), ("FEEGasDetEnergy", 0...1), ("TimeToolData", 1...2):
      try XTC1Scalars.collect(leaf, into: &event.scalars, skipped: &skipped)
    case ("EvrData", 3...4):
      let count = try leaf.payload.size(0)
      for item in 0..<count { event.eventCodes.append(try leaf.payload.size(4 + 12 * item + 8)) }
    default:
      skipped["\(leaf.type)", default: 0] += 1
    }
  }

  /// The record that configured the device which wrote `leaf`.
  private func configuration(of leaf: XTC1Leaf) -> Payload.Configuration? {
    let all = configurations[leaf.source.phy] ?? []
    let wanted: [String] =
      switch leaf.type.name {
      case "CspadElement": ["CspadConfig"]
      case "Cspad2x2Element": ["Cspad2x2Config"]
      default: ["Opal1kConfig", "TM6740Config", "FccdConfig", "FrameFccdConfig", "ControlsCameraConfig"]
      }
    return all.last { wanted.contains($0.typeName) }
  }
}

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

  /// psana's policy: no damage, but for an EBeam that is damaged by `UserDefined` alone: its own mask tells what is good.
  var isIntact: Bool {
    damage == 0 || type.name == "EBeam" && damage & ~(XTC1Format.Damage.userDefined | XTC1Format.Damage.userByte) == 0
  }
}

/// What a file name such as `xpptut15-r0054-s03-c00.xtc` says.
struct XTC1FileName {
  let experiment: String
  let run: Int

  init?(_ path: String) {
    let parts = (path as NSString).lastPathComponent.split(separator: "-")
    guard parts.count >= 2, parts[1].first == "r", parts[1].count > 1, let run = Int(parts[1].dropFirst()), run >= 0 else { return nil }
    experiment = String(parts[0])
    self.run = run
  }
}
