import Foundation
import Host
import Tensors

/// Reads XTC1 (LCLS-I): one file, or all streams and chunks of a run merged into events. L1Accept datagrams become events, the
/// other transitions are counted, those of all streams together.
///
/// Images (CspadElement, Cspad2x2Element, Frame, the frame of SharedPim, EpixElement, Epix10kaArray, JungfrauElement, pnCCDframe) become
/// payloads of element `.record`, each with the configuration of the same device; the projections of a time tool become arrays; EBeam, gas
/// detector, phase cavity, time tool and EPICS numbers become scalars, EVR data event codes. AliasConfig names the payloads.
///
/// Damage follows psana: a damaged leaf is passed over, counted and told in the event's `damage`, except an EBeam damaged only by
/// `UserDefined`; containers with an incomplete contribution are not entered. An event whose records do not fit their format
/// comes without any payload and number, and says so in its `damage`. Other leaves are passed over and counted by type.
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
  private let merger: XTC1Merger
  private let experiment: String
  private var run: Int
  private var index = 0
  /// Behind the first byte that does not fit there is nothing to trust.
  private var failure: InputError?
  /// What the run configured, by device.
  private var configurations: [UInt32: [Payload.Configuration]] = [:]
  /// What AliasConfig calls each device.
  private var aliases: [UInt32: String] = [:]
  private var epics = XTC1Epics()

  public convenience init(opening path: String) throws(InputError) { try self.init(merging: [path]) }

  /// Opens streams and chunks of one run, named `<experiment>-r<run>-s<stream>-c<chunk>.xtc`, in any order. Memory: one
  /// datagram a stream. Throws where the files are not of one run or a chunk is missing between others.
  public init(merging paths: [String]) throws(InputError) {
    var streams: [XTC1Stream] = []
    for stream in try RunStreams(paths).streams { streams.append(try XTC1Stream(stream)) }
    merger = XTC1Merger(streams)
    let name = RunFileName(paths[0])
    experiment = name?.experiment ?? ""
    run = name?.run ?? 0
  }

  public func next() throws(InputError) -> Event? {
    if let failure { throw failure }
    do throws(InputError) {
      let parts = try merger.next { datagram throws(InputError) in try self.take(datagram) }
      skipped.merge(merger.takeSkipped(), uniquingKeysWith: +)
      return parts.isEmpty ? nil : event(parts)
    } catch {
      failure = error
      throw error
    }
  }

  /// Takes in a datagram on its way; true where it is an event.
  private func take(_ datagram: XTC1Datagram) throws(InputError) -> Bool {
    let transition = datagram.transition
    guard datagram.isOfSequence else {
      skipped["\(transition.name) that is no event", default: 0] += 1
      return false
    }
    transitions[transition.name, default: 0] += 1
    if transition == .l1Accept {
      guard datagram.fiducial < XTC1Format.fiducialLimit else {
        skipped["L1Accept without a valid fiducial", default: 0] += 1
        return false
      }
      return true
    }
    // Some streams say 0 here: then the file name or another stream knows.
    if transition == .beginRun, datagram.environment > 0 { run = Int(datagram.environment) }
    var found: [UInt32: [Payload.Configuration]] = [:]
    try walk(datagram.top) { leaf throws(InputError) in try self.configure(leaf, &found) }
    // A device that is configured again has only its new configuration of that type.
    configurations.merge(found) { old, new in old.filter { kept in !new.contains { $0.typeName == kept.typeName } } + new }
    return false
  }

  private func event(_ parts: [XTC1Datagram]) -> Event {
    let first = parts[0]
    let id = EventID(
      experiment: experiment, run: run, seconds: first.seconds, nanoseconds: first.nanoseconds, fiducial: first.fiducial)
    var event = Event(id: id, index: index, payloads: [])
    index += 1
    for part in parts {
      do throws(InputError) {
        try walk(part.top) { leaf throws(InputError) in try self.collect(leaf, &event) } incomplete: { container in
          event.damage.append(self.damage(container))
        }
      } catch {
        let unreadable = Event.unreadable(id, index: event.index, error, offset: part.fileOffset)
        skipped[unreadable.damage[0].summary, default: 0] += 1
        return unreadable
      }
    }
    event.scalars.merge(epics.values) { own, _ in own }
    event.texts = epics.texts
    return event
  }

  /// Visits all undamaged leaves below a container, in file order.
  private func walk(
    _ container: XTC1Leaf, _ visit: (XTC1Leaf) throws(InputError) -> Void, incomplete: (XTC1Leaf) -> Void = { _ in }
  ) throws(InputError) {
    // A stack instead of recursion: nesting is whatever the file says.
    var waiting = [container]
    while let leaf = waiting.popLast() {
      guard leaf.type.code == 1 else {
        try visit(leaf)
        continue
      }
      guard leaf.damage & XTC1Format.Damage.incompleteContribution == 0 else {
        skipped["incomplete container", default: 0] += 1
        incomplete(leaf)
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
    let isEpics = leaf.type.name == "Epics"
    guard isEpics || leaf.type.name == "AliasConfig" || leaf.type.isConfiguration && leaf.source.level == .source else { return }
    guard leaf.damage == 0 else {
      skipped["damaged \(leaf.type)", default: 0] += 1
      return
    }
    switch leaf.type.name {
    case "Epics": try epics.record(leaf, skipped: &skipped)
    case "AliasConfig": try readAliases(leaf.payload)
    default:
      found[leaf.source.phy, default: []].append(
        .init(typeName: leaf.type.name, version: Int(leaf.type.version), bytes: leaf.payload.array()))
    }
  }

  /// AliasConfig v1: u32 n, then n times u32 log, u32 phy, a name of 31 bytes and one of padding. Source: psddldata `alias.ddl`.
  private func readAliases(_ record: BinaryRecord) throws(InputError) {
    let count = try record.size(0)
    for entry in 0..<count {
      let name = try record.text(4 + 40 * entry + 8, count: 31)
      if !name.isEmpty { aliases[try record.uint32(4 + 40 * entry + 4)] = name }
    }
  }

  private func damage(_ leaf: XTC1Leaf) -> EventDamage {
    EventDamage(
      // What a container lost, it does not say.
      source: leaf.type.code == 1 ? "" : leaf.source.name, alias: alias(of: leaf), typeName: "\(leaf.type)", bits: leaf.damage,
      reason: EventDamage.reason(bits: leaf.damage, names: XTC1Format.Damage.names), path: leaf.payload.path, offset: leaf.fileOffset)
  }

  private func alias(of leaf: XTC1Leaf) -> String { leaf.source.level == .source ? aliases[leaf.source.phy] ?? "" : "" }

  private func collect(_ leaf: XTC1Leaf, _ event: inout Event) throws(InputError) {
    guard leaf.isIntact else {
      skipped[leaf.type.code == 0 ? "missing source" : "damaged \(leaf.type)", default: 0] += 1
      event.damage.append(damage(leaf))
      return
    }
    switch (leaf.type.name, leaf.type.version) {
    case ("CspadElement", 1...2), ("Cspad2x2Element", 1), ("Frame", 1), ("EpixElement", 1...3), ("Epix10kaArray", 1),
      ("JungfrauElement", 1...2), ("pnCCDframe", 1):
      let bytes = leaf.isCompressed ? try decompressed(leaf.payload, beside: event) : leaf.payload.array()
      let info = PayloadInfo(
        source: leaf.source.name, alias: alias(of: leaf), typeName: leaf.type.name, version: Int(leaf.type.version),
        element: .record, shape: [bytes.count])
      event.payloads.append(Payload(info: info, bytes: bytes, configuration: configuration(of: leaf)))
    case ("SharedPim", 1) where !leaf.isCompressed:
      // BldDataPimV1: TM6740ConfigV2 (12 bytes), PimImageConfigV1 (8), then a frame. Sources: psddldata bld.ddl, pulnix.ddl, lusi.ddl.
      guard leaf.payload.count > 20 else { throw leaf.payload.error(at: 0, "a camera's configuration and a frame", "\(leaf.payload.count) bytes") }
      let bytes = Array(leaf.payload.array().dropFirst(20))
      let info = PayloadInfo(
        source: leaf.source.name, alias: alias(of: leaf), typeName: "Frame", version: 1, element: .record, shape: [bytes.count])
      event.payloads.append(Payload(info: info, bytes: bytes))
    case _ where leaf.isCompressed:
      skipped["compressed \(leaf.type)", default: 0] += 1
    case ("EBeam", _), ("FEEGasDetEnergy", 0...1), ("PhaseCavity", 0):
      try XTC1Scalars.collect(leaf, into: &event.scalars, skipped: &skipped)
    case ("TimeToolData", 1...3):
      try XTC1TimeTool.collect(
        leaf, alias: alias(of: leaf), configuration: configuration(of: leaf), into: &event, skipped: &skipped)
    case ("Epics", 1): try epics.record(leaf, skipped: &skipped)
    case ("EvrData", 3...4):
      let count = try leaf.payload.size(0)
      for item in 0..<count { event.eventCodes.append(try leaf.payload.size(4 + 12 * item + 8)) }
    default:
      skipped["\(leaf.type)", default: 0] += 1
    }
  }

  private func decompressed(_ payload: BinaryRecord, beside event: Event) throws(InputError) -> [UInt8] {
    let bytes = try XTC1Compression.decompressed(payload)
    let others = event.payloads.reduce(0) { $0 + $1.bytes.count }
    guard bytes.count + others <= XTC1Compression.eventLimit else {
      throw payload.error(at: 0, "at most \(XTC1Compression.eventLimit) bytes in an event", "\(bytes.count + others)")
    }
    return bytes
  }

  /// The record that configured the device which wrote `leaf`.
  private func configuration(of leaf: XTC1Leaf) -> Payload.Configuration? {
    let all = configurations[leaf.source.phy] ?? []
    let wanted: [String] =
      switch leaf.type.name {
      case "CspadElement": ["CspadConfig"]
      case "Cspad2x2Element": ["Cspad2x2Config"]
      case "EpixElement": ["EpixConfig", "Epix10kConfig", "Epix100aConfig", "EpixSConfig", "Epix10kaConfig"]
      case "Epix10kaArray": ["Epix10ka2MConfig", "Epix10kaQuadConfig"]
      case "JungfrauElement": ["JungfrauConfig"]
      case "pnCCDframe": ["pnCCDconfig"]
      case "TimeToolData": ["TimeToolConfig"]
      default: ["Opal1kConfig", "TM6740Config", "FccdConfig", "FrameFccdConfig", "ControlsCameraConfig", "RayonixConfig"]
      }
    return all.last { wanted.contains($0.typeName) }
  }
}
