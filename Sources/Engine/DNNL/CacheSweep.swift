/// Memory whose walking through leaves nothing else in the caches: a kernel that is timed alone would otherwise find there what it
/// has just read, which in a network lies between other layers' results.
@safe final class CacheSweep {
  private let arena: Arena
  private let lineCount: Int
  private static let line = 64

  /// - Parameter byteCount: Larger than the caches that a core can fill.
  init(byteCount: Int = 32 << 20) {
    arena = Arena(byteCount: byteCount)
    lineCount = byteCount / CacheSweep.line
  }

  /// Writes to every line, on all cores of the engine. Cost: about a millisecond.
  func run() {
    let base = unsafe UInt(bitPattern: arena.address(at: 0))
    EngineThreads.split(lineCount) { lines in
      for line in lines {
        unsafe UnsafeMutablePointer<UInt64>(bitPattern: base + UInt(line * CacheSweep.line))!.pointee &+= 1
      }
    }
  }
}
