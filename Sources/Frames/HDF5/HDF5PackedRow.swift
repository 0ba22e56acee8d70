import CHDF5
import Host

/// One row of a dataset, packed as HDF5's shuffle and deflate filters would: made on any thread, without the library's lock.
public struct HDF5PackedRow: Sendable {
  let bytes: [UInt8]
  let elementCount: Int
  let element: ElementType

  public init<Number: HDF5Number>(_ values: [Number], level: Int = 4) {
    element = Number.element
    elementCount = values.count
    let plain = Number.bytes(littleEndian: values)
    bytes = Deflater(level: level).deflated(element.size > 1 ? HDF5PackedRow.shuffled(plain, size: element.size) : plain)
  }

  /// Bytes in memory.
  public var byteCount: Int { bytes.count }

  /// The first bytes of all elements, then the second ones, …
  private static func shuffled(_ bytes: [UInt8], size: Int) -> [UInt8] {
    let count = bytes.count / size, source = bytes.span
    return unsafe [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, filled in
      for plane in 0..<size {
        let start = plane * count
        for i in 0..<count { unsafe buffer[start + i] = source[i * size + plane] }
      }
      filled = bytes.count
    }
  }
}

extension HDF5Dataset {
  /// Writes a packed row as it is. Traps unless the dataset has chunks of one row, shuffled where elements have several bytes
  /// and deflated, and the row its element type and extent.
  public func write(_ packed: HDF5PackedRow, at row: Int) throws(InputError) {
    precondition(element == .number(packed.element), "\(packed.element) cannot be written to \(path), which holds \(element)")
    precondition(shape.rank > 0 && (0..<shape[0]).contains(row), "no row \(row) in \(shape)")
    precondition(shape.extents.dropFirst().reduce(1, *) == packed.elementCount, "\(packed.elementCount) elements are no row of \(shape)")
    try HDF5Library.sequence { () throws(InputError) in
      var offset = [hsize_t](repeating: 0, count: shape.rank)
      offset[0] = hsize_t(row)
      try place.check(
        unsafe H5Dwrite_chunk(handle.id, psi_h5_default(), 0, offset, packed.bytes.count, packed.bytes), "room on disk",
        kind: .inputOutput)
    }
  }
}
