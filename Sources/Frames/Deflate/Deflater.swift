import CDeflate

/// Compresses to zlib streams (RFC 1950) with libdeflate. The bytes depend on the input, the level and the version of
/// libdeflate, not on the machine. Belongs to one thread at a time; making one takes some ten microseconds.
@safe final class Deflater {
  private let state: OpaquePointer

  /// `level` 1 (fast) ... 12 (small).
  init(level: Int) {
    precondition((1...12).contains(level), "levels are 1...12, not \(level)")
    guard let state = unsafe libdeflate_alloc_compressor(Int32(level)) else { preconditionFailure("no memory for a compressor") }
    unsafe self.state = state
  }

  deinit { unsafe libdeflate_free_compressor(state) }

  func deflated(_ bytes: [UInt8]) -> [UInt8] {
    let bound = unsafe libdeflate_zlib_compress_bound(state, bytes.count)
    return unsafe [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      unsafe count = libdeflate_zlib_compress(state, bytes, bytes.count, buffer.baseAddress, bound)
      precondition(count > 0, "a stream longer than libdeflate's own bound")
    }
  }
}
