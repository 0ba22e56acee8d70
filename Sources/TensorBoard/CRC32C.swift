import Foundation

/// The cyclic redundancy check by Castagnoli's polynomial 0x1EDC6F41, bits reversed. Source: RFC 3720, appendix B.4.
package enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
  }

  package static func value(of data: Data) -> UInt32 {
    ~data.reduce(~0) { crc, byte in crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] }
  }

  /// As records carry it, so that the check of a record that holds checks stays one. Source: TensorFlow, `crc32c.h`.
  static func masked(_ data: Data) -> UInt32 {
    let crc = value(of: data)
    return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
  }
}
