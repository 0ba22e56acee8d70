import Foundation
import Frames
import Host
import Tensors

/// One source of a proposed recipe: what the first events of a file show.
struct SourceProposal {
  var payload: PayloadInfo
  var detector: String
  /// `[panels, rows, columns]` as decoded.
  var shape: Shape
  /// The destination in LCLS-II event batches.
  var subframe: Int?
  /// Events that have it, among those looked at.
  var count = 0
  var hasNonFinite = false
  /// Signal without constants, some thousands of pixels.
  private var signal: [Float] = []

  /// Frames that are decoded, and pixels that are kept of each.
  private static let frameCount = 4, pixelCount = 20_000

  /// `nil` where no detector reads the payload.
  init?(_ payload: Payload, path: String) throws(InputError) {
    var payload = payload
    if DetectorCatalog.detector(for: payload.info) == nil {
      guard let row = try Self.row(of: payload, path: path) else { return nil }
      payload = row
      subframe = Self.rowDestination
    }
    guard let detector = DetectorCatalog.detector(for: payload.info) else { return nil }
    (self.payload, self.detector) = (payload.info, detector.name)
    shape = try detector.decode(payload, path: path).shape
  }

  private static let rowDestination = 2

  /// The camera row in an event batch; `nil` where the payload is none or has none.
  private static func row(of payload: Payload, path: String) throws(InputError) -> Payload? {
    guard payload.info.element == .uint8, payload.info.shape.rank == 1, payload.bytes.count >= 32 else { return nil }
    let bytes: [UInt8]?
    // Bytes that are no batch are simply no candidate.
    do { bytes = try EventBatch.subframe(UInt8(rowDestination), of: payload.bytes, path: path, place: payload.info.source) } catch { return nil }
    guard let bytes else { return nil }
    var row = payload
    (row.bytes, row.info.shape) = (bytes, [bytes.count])
    return row
  }

  /// Takes an event's payload of the same source into account.
  mutating func add(_ payload: Payload, path: String) throws(InputError) {
    var payload = payload
    if subframe != nil {
      guard let row = try Self.row(of: payload, path: path) else { return }
      payload = row
    }
    count += 1
    guard count <= Self.frameCount, let detector = DetectorCatalog.detector(named: detector), detector.recognizes(payload.info) else { return }
    let raw = try detector.decode(payload, path: path)
    if [.float32, .float64].contains(payload.info.element), raw.elements.contains(where: { !$0.isFinite }) { hasNonFinite = true }
    let frame = try detector.calibrate(raw, CalibrationConstants(), path: path)
    let step = max(1, frame.signal.elements.count / Self.pixelCount)
    for i in stride(from: 0, to: frame.signal.elements.count, by: step)
    where frame.mask.elements[i] != 0 && frame.signal.elements[i].isFinite {
      signal.append(frame.signal.elements[i])
    }
  }

  /// asinh about the median with the noise as its scale: the typical pixel becomes of order 1.
  var tone: ToneMap {
    guard !signal.isEmpty else { return ToneMap(.asinh) }
    let sorted = signal.sorted(), median = sorted[sorted.count / 2], high = sorted[sorted.count * 199 / 200]
    let deviations = sorted.map { abs($0 - median) }.sorted()
    // 1.4826 times the median deviation is the standard deviation of a normal law.
    var scale = max(1.4826 * deviations[deviations.count / 2], (high - median) / 50)
    if !(scale > 0 && scale.isFinite) { scale = 1 }
    scale = max(Self.rounded(scale, digits: 2), .leastNormalMagnitude)
    let offset = abs(median) > 3 * scale ? Self.rounded(median, digits: 3) : 0
    return ToneMap(.asinh, scale: scale, offset: offset.isFinite ? offset : 0)
  }

  private static func rounded(_ value: Float, digits: Int) -> Float {
    guard value != 0, value.isFinite else { return value }
    let unit = pow(10, (log10(abs(Double(value)))).rounded(.down) - Double(digits - 1))
    return Float((Double(value) / unit).rounded() * unit)
  }

  var isLine: Bool { shape[0] == 1 && shape[1] == 1 }
  /// Lines are stacked to pictures, time downwards.
  var stack: Int { isLine ? min(32, count) : 1 }
  var rows: Int { isLine ? stack : shape[1] }
  var columns: Int { shape[2] }

  /// The sources of a file, by name, from at most `limit` events; and why others are none.
  static func sources(of reader: any EventReader, path: String, limit: Int = 256) throws(InputError) -> (found: [SourceProposal], others: [String]) {
    var found: [SourceProposal] = [], places: [String: Int] = [:], others: Set<String> = []
    var events = 0
    while events < limit, let event = try reader.next() {
      events += 1
      for payload in event.payloads {
        let name = payload.info.source
        if let place = places[name] {
          try found[place].add(payload, path: path)
        } else if found.count < 64, let source = try SourceProposal(payload, path: path) {
          places[name] = found.count
          found.append(source)
          try found[found.count - 1].add(payload, path: path)
        } else {
          others.insert("\(name.isEmpty ? "picture" : name) (\(payload.info.typeName), \(payload.info.element) \(payload.info.shape))")
        }
      }
      if events >= 24, !found.isEmpty, found.allSatisfy({ $0.count >= (($0.isLine) ? 32 : 1) }) { break }
    }
    return (found, others.filter { other in !places.keys.contains { !$0.isEmpty && other.hasPrefix($0 + " ") } }.sorted())
  }
}
