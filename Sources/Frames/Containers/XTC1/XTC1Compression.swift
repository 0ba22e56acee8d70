import Host

/// Decoder of compressed XTC1 leaves (type id bit 31): blocks that each expand to a header and pixels.
///
/// Hist16 and HistN store pixels near the commonest value in few bits, and a bitmap that tells which pixels those are.
/// Source: pdsdata `compress/`.
package enum XTC1Compression {
  /// The largest leaf of a real detector, a Jungfrau of 16 million pixels, is half of it; more is a corrupt size.
  static let limit = 1 << 26

  /// All of one event's. Pixels that are all alike take next to nothing, so a file's size bounds nothing.
  static let eventLimit = 1 << 28

  /// The leaf as it was before compression. Throws where sizes, checksums or streams do not fit.
  static func decompressed(_ payload: BinaryRecord) throws(InputError) -> [UInt8] {
    var leaf: [UInt8] = []
    var offset = 0
    while payload.count - offset >= 4 {
      let headerSize = try payload.size(offset)
      let header = try payload.part(offset + 4, count: headerSize, "compressed header")
      let fields = offset + 4 + headerSize
      let engine = try payload.uint32(fields)
      let size = try payload.size(fields + 8)
      let body = try payload.part(fields + 16, count: try payload.size(fields + 12), "compressed block")
      guard leaf.count + headerSize + size <= limit else {
        throw payload.error(at: fields + 8, "at most \(limit) bytes", "\(size)")
      }
      leaf += header.array()
      switch engine {
      case 0:
        guard body.count >= size else { throw body.error(at: 0, "\(size) bytes", "\(body.count)") }
        leaf += body.array().prefix(size)
      case 1: leaf += try hist16(body, size: size)
      case 2: leaf += try histN(body, size: size)
      default: throw payload.error(at: fields, "compression engine 0, 1 or 2", "\(engine)")
      }
      offset = fields + 16 + (body.count + 3) / 4 * 4
    }
    return leaf
  }

  /// Decodes one HistN stream of `size` bytes of pixels.
  package static func histN(_ bytes: [UInt8], size: Int, path: String) throws(InputError) -> [UInt8] {
    try histN(BinaryRecord(bytes, path: path, name: "HistN stream"), size: size)
  }

  /// Decodes one Hist16 stream of `size` bytes of pixels.
  package static func hist16(_ bytes: [UInt8], size: Int, path: String) throws(InputError) -> [UInt8] {
    try hist16(BinaryRecord(bytes, path: path, name: "Hist16 stream"), size: size)
  }

  private static func histN(_ stream: BinaryRecord, size: Int) throws(InputError) -> [UInt8] {
    let flag = try stream.uint16(0), depth = Int(try stream.uint16(2)), checksum = try stream.uint32(4)
    guard depth == 1 || depth == 2 else { throw stream.error(at: 2, "pixels of 1 or 2 bytes", "\(depth)") }
    let body = try stream.part(12, count: try stream.size(8), "HistN stream")
    guard flag != 0 else { return try raw(body, size: size, depth: depth, checksum: checksum) }
    let unmapBits = Int(try body.uint16(0)), mapBits = Int(try body.uint16(2)), base = try body.uint32(4)
    guard unmapBits <= 16, mapBits <= 16 else { throw body.error(at: 0, "at most 16 bits a pixel", "\(unmapBits), \(mapBits)") }
    let values = try body.part(12, count: try body.size(8), "HistN values")
    var bits = BitStream(values)
    let map = try Bitmap(body, at: 12 + values.count, isRunLength: flag == 3, pixels: size / depth)
    return try expand(map, depth: depth, checksum: checksum, body) { isMapped throws(InputError) in
      isMapped ? base &+ (try bits.read(mapBits)) : try bits.read(unmapBits)
    }
  }

  private static func hist16(_ stream: BinaryRecord, size: Int) throws(InputError) -> [UInt8] {
    let flag = try stream.uint32(0), checksum = try stream.uint32(4)
    let body = try stream.part(12, count: try stream.size(8), "Hist16 stream")
    guard flag != 0 else { return try raw(body, size: size, depth: 2, checksum: checksum) }
    let base = UInt32(try body.uint16(0))
    let values = try body.part(6, count: try body.size(2), "Hist16 values")
    let map = try Bitmap(body, at: 6 + values.count, isRunLength: flag == 3, pixels: size / 2)
    var offset = 0
    return try expand(map, depth: 2, checksum: checksum, body) { isMapped throws(InputError) in
      defer { offset += isMapped ? 1 : 2 }
      return isMapped ? base &+ UInt32(try values.uint8(offset)) : UInt32(try values.uint16(offset))
    }
  }

  private static func raw(_ body: BinaryRecord, size: Int, depth: Int, checksum: UInt32) throws(InputError) -> [UInt8] {
    guard body.count >= size else { throw body.error(at: 0, "\(size) bytes", "\(body.count)") }
    return Array(body.array().prefix(size))
  }

  private static func expand(
    _ map: Bitmap, depth: Int, checksum: UInt32, _ body: BinaryRecord, _ pixel: (Bool) throws(InputError) -> UInt32
  ) throws(InputError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(map.pixels * depth)
    var sum: UInt32 = 0
    for index in 0..<map.pixels {
      let value = try pixel(map.words[index / 16] >> UInt16(index % 16) & 1 == 1)
      sum &+= value
      bytes.append(UInt8(truncatingIfNeeded: value))
      if depth == 2 { bytes.append(UInt8(truncatingIfNeeded: value >> 8)) }
    }
    guard sum == checksum else { throw body.error(at: 0, "pixels that add up to \(checksum)", "\(sum)") }
    return bytes
  }
}

/// Which pixels are stored near the base value, 16 to a word, least significant bit first.
private struct Bitmap {
  let pixels: Int
  var words: [UInt16] = []

  /// Reads u32 m and m u16 at `offset`: plain words, or pairs of count and word.
  init(_ body: BinaryRecord, at offset: Int, isRunLength: Bool, pixels: Int) throws(InputError) {
    self.pixels = pixels
    let wanted = (pixels + 15) / 16
    let stored = try body.part(offset + 4, count: try body.size(offset) * 2, "bitmap")
    words.reserveCapacity(wanted)
    for place in stride(from: 0, to: stored.count - (isRunLength ? 3 : 1), by: isRunLength ? 4 : 2) {
      let run = isRunLength ? Int(try stored.uint16(place)) : 1
      let word = try stored.uint16(isRunLength ? place + 2 : place)
      guard words.count + run <= wanted + 1 else { throw stored.error(at: place, "at most \(wanted) words", "more") }
      words += repeatElement(word, count: run)
    }
    guard words.count >= wanted else { throw stored.error(at: 0, "\(wanted) words", "\(words.count)") }
  }
}

/// Bits of little-endian u32 words, least significant first: so, of bytes in order.
private struct BitStream {
  private let bytes: BinaryRecord
  private var offset = 0
  private var held: UInt64 = 0
  private var heldCount = 0

  init(_ bytes: BinaryRecord) { self.bytes = bytes }

  mutating func read(_ count: Int) throws(InputError) -> UInt32 {
    while heldCount < count {
      held |= UInt64(try bytes.uint8(offset)) << UInt64(heldCount)
      heldCount += 8
      offset += 1
    }
    let value = UInt32(held & (1 << UInt64(count) - 1))
    held >>= UInt64(count)
    heldCount -= count
    return value
  }
}
