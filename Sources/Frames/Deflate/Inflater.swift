import CDeflate

/// Decompresses zlib streams (RFC 1950) with libdeflate, which is 1.7 times as fast as zlib on detector pictures.
/// Belongs to one thread at a time; making one costs a microsecond.
@safe final class Inflater {
  private let state: OpaquePointer

  init() {
    guard let state = unsafe libdeflate_alloc_decompressor() else { preconditionFailure("no memory for a decompressor") }
    unsafe self.state = state
  }

  deinit { unsafe libdeflate_free_decompressor(state) }

  /// Fills `output` from `bytes`. `nil` when the stream is intact (its checksum included), takes all of `bytes` and gives exactly
  /// as many bytes as `output` has room for; else what is wrong with it.
  func inflate(_ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> String? {
    var taken = 0, made = 0
    let result = unsafe libdeflate_zlib_decompress_ex(
      state, bytes.baseAddress, bytes.count, output.baseAddress, output.count, &taken, &made)
    switch result {
    case LIBDEFLATE_SUCCESS:
      if made != output.count { return "a stream of \(made) bytes" }
      return taken == bytes.count ? nil : "a stream that ends after \(taken) of \(bytes.count) stored bytes"
    case LIBDEFLATE_INSUFFICIENT_SPACE: return "a stream of more bytes"
    default: return "a damaged stream"
    }
  }

  /// The stream that `bytes` begin with, decoded; `nil` where it is damaged or longer than `limit`. Memory grows with what is
  /// decoded, never with what a header claims.
  func inflated(_ bytes: UnsafeRawBufferPointer, limit: Int) -> [UInt8]? {
    var room = min(limit, max(4096, 4 * bytes.count))
    while true {
      var result = LIBDEFLATE_BAD_DATA
      let output = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, made in
        var taken = 0
        result = unsafe libdeflate_zlib_decompress_ex(state, bytes.baseAddress, bytes.count, buffer.baseAddress, room, &taken, &made)
        if result != LIBDEFLATE_SUCCESS { made = 0 }
      }
      if result == LIBDEFLATE_SUCCESS { return output }
      guard result == LIBDEFLATE_INSUFFICIENT_SPACE, room < limit else { return nil }
      room = min(limit, 2 * room)
    }
  }
}
