import Host

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
  /// Of the record's header in the file; `nil` where only the event is known, which the reason then names.
  public var offset: Int?

  public init(source: String, alias: String = "", typeName: String, bits: UInt32, reason: String, path: String, offset: Int?) {
    (self.source, self.alias, self.typeName, self.bits) = (source, alias, typeName, bits)
    (self.reason, self.path, self.offset) = (reason, path, offset)
  }

  /// Damage words as names, lowest bit first: `DroppedContribution, bit 20`. `names` gives those of the format.
  static func reason(bits: UInt32, names: [Int: String]) -> String {
    (0..<32).filter { bits >> UInt32($0) & 1 == 1 }.map { names[$0] ?? "bit \($0)" }.joined(separator: ", ")
  }

  /// What a reader or decoder expected, and where.
  static func reason(_ error: InputError) -> String { "\(error.place): expected \(error.expected), found \(error.found)" }

  /// Without the place, for counting: `damaged CspadElement v2 of CxiDs1.0:Cspad.0: OutOfSynch`.
  public var summary: String {
    if source.isEmpty { return bits == 0 ? "unreadable event" : "damaged \(typeName): \(reason)" }
    return "damaged \(typeName) of \(source)" + (bits == 0 ? "" : ": \(reason)")
  }

  public var description: String {
    let place = offset.map { "byte \($0): " } ?? ""
    return "\(path): \(place)\(summary)" + (bits == 0 ? ": \(reason)" : "")
  }
}

extension Event {
  /// An event whose records do not fit their format, in the datagram at `offset`: without payloads and numbers.
  static func unreadable(_ id: EventID, index: Int, _ error: InputError, offset: Int) -> Event {
    var event = Event(id: id, index: index, payloads: [])
    event.damage = [EventDamage(source: "", typeName: "", bits: 0, reason: EventDamage.reason(error), path: error.path, offset: offset)]
    return event
  }
}

extension Detector {
  /// Why `payload` of event number `event` cannot be decoded, as damage of that event; `nil` where it can. Takes as long as decoding.
  public static func damage(of payload: Payload, event: Int, path: String) -> EventDamage? {
    do throws(InputError) {
      _ = try decode(payload, path: path)
      return nil
    } catch {
      let info = payload.info
      return EventDamage(
        source: info.source, alias: info.alias, typeName: info.version == 0 ? info.typeName : "\(info.typeName) v\(info.version)", bits: 0,
        reason: "event \(event), \(EventDamage.reason(error))", path: path, offset: nil)
    }
  }
}

