import Foundation
import Host
import Tensors

/// Reads a crystallographic binary file (imgCIF) as one event: its binary sections, byte-offset compressed or plain.
///
/// Several sections of one type and size, such as the 64 ASICs of a CSPAD, become one array `[sections, rows, columns]` in the
/// order of the file; sections that differ are payloads of their own, `section/0`, `section/1`, ... A third dimension counts
/// events. Fields are the `# name value unit` lines of a mini-CBF header and single CIF items such as
/// `diffrn_radiation_wavelength.wavelength_A`; loops are passed over and counted.
///
/// Source: International Tables for Crystallography G, 2.3 and 3.7; Dectris, mini-CBF header of Pilatus.
public final class CBFReader: EventReader {
  public static let container = "cbf"

  public static func recognizes(head: [UInt8], path: String) -> Bool { head.starts(with: Array("###CBF:".utf8)) }

  public private(set) var skipped: [String: Int] = [:]
  private var events: ArraySlice<Event> = []

  public init(opening path: String) throws(InputError) {
    let text = try CBFText(parsing: [UInt8](AtomicFile.read(path)), path: path)
    for (category, count) in text.loops { skipped["loop of \(category)"] = count }
    guard let first = text.sections.first else {
      throw InputError(path: path, place: "sections", expected: "a binary section", found: "none")
    }
    let areAlike = text.sections.allSatisfy { $0.shape == first.shape && $0.element == first.element }
    var payloads: [[Payload]] = []
    if text.sections.count > 1, areAlike {
      payloads = [[Self.payload("", first.element, [text.sections.count] + first.shape, text.sections.flatMap(\.bytes))]]
    } else if first.shape.rank == 3, text.sections.count == 1 {
      let size = first.bytes.count / StackLayout.eventCount(first.shape), shape = StackLayout.eventShape(first.shape)
      payloads = (0..<StackLayout.eventCount(first.shape)).map { event in
        [Self.payload("", first.element, shape, Array(first.bytes[event * size..<(event + 1) * size]))]
      }
    } else {
      payloads = [text.sections.enumerated().map { number, section in
        Self.payload(text.sections.count > 1 ? "section/\(number)" : "", section.element, section.shape, section.bytes)
      }]
    }
    events = payloads.enumerated().map { index, payloads in
      Event(
        id: EventID(run: 0, seconds: 0, nanoseconds: 0), index: index, payloads: payloads, scalars: text.fields.scalars,
        texts: text.fields.texts)
    }[...]
  }

  private static func payload(_ source: String, _ element: ElementType, _ shape: Shape, _ bytes: [UInt8]) -> Payload {
    Payload(info: PayloadInfo(source: source, typeName: "cbf", element: element, shape: shape), bytes: bytes)
  }

  public func next() throws(InputError) -> Event? { events.popFirst() }
}

/// The parts of a CBF file: text items and binary sections.
struct CBFText {
  private(set) var sections: [CBFSection] = []
  private(set) var fields = HeaderFields()
  /// Category -> rows of loops that are not read.
  private(set) var loops: [String: Int] = [:]

  private static let marker = Array("--CIF-BINARY-FORMAT-SECTION--".utf8)
  private static let units = [
    "_diffrn_radiation_wavelength.wavelength": "A", "_diffrn_measurement.sample_detector_distance": "mm",
    "_diffrn_scan_frame.integration_time": "s", "_diffrn_radiation.wavelength": "A",
  ]

