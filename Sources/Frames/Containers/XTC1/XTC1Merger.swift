import Host

/// Puts the datagrams of a run's streams into one sequence of events, each a list of the datagrams that belong together.
///
/// Streams of the data acquisition share a clock: datagrams of one time are one event. Control streams (80 and above) have their
/// own: a datagram of theirs joins the event with the same fiducial, where the clocks differ by less than `clockTolerance_s`;
/// one that no event claims is passed over and counted. Where a run has control streams alone, the first leads. One datagram a
/// stream is held. Source: lcls1 `XtcInput/src/XtcStreamMerger.cpp`, `FiducialsCompare.cpp`.
final class XTC1Merger {
  /// Fiducials come again after 364 s; psana takes clocks that are this far apart for different rounds.
  static let clockTolerance_s: Int64 = 85

  private let leaders: [XTC1Stream]
  private let followers: [XTC1Stream]
  private var skipped: [String: Int] = [:]
  private var last: (seconds: UInt32, nanoseconds: UInt32)?

  init(_ streams: [XTC1Stream]) {
    let acquisition = streams.filter { !$0.isControl }
    leaders = acquisition.isEmpty ? Array(streams.prefix(1)) : acquisition
    followers = acquisition.isEmpty ? Array(streams.dropFirst()) : streams.filter(\.isControl)
  }

  /// The datagrams of the next event, none at the end. `take` gets every datagram once, in the order of each stream, and tells
  /// whether it is an event.
  func next(_ take: (XTC1Datagram) throws(InputError) -> Bool) throws(InputError) -> [XTC1Datagram] {
    for stream in leaders + followers { try fill(stream, take) }
    guard let time = leaders.compactMap({ $0.head.map(Self.time) }).min(by: { $0 < $1 }) else {
      for stream in followers {
        while let orphan = stream.head { try drop(orphan, of: stream, take) }
      }
      return []
    }
    if let last, time < last, leaders.count > 1 {
      skipped["event earlier than the one before it; its streams may be apart", default: 0] += 1
    }
    last = time
    var parts: [XTC1Datagram] = []
    for stream in leaders {
      guard let head = stream.head, Self.time(head) == time else { continue }
      parts.append(head)
      stream.head = nil
    }
    let event = parts[0]
    for stream in followers {
      while let head = stream.head {
        let order = Self.order(head, event)
        if order > 0 { break }
        guard order == 0 else {
          try drop(head, of: stream, take)
          continue
        }
        parts.append(head)
        stream.head = nil
      }
    }
    return parts
  }

  /// What was passed over since the last call.
  func takeSkipped() -> [String: Int] {
    defer { skipped = [:] }
    return skipped
  }

  private func fill(_ stream: XTC1Stream, _ take: (XTC1Datagram) throws(InputError) -> Bool) throws(InputError) {
    while stream.head == nil, let datagram = try stream.next() {
      if try take(datagram) { stream.head = datagram }
    }
  }

  private func drop(
    _ orphan: XTC1Datagram, of stream: XTC1Stream, _ take: (XTC1Datagram) throws(InputError) -> Bool
  ) throws(InputError) {
    skipped["L1Accept of control \(stream.name) that no event claims", default: 0] += 1
    stream.head = nil
    try fill(stream, take)
  }

  private static func time(_ datagram: XTC1Datagram) -> (seconds: UInt32, nanoseconds: UInt32) {
    (datagram.seconds, datagram.nanoseconds)
  }

  /// Below 0 where `a` is of an earlier pulse than `b`, above 0 where of a later one.
  static func order(_ a: XTC1Datagram, _ b: XTC1Datagram) -> Int64 {
    let clocks = Int64(a.seconds) - Int64(b.seconds)
    guard abs(clocks) < clockTolerance_s else { return clocks }
    let round = Int64(XTC1Format.fiducialLimit), half = round / 2
    let pulses = (Int64(a.fiducial) - Int64(b.fiducial)) % round
    return pulses > half ? pulses - round : pulses < -half ? pulses + round : pulses
  }
}
