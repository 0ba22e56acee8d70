extension ElementType {
  /// The integers that `bytes` hold, `nil` for those beyond Int; traps for records and reals.
  func integers(littleEndian bytes: [UInt8]) -> [Int?] {
    switch self {
    case .uint8: bytes.map { Int($0) }
    case .int8: bytes.map { Int(Int8(bitPattern: $0)) }
    case .uint16: UInt16.array(littleEndian: bytes).map { Int($0) }
    case .int16: Int16.array(littleEndian: bytes).map { Int($0) }
    case .uint32: UInt32.array(littleEndian: bytes).map { Int($0) }
    case .int32: Int32.array(littleEndian: bytes).map { Int($0) }
    case .uint64: UInt64.array(littleEndian: bytes).map { Int(exactly: $0) }
    case .int64: Int64.array(littleEndian: bytes).map { Int($0) }
    case .float32, .float64, .record: preconditionFailure("\(self) holds no integers")
    }
  }

  /// The numbers that `bytes` hold, as Double: exact but for integers beyond 2^53; traps for records.
  func doubles(littleEndian bytes: [UInt8]) -> [Double] {
    switch self {
    case .uint8: bytes.map { Double($0) }
    case .int8: bytes.map { Double(Int8(bitPattern: $0)) }
    case .uint16: UInt16.array(littleEndian: bytes).map { Double($0) }
    case .int16: Int16.array(littleEndian: bytes).map { Double($0) }
    case .uint32: UInt32.array(littleEndian: bytes).map { Double($0) }
    case .int32: Int32.array(littleEndian: bytes).map { Double($0) }
    case .uint64: UInt64.array(littleEndian: bytes).map { Double($0) }
    case .int64: Int64.array(littleEndian: bytes).map { Double($0) }
    case .float32: Float.array(littleEndian: bytes).map { Double($0) }
    case .float64: Double.array(littleEndian: bytes)
    case .record: preconditionFailure("a record holds no plain numbers")
    }
  }
}