  init(parsing bytes: [UInt8], path: String) throws(InputError) {
    var lines = Lines(BinaryRecord(bytes, path: path, name: "CBF"))
    var loop: [String]?
    while let line = lines.next() {
      if line.starts(with: Self.marker) {
        try addSection(&lines)
        loop = nil
        continue
      }
      if line.first == UInt8(ascii: ";") {
        // A text of several lines, which may be the header of a detector.
        var text = String(decoding: line.dropFirst(), as: UTF8.self), isBinary = false
        while let next = lines.peek(), next.first != UInt8(ascii: ";") {
          if next.starts(with: Self.marker) {
            isBinary = true
            break
          }
          text += "\n" + String(decoding: next, as: UTF8.self)
          _ = lines.next()
        }
        if isBinary { continue }
        _ = lines.next()
        if text.split(separator: "\n").contains(where: { $0.hasPrefix("#") }) { fields.addComments(text) }
        continue
      }
      let words = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespaces)
      if words.isEmpty || words.hasPrefix("#") || words.hasPrefix("data_") {
        continue
      } else if words.lowercased() == "loop_" {
        loop = []
      } else if words.hasPrefix("_") {
        let item = String(words.prefix { !$0.isWhitespace })
        let value = words.dropFirst(item.count).trimmingCharacters(in: .whitespaces)
        if loop != nil, value.isEmpty {
          loop?.append(item)
          continue
        }
        loop = nil
        if !value.isEmpty { fields.add(String(item.dropFirst()), Self.unquoted(value), unit: Self.units[item]) }
      } else if let first = loop?.first {
        loops[String(first.dropFirst().prefix { $0 != "." }), default: 0] += 1
      }
    }
  }

  private static func unquoted(_ value: String) -> String {
    guard let quote = value.first, quote == "'" || quote == "\"", value.count > 1, value.last == quote else { return value }
    return String(value.dropFirst().dropLast())
  }

  /// Reads MIME header, pixels and closing line; the opening line is behind.
  private mutating func addSection(_ lines: inout Lines) throws(InputError) {
    var mime: [String: String] = [:]
    while let line = lines.next(), !line.allSatisfy({ $0 == 0x20 }) {
      let text = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespaces)
      // `conversions="…"` continues the line of the content type.
      for part in text.split(separator: ";") {
        let mark = part.firstIndex { $0 == ":" || $0 == "=" }
        guard let mark else { continue }
        let key = part[..<mark].trimmingCharacters(in: .whitespaces).lowercased()
        // A base-64 digest ends in equals signs, and an element type contains blanks.
        mime[key] = part[part.index(after: mark)...].trimmingCharacters(in: .whitespaces).trimmingCharacters(in: ["\""])
      }
    }
    let magic = try lines.record.part(lines.place, count: 4, "start of a binary section")
    guard magic.array() == CBFSection.magic else { throw magic.error(at: 0, "0c 1a 04 d5", "other bytes") }
    var end = 0
    sections.append(try CBFSection(mime, lines.record, at: lines.place + 4, end: &end))
    lines.place = end
    guard sections.count <= 4096 else {
      throw InputError(path: lines.record.path, place: "sections", expected: "at most 4096 binary sections", found: "more")
    }
    // The rest of this line and padding go up to the closing marker.
    let closing = Self.marker + Array("--".utf8)
    while let line = lines.next() {
      if line.elementsEqual(closing) { break }
    }
    guard lines.next()?.first == UInt8(ascii: ";") else {
      throw InputError(
        path: lines.record.path, place: "binary section before byte \(end)", expected: "--CIF-BINARY-FORMAT-SECTION---- and a line with ;",
        found: "the end of the file or other text")
    }
  }

  /// The lines of a text, LF or CR LF.
  private struct Lines {
    let record: BinaryRecord
    var place = 0

    init(_ record: BinaryRecord) { self.record = record }

    func peek() -> ArraySlice<UInt8>? { place < record.count ? line().content : nil }

    mutating func next() -> ArraySlice<UInt8>? {
      guard place < record.count else { return nil }
      let (content, end) = line()
      place = end
      return content
    }

    private func line() -> (content: ArraySlice<UInt8>, end: Int) {
      let rest = record.bytes[place..<record.count]
      let end = rest.firstIndex(of: 0x0A) ?? record.count
      var content = rest[place..<end]
      if content.last == 0x0D { content.removeLast() }
      return (content, min(end + 1, record.count))
    }
  }
}
