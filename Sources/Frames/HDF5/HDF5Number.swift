import CHDF5

/// A number that HDF5 stores as it stands in memory.
public protocol HDF5Number: BitwiseCopyable, Sendable {
  static var element: ElementType { get }
}

extension UInt8: HDF5Number { public static var element: ElementType { .uint8 } }
extension Int8: HDF5Number { public static var element: ElementType { .int8 } }
extension UInt16: HDF5Number { public static var element: ElementType { .uint16 } }
extension Int16: HDF5Number { public static var element: ElementType { .int16 } }
extension UInt32: HDF5Number { public static var element: ElementType { .uint32 } }
extension Int32: HDF5Number { public static var element: ElementType { .int32 } }
extension UInt64: HDF5Number { public static var element: ElementType { .uint64 } }
extension Int64: HDF5Number { public static var element: ElementType { .int64 } }
extension Float: HDF5Number { public static var element: ElementType { .float32 } }
extension Double: HDF5Number { public static var element: ElementType { .float64 } }

// Machines that this program runs on are little-endian; a big-endian one must not pass in silence.
#if _endian(big)
  #error("payload bytes are little-endian: add byte swapping before building for a big-endian machine")
#endif

extension HDF5Number {
  /// The numbers whose little-endian bytes these are; traps where bytes are left over.
  public static func array(littleEndian bytes: [UInt8]) -> [Self] {
    let size = MemoryLayout<Self>.stride
    precondition(bytes.count % size == 0, "\(bytes.count) bytes are no whole number of \(Self.self)")
    return unsafe [Self](unsafeUninitializedCapacity: bytes.count / size) { buffer, count in
      // Same bytes, other type: every bit pattern is a number.
      unsafe UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes)
      count = bytes.count / size
    }
  }

  /// The little-endian bytes of `numbers`.
  public static func bytes(littleEndian numbers: [Self]) -> [UInt8] {
    unsafe numbers.withUnsafeBytes { unsafe [UInt8]($0) }
  }
}

extension ElementType {
  /// HDF5's little-endian type; traps for records.
  var hdf5: hid_t {
    let order: [ElementType] = [.uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64, .float32, .float64]
    guard let position = order.firstIndex(of: self) else { preconditionFailure("HDF5 has no element type \(self)") }
    return psi_h5_little_endian(Int32(position))
  }
}
