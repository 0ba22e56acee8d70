import CXXHash
import Foundation

extension Checksum {
  /// The XXH3 checksum of a file, 128 bits in hexadecimal, as `xxh128sum` prints it; of several files, of their checksums in a row.
  ///
  /// It tells any damage or mix-up of raw files and is read as fast as they are, some ten times faster than SHA-256. It is no proof
  /// against somebody who forges a file; what is published has SHA-256.
  /// Throws for a file that cannot be read.
  public static func xxh128(files paths: [String]) throws(InputError) -> String {
    var digests: [String] = []
    for path in paths {
      let hasher = XXH128()
      try hasher.add(file: path)
      digests.append(hasher.digest())
    }
    guard digests.count != 1 else { return digests[0] }
    let hasher = XXH128()
    hasher.add(Array(digests.joined().utf8))
    return hasher.digest()
  }
}

extension Checksum {
  /// The same of bytes in memory, part behind part, as `xxh128sum` prints it of a file that holds them.
  public static func xxh128(of parts: some Sequence<[UInt8]>) -> String {
    let hasher = XXH128()
    for part in parts { hasher.add(part) }
    return hasher.digest()
  }
}

/// XXH3 with 128 bits on its way through the bytes of a file.
@safe private final class XXH128 {
  private let state: OpaquePointer

  init() {
    guard let state = unsafe XXH3_createState() else { fatalError("no memory for a checksum") }
    unsafe self.state = state
    unsafe XXH3_128bits_reset(state)
  }

  deinit { unsafe XXH3_freeState(state) }

  func add(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { _ = unsafe XXH3_128bits_update(state, $0.baseAddress, $0.count) }
  }

  /// In pieces that stay in the cache.
  func add(file path: String) throws(InputError) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw InputError(.missing, path: path, place: "", expected: "a readable file", found: unsafe String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 256 << 10), length = 0
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress!, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw InputError(
          .inputOutput, path: path, place: "byte \(length)", expected: "a readable file", found: unsafe String(cString: strerror(errno)))
      }
      if count == 0 { return }
      unsafe buffer.withUnsafeBytes { _ = unsafe XXH3_128bits_update(state, $0.baseAddress, count) }
      length += count
    }
  }

  func digest() -> String {
    var canonical = XXH128_canonical_t()
    unsafe XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state))
    return unsafe withUnsafeBytes(of: canonical) { unsafe Checksum.hex($0) }
  }
}
