import Foundation
import Frames
import Testing

/// A second, minimal XTC1 parser, written from the format tables alone: the judge of both reader and writer.
struct RunWalk {
  struct Leaf {
    var service: UInt32, seconds: UInt32, nanoseconds: UInt32, fiducial: UInt32, environment: UInt32
    var log: UInt32, phy: UInt32, type: UInt32, version: UInt32
    var bytes: [UInt8]
  }
  var leaves: [Leaf] = []
  var services: [UInt32] = []
  var environments: [UInt32] = []
  /// Depth of nesting of every leaf: 2 is Event -> Segment -> Source.
  var depths: Set<Int> = []

  init(_ path: String) throws {
    let data = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var at = 0
    while at < data.count {
      let h = (0..<10).map { Self.word(data, at + 4 * $0) }
      services.append(h[2] >> 24 & 0xF)
      environments.append(h[4])
      let end = at + 20 + Int(h[9])
      try walk(data, at + 40, end, 1, h)
      at = end
    }
    #expect(at == data.count)
  }

  private mutating func walk(_ d: [UInt8], _ from: Int, _ to: Int, _ depth: Int, _ h: [UInt32]) throws {
    var at = from
    while at < to {
      let extent = Int(Self.word(d, at + 16)), type = Self.word(d, at + 12)
      try #require(extent >= 20 && at + extent <= to)
      if type & 0xFFFF == 1 {
        try walk(d, at + 20, at + extent, depth + 1, h)
      } else {
        depths.insert(depth)
        leaves.append(
          Leaf(
            service: h[2] >> 24 & 0xF, seconds: h[1], nanoseconds: h[0], fiducial: h[3] & 0x1FFFF, environment: h[4],
            log: Self.word(d, at + 4), phy: Self.word(d, at + 8), type: type & 0xFFFF, version: type >> 16,
            bytes: Array(d[at + 20..<at + extent])))
      }
      at += extent
    }
    try #require(at == to)
  }

  static func word(_ d: [UInt8], _ o: Int) -> UInt32 {
    UInt32(d[o]) | UInt32(d[o + 1]) << 8 | UInt32(d[o + 2]) << 16 | UInt32(d[o + 3]) << 24
  }

  static func double(_ d: [UInt8], _ o: Int) -> Double {
    Double(bitPattern: UInt64(word(d, o)) | UInt64(word(d, o + 4)) << 32)
  }

  /// The detector payloads of type `type` in events, with the configuration of the same source.
  func payloads(type: UInt32, name: String) -> [Payload] {
    leaves.filter { $0.service == 12 && $0.type == type }.map { leaf in
      let config = leaves.first { $0.service == 4 && $0.phy == leaf.phy && $0.type == 29 }
      return Payload(
        info: PayloadInfo(
          source: name, typeName: type == 28 ? "CspadElement" : type == 41 ? "Cspad2x2Element" : "Frame",
          version: Int(leaf.version), element: .record, shape: [leaf.bytes.count]),
        bytes: leaf.bytes,
        configuration: config.map { .init(typeName: "CspadConfig", version: Int($0.version), bytes: $0.bytes) })
    }
  }
}

/// A fresh folder under the system's temporary one.
func temporaryFolder() throws -> String {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("psimagenet-" + UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  return folder.path
}
