import Host

/// The EPICS channels of a run: their names from Configure, and the last value that any event has brought.
///
/// A record begins with i16 channel, type and element count. Types 28...34 are of Configure (DBR_CTRL), with the channel's name
/// in 64 bytes from byte 6 on; types 14...20 are of events (DBR_TIME). Both then hold an EPICS structure as channel access has it,
/// aligned as C++ aligns it: status, severity and what the type adds. Single numbers become scalars `epics.<name>_<unit>`,
/// texts `epics.<name>`; arrays are passed over. Sources: psddldata `epics.ddl`, pdsdata `epics/EpicsPvData.hh`, EPICS base `db_access.h`.
struct XTC1Epics {
  private struct Channel: Hashable {
    let phy: UInt32, id: UInt16
  }
  private enum Number: Int { case string, short, float, enumeration, char, long, double }

  private var names: [Channel: String] = [:]
  /// By scalar name.
  private(set) var values: [String: Double] = [:]
  private(set) var texts: [String: String] = [:]

  /// Severity of a value that the channel itself calls invalid.
  private static let invalid: UInt16 = 3
  /// Where the value stands in a DBR_TIME record, by type.
  private static let timeOffsets = [20, 22, 20, 22, 23, 20, 24]
  /// Where structure, unit and value stand in a DBR_CTRL record, by type.
  private static let controlOffsets = [70, 70, 72, 70, 70, 72, 72]
  private static let unitOffsets: [Int?] = [nil, 74, 80, nil, 74, 76, 80]
  private static let controlValueOffsets = [74, 98, 120, 492, 91, 116, 152]

  /// Takes in one Epics record v1 of Configure or of an event.
  mutating func record(_ leaf: XTC1Leaf, skipped: inout [String: Int]) throws(InputError) {
    let payload = leaf.payload
    let channel = Channel(phy: leaf.source.phy, id: try payload.uint16(0))
    let type = Int(try payload.uint16(2)), count = Int(try payload.uint16(4))
    let isControl = (28...34).contains(type)
    guard isControl || (14...20).contains(type), let number = Number(rawValue: type - (isControl ? 28 : 14)) else {
      throw payload.error(at: 2, "an EPICS type of 14...20 or 28...34", "\(type)")
    }
    if isControl { names[channel] = try name(payload, number) }
    guard let name = names[channel] else {
      skipped["Epics value of a channel that Configure does not name", default: 0] += 1
      return
    }
    guard count == 1 else {
      skipped["Epics array", default: 0] += 1
      return
    }
    let structure = isControl ? Self.controlOffsets[number.rawValue] : 8
    guard try payload.uint16(structure + 2) != Self.invalid else {
      skipped["Epics value that its channel marks as invalid", default: 0] += 1
      values[name] = nil
      texts[name] = nil
      return
    }
    let offset = (isControl ? Self.controlValueOffsets : Self.timeOffsets)[number.rawValue]
    if number == .string {
      // The facility's own encoding, mostly ASCII: other bytes are shown as such.
      texts[name] = String(decoding: try payload.part(offset, count: 40, "text").array().prefix { $0 != 0 }, as: UTF8.self)
      return
    }
    values[name] =
      switch number {
      case .short: Double(try payload.load(offset, as: Int16.self))
      case .float: Double(Float(bitPattern: try payload.uint32(offset)))
      case .enumeration: Double(try payload.uint16(offset))
      case .char: Double(try payload.uint8(offset))
      case .long: Double(try payload.load(offset, as: Int32.self))
      case .double: try payload.double(offset)
      case .string: nil
      }
  }

  private func name(_ payload: BinaryRecord, _ number: Number) throws(InputError) -> String {
    let name = try payload.text(6, count: 64)
    guard !name.isEmpty else { throw payload.error(at: 6, "the name of an EPICS channel", "none") }
    guard let offset = Self.unitOffsets[number.rawValue] else { return "epics.\(name)" }
    // Units are free text of 8 bytes, often Latin-1.
    let unit = try payload.part(offset, count: 8, "unit").array().prefix { $0 != 0 }
      .filter { $0 > 0x20 && $0 < 0x7F }
    return "epics.\(name)" + (unit.isEmpty ? "" : "_" + String(decoding: unit, as: UTF8.self))
  }
}
