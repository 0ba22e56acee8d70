import Host
import Tensors

extension BinaryRecord {
  /// A detector's record, named for messages: `CxiDs1.0:Cspad.0 CspadElement v2`.
  init(_ payload: Payload, path: String) {
    self.init(payload.bytes, path: path, name: "\(payload.info.source) \(payload.info.typeName) v\(payload.info.version)")
  }

  init(_ configuration: Payload.Configuration, path: String) {
    self.init(configuration.bytes, path: path, name: "\(configuration.typeName) v\(configuration.version)")
  }

  /// Throws unless bytes `offset..<offset + count` exist.
  func require(_ offset: Int, _ size: Int) throws(InputError) {
    guard offset >= 0, size >= 0, offset <= count, size <= count - offset else {
      throw error(at: offset, "\(size) more bytes", "a record of \(count) bytes")
    }
  }

  /// Puts `length` signed 16-bit numbers from `offset` into `destination` at `start`.
  func int16s(at offset: Int, count length: Int, into destination: inout [Float], at start: Int) throws(InputError) {
    try require(offset, 2 * length)
    let first = range.lowerBound + offset
    for i in 0..<length {
      let o = first + 2 * i
      destination[start + i] = Float(Int16(bitPattern: UInt16(bytes[o]) | UInt16(bytes[o + 1]) << 8))
    }
  }
}

/// Plain stored arrays of any numeric type.
enum NumericArray {
  /// The elements as Float, rounded to nearest above 2^24; the count is `info.shape`'s. Throws for a record, for a shape
  /// whose product overflows and for bytes that do not fill it exactly.
  static func decode(_ payload: Payload, path: String) throws(InputError) -> [Float] {
    let info = payload.info, place = info.source.isEmpty ? info.typeName : info.source
    guard info.element != .record else {
      throw InputError(path: path, place: place, expected: "a numeric array", found: "a packed record \(info.typeName)")
    }
    guard let count = info.shape.checkedCount, !count.multipliedReportingOverflow(by: info.element.size).overflow,
      count * info.element.size == payload.bytes.count
    else {
      throw InputError(
        path: path, place: place, expected: "\(info.shape) elements of \(info.element.size) bytes", found: "\(payload.bytes.count) bytes")
    }
    let bytes = payload.bytes
    switch info.element {
    case .uint8, .record: return bytes.map { Float($0) }
    case .int8: return bytes.map { Float(Int8(bitPattern: $0)) }
    case .uint16: return UInt16.array(littleEndian: bytes).map { Float($0) }
    case .int16: return Int16.array(littleEndian: bytes).map { Float($0) }
    case .uint32: return UInt32.array(littleEndian: bytes).map { Float($0) }
    case .int32: return Int32.array(littleEndian: bytes).map { Float($0) }
    case .uint64: return UInt64.array(littleEndian: bytes).map { Float($0) }
    case .int64: return Int64.array(littleEndian: bytes).map { Float($0) }
    case .float32: return Float.array(littleEndian: bytes)
    case .float64: return Double.array(littleEndian: bytes).map { Float($0) }
    }
  }
}
