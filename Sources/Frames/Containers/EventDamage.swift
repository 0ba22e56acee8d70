/// A part of an event that could not be used: which detector, why, and where in which file.
public struct EventDamage: Hashable, Codable, Sendable, CustomStringConvertible {
  /// The detector, such as `CxiDs1.0:Cspad.0`; empty where it may be any: an unreadable event, a damaged container.
  public var source: String
  /// Its name in the run's AliasConfig; empty where it has none.
  public var alias: String
  /// The type of the record, such as `CspadElement v2`; empty where the whole event is unreadable.
  public var typeName: String
  /// The damage word of the record; 0 where its bytes do not fit their format.
  public var bits: UInt32
  /// What the bits say, such as `DroppedContribution`, or what was expected and found.
  public var reason: String
  public var path: String
  /// Of the record's header in the file.
  public var offset: Int

  public init(source: String, alias: String = "", typeName: String, bits: UInt32, reason: String, path: String, offset: Int) {
    (self.source, self.alias, self.typeName, self.bits) = (source, alias, typeName, bits)
    (self.reason, self.path, self.offset) = (reason, path, offset)
  }

  /// Damage words as names, lowest bit first: `DroppedContribution, bit 20`. `names` gives those of the format.
  static func reason(bits: UInt32, names: [Int: String]) -> String {
    (0..<32).filter { bits >> UInt32($0) & 1 == 1 }.map { names[$0] ?? "bit \($0)" }.joined(separator: ", ")
  }

  /// Without the place, for counting: `damaged CspadElement v2 of CxiDs1.0:Cspad.0: OutOfSynch`.
  public var summary: String {
    if source.isEmpty { return bits == 0 ? "unreadable event" : "damaged \(typeName): \(reason)" }
    return "damaged \(typeName) of \(source)" + (bits == 0 ? "" : ": \(reason)")
  }

  public var description: String { "\(path): byte \(offset): \(summary)" + (bits == 0 ? ": \(reason)" : "") }
}
