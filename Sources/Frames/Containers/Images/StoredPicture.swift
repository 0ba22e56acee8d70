import Foundation
import Host
import Tensors

/// A picture as a file stores it, with what its header says.
struct StoredPicture {
  /// The name of the picture in its file; empty where there is only one.
  var source = ""
  var element: ElementType
  var shape: Shape
  /// Row-major, little-endian.
  var bytes: [UInt8]
  var header = HeaderFields()
}

extension Event {
  /// An event that a picture alone tells of: without time and run.
  init(picture: StoredPicture, typeName: String, index: Int, fiducial: UInt32 = 0) {
    let info = PayloadInfo(source: picture.source, typeName: typeName, element: picture.element, shape: picture.shape)
    self.init(
      id: EventID(run: 0, seconds: 0, nanoseconds: 0, fiducial: fiducial), index: index,
      payloads: [Payload(info: info, bytes: picture.bytes)], scalars: picture.header.scalars, texts: picture.header.texts)
  }
}

/// The fields of a picture's header: numbers by name with unit, and texts.
struct HeaderFields {
  var scalars: [String: Double] = [:]
  var texts: [String: String] = [:]

  /// Adds a field. `1.5` becomes a number; `1.5 s` a number whose name ends in `_s`; anything else is a text. `unit` is that of
  /// a number without one.
  mutating func add(_ key: String, _ value: String, unit: String? = nil) {
    let key = key.trimmingCharacters(in: .whitespacesAndNewlines)
    let value = value.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !key.isEmpty, !value.isEmpty else { return }
    let words = value.split(whereSeparator: \.isWhitespace)
    if words.count <= 2, let number = Self.number(words[0]) {
      if words.count == 1 {
        scalars[unit.map { "\(key)_\($0)" } ?? key] = number
        return
      }
      // Degrees are written as "deg.".
      let stored = words[1].hasSuffix(".") ? words[1].dropLast() : words[1]
      if stored.count <= 8, !stored.isEmpty, stored.allSatisfy({ $0.isLetter || $0 == "%" }) {
        scalars["\(key)_\(stored)"] = number
        return
      }
    }
    texts[key] = value
  }

  /// Adds lines such as Dectris detectors write: `# Exposure_time 0.5 s`, `# Detector: PILATUS3 6M`, a date alone.
  mutating func addComments(_ text: String) {
    for line in text.split(whereSeparator: \.isNewline) {
      let body = line.drop { $0 == "#" || $0.isWhitespace }
      guard let first = body.first else { continue }
      if first.isNumber {
        add("date", String(body))
        continue
      }
      let key = body.prefix { !$0.isWhitespace && $0 != ":" && $0 != "=" }
      add(String(key), String(body.dropFirst(key.count).drop { $0.isWhitespace || $0 == ":" || $0 == "=" }))
    }
  }

  /// Decimal numbers only: `nan` and `inf` may be words of a text, and no header means hexadecimal by `0x`.
  static func number(_ text: some StringProtocol) -> Double? {
    guard let first = text.first, first.isASCII, first.isNumber || "+-.".contains(first), !text.contains(where: { $0 == "x" || $0 == "X" })
    else { return nil }
    return Double(String(text))
  }
}
