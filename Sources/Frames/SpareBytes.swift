import Synchronization

/// Arrays of bytes that were read and are no longer needed, for the next frame to be read into. A fresh array of the size of a frame
/// costs a page fault every 4 kB, which is as much as reading into it.
///
/// Only arrays of the size that was last asked for are kept: none for readers that never ask.
public final class SpareBytes: Sendable {
  private let limit: Int
  private let state = Mutex<(wanted: Int, kept: [[UInt8]])>((0, []))

  /// - Parameter limit: arrays that are kept.
  public init(limit: Int) { self.limit = limit }

  /// The caller must not hold it any more when it is taken again, or it is copied then.
  public func keep(_ bytes: consuming [UInt8]) {
    state.withLock { [bytes] state in
      if bytes.count == state.wanted, state.kept.count < limit { state.kept.append(bytes) }
    }
  }

  /// One of exactly `count` bytes, which are of whatever it was.
  package func take(_ count: Int) -> [UInt8]? {
    state.withLock { state in
      if count != state.wanted { state = (count, []) }
      return state.kept.popLast()
    }
  }
}
