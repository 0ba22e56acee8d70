import Frames
import Host

/// How many of a source's events may be damaged. A damaged event gives no picture and is counted; above the limit there is no
/// corpus: a run that lost so much lost it for a reason, which labels may share.
public enum DamageLimit: Codable, Hashable, Sendable, CustomStringConvertible {
  /// Of the events that recorded the source, damaged or not, in percent.
  case percent(Double)
  case events(Int)

  public static let usual = DamageLimit.percent(10)

  /// `10%` or `20`.
  public init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    if text.hasSuffix("%"), let percent = Double(text.dropLast()), (0...100).contains(percent) {
      self = .percent(percent)
    } else if let count = Int(text), count >= 0 {
      self = .events(count)
    } else {
      throw InputError(
        path: "", place: placeName(decoder.codingPath), expected: "a share such as 10% or a number of events", found: "\"\(text)\"")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var box = encoder.singleValueContainer()
    try box.encode(description)
  }

  /// Whether `damaged` of `events` is still within the limit.
  public func allows(_ damaged: Int, of events: Int) -> Bool {
    switch self {
    case .percent(let percent): Double(damaged) * 100 <= percent * Double(events)
    case .events(let count): damaged <= count
    }
  }

  public var description: String {
    switch self {
    case .percent(let percent): percent == percent.rounded() ? "\(Int(percent))%" : "\(percent)%"
    case .events(let count): "\(count)"
    }
  }
}

/// Events of one source that were lost to damage: how many, and the first of them.
struct DamagedEvents: Codable, Hashable, Sendable {
  private(set) var count = 0
  private(set) var first: EventDamage?

  init() {}

  init(_ damage: EventDamage) { (count, first) = (1, damage) }

  mutating func add(_ others: DamagedEvents) {
    count += others.count
    first = first ?? others.first
  }
}
