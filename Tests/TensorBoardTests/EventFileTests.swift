import Foundation
import Host
import TensorBoard
import Testing

/// Values from RFC 3720, B.4, and the check of the nine digits that catalogues of such codes give.
private let knownChecks: [(data: Data, crc: UInt32)] = [
  (Data("123456789".utf8), 0xE306_9283), (Data(repeating: 0, count: 32), 0x8A91_36AA), (Data(repeating: 0xFF, count: 32), 0x62A8_AB43),
  (Data((0..<32).map { UInt8($0) }), 0x46DD_794E), (Data(), 0),
]

@Test(arguments: knownChecks)
func checksAreThoseOfTheStandard(data: Data, crc: UInt32) {
  #expect(CRC32C.value(of: data) == crc)
}

/// Fields and records read byte by byte, as protocol buffers and TensorFlow's record files define them.
private struct Reader {
  var data: Data
  mutating func take(_ count: Int) -> Data {
    defer { data = Data(data.dropFirst(count)) }
    return Data(data.prefix(count))
  }
  mutating func number(_ bytes: Int) -> UInt64 { take(bytes).reversed().reduce(0) { $0 << 8 | UInt64($1) } }
  mutating func varint() -> UInt64 {
    var value: UInt64 = 0, shift: UInt64 = 0
    while true {
      let byte = UInt64(take(1)[0])
      value |= (byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
  }
  /// Field number -> raw values in order.
  mutating func fields() -> [Int: [Data]] {
    var result: [Int: [Data]] = [:]
    while !data.isEmpty {
      let key = varint()
      let value: Data
      switch key & 7 {
      case 0: value = Data([UInt8(truncatingIfNeeded: varint())])
      case 1: value = take(8)
      case 2: value = take(Int(varint()))
      default: value = take(4)
      }
      result[Int(key >> 3), default: []].append(value)
    }
    return result
  }
}

private func records(_ path: String) throws -> [Data] {
  var reader = Reader(data: try AtomicFile.read(path)), records: [Data] = []
  while !reader.data.isEmpty {
    let length = reader.number(8)
    _ = reader.number(4)
    records.append(reader.take(Int(length)))
    _ = reader.number(4)
  }
  return records
}

private func bytes(_ value: Double) -> Data { Data(withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }) }
private func bytes(_ value: Float) -> Data { Data(withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }) }

@Test func anEventFileHoldsVersionSessionAndFiguresByTheirFieldNumbers() throws {
  let folder = NSTemporaryDirectory() + "events-\(UUID().uuidString)"
  defer { try? FileManager.default.removeItem(atPath: folder) }
  let file = try EventFile(folder: folder, step: 7) { 1.5e9 }
  try file.append(step: 8, ["train/loss": 0.25, "train/accuracy": 0.5])
  try file.append(step: 9, name: "batch", png: Data([1, 2, 3]), height: 4, width: 5)
  #expect((file.path as NSString).lastPathComponent.hasPrefix("events.out.tfevents.1500000000."))
  let events = try records(file.path).map { record in
    var reader = Reader(data: record)
    return reader.fields()
  }
  #expect(events.count == 4 && events.allSatisfy { $0[1] == [bytes(1.5e9)] })
  #expect(events[0][3] == [Data("brain.Event:2".utf8)])
  #expect(events[1][2] == [Data([8])] && events[1][7] == [Data([0x08, 1])])
  #expect(events[2][2] == [Data([8])])
  var summary = Reader(data: try #require(events[2][5]?.first))
  let values = try #require(summary.fields()[1]).map { value in
    var reader = Reader(data: value)
    return reader.fields()
  }
  #expect(values.map { $0[1] } == [[Data("train/loss".utf8)], [Data("train/accuracy".utf8)]])
  #expect(values.map { $0[2] } == [[bytes(Float(0.25))], [bytes(Float(0.5))]])
  var picture = Reader(data: try #require(events[3][5]?.first))
  var value = Reader(data: try #require(picture.fields()[1]?.first))
  var image = Reader(data: try #require(value.fields()[4]?.first))
  #expect(image.fields() == [1: [Data([4])], 2: [Data([5])], 3: [Data([3])], 4: [Data([1, 2, 3])]])
}

@Test func twoFilesBegunAtOnceDoNotMeet() throws {
  let folder = NSTemporaryDirectory() + "events-\(UUID().uuidString)"
  defer { try? FileManager.default.removeItem(atPath: folder) }
  let first = try EventFile(folder: folder, step: 0) { 3 }, second = try EventFile(folder: folder, step: 0) { 3 }
  #expect(first.path != second.path)
  // The first says nothing but its version; the second also that what earlier files of the folder say of its steps no longer counts.
  #expect(try records(first.path).count == 1)
  let begun = try records(second.path).map { data in
    var reader = Reader(data: data)
    return reader.fields()
  }
  #expect(begun.count == 2 && begun[1][2] == [Data([1])] && begun[1][7] == [Data([8, 1])])
}
