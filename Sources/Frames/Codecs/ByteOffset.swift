import Host

/// CBF's byte-offset compression: each pixel as its difference from the one before, in 1 byte, or in 2, 4 or 8 after an escape.
///
/// Arithmetic is modulo 2^bits of the pixel, as CBFlib has it. Source: H. J. Bernstein and A. P. Hammersley, International Tables
/// for Crystallography G, 2.3.3.3.3.
enum ByteOffset {
  /// `count` pixels of an integer type, little-endian. Throws where the differences end too early or leave bytes over.
  static func decode(_ record: BinaryRecord, count: Int, _ element: ElementType) throws(InputError) -> [UInt8] {
    switch element {
    case .uint8: try decode(record, count, UInt8.self)
    case .int8: try decode(record, count, Int8.self)
    case .uint16: try decode(record, count, UInt16.self)
    case .int16: try decode(record, count, Int16.self)
    case .uint32: try decode(record, count, UInt32.self)
    case .int32: try decode(record, count, Int32.self)
    case .uint64: try decode(record, count, UInt64.self)
    case .int64: try decode(record, count, Int64.self)
    case .float32, .float64, .record: throw record.error(at: 0, "integers under byte-offset compression", "\(element)")
    }
  }

  private static func decode<Pixel: HDF5Number & FixedWidthInteger>(
    _ record: BinaryRecord, _ count: Int, _ type: Pixel.Type
  ) throws(InputError) -> [UInt8] {
    // Each pixel takes a byte at least, so this also bounds what is allocated.
    guard count <= record.count else { throw record.error(at: 0, "differences of \(count) pixels", "\(record.count) bytes") }
    let bytes = record.bytes, end = record.range.upperBound
    var pixels: [Pixel] = []
    pixels.reserveCapacity(count)
    var place = record.range.lowerBound, value: Int64 = 0
    while pixels.count < count {
      guard place < end else { throw record.error(at: record.count, "\(count) pixels", "the end after \(pixels.count)") }
      var difference = Int64(Int8(bitPattern: bytes[place]))
      place += 1
      if difference == Int64(Int8.min) {
        let start = place - record.range.lowerBound
        let short: Int16 = Int16(bitPattern: try record.uint16(start))
        (difference, place) = (Int64(short), place + 2)
        if short == Int16.min {
          let long = Int32(bitPattern: try record.uint32(start + 2))
          (difference, place) = (Int64(long), place + 4)
          if long == Int32.min { (difference, place) = (Int64(bitPattern: try record.uint64(start + 6)), place + 8) }
        }
      }
      value &+= difference
      pixels.append(Pixel(truncatingIfNeeded: value))
    }
    guard place == end else {
      throw record.error(at: place - record.range.lowerBound, "the end after \(count) pixels", "\(end - place) more bytes")
    }
    return Pixel.bytes(littleEndian: pixels)
  }
}
