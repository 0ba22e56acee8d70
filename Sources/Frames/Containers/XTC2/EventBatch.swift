import Host

/// The subframes of one record of the LCLS-II event batcher, such as the raw record of the time tool's line camera.
///
/// Layout, little-endian: a header of 16 bytes; then per subframe its data, padded to 16 bytes, and a tail of 16 bytes that
/// begins with the data's size (u32) and its destination (u8). It is read from the end. Derived from the 1325 records of a real
/// run: destination 0 is timing, 1 the firmware's edge position, 2 the full row of 2048 pixels, in every third record.
public enum EventBatch {
  /// The data of the subframe with that destination, `nil` where the record has none.
  /// Throws where the tails do not chain back to the header.
  public static func subframe(_ destination: UInt8, of record: [UInt8], path: String, place: String) throws(InputError) -> [UInt8]? {
    var end = record.count
    var found: [UInt8]?
    while end > 16 {
      let tail = end - 16
      let size = (0..<4).reduce(0) { $0 | Int(record[tail + $1]) << (8 * $1) }
      let start = tail - (size + 15) / 16 * 16
      guard start >= 16, size > 0 else {
        throw InputError(
          path: path, place: "\(place), byte \(tail)", expected: "a subframe of 1 to \(max(0, tail - 16)) bytes", found: "\(size)")
      }
      if record[tail + 4] == destination { found = Array(record[start..<start + size]) }
      end = start
    }
    guard end == 16 else {
      throw InputError(path: path, place: "\(place), byte 0", expected: "a header of 16 bytes", found: "\(end)")
    }
    return found
  }
}
