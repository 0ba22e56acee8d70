import Synchronization

/// Arrays of bytes that were read and are no longer needed, for the next frame to be read into. A fresh array of the size of a frame
/// costs a page fault every 4 kB, which is as much as reading into it.
public final class SpareBytes: Sendable {
  private let limit: Int
  private let kept = Mutex<[[UInt8]]>([])

  /// - Parameter limit: arrays that are kept.
  public init(limit: Int) { self.limit = limit }

  /// The caller must not hold it any more when it is taken again, or it is copied then.
  public func keep(_ bytes: consuming [UInt8]) {
    guard bytes.count >= 1 << 16 else { return }
    kept.withLock { [bytes] kept in
      if kept.count == limit { kept.removeFirst() }
      kept.append(bytes)
    }
  }

  /// One of exactly `count` bytes, which are of whatever it was.
  func take(_ count: Int) -> [UInt8]? {
    kept.withLock { kept in kept.lastIndex { $0.count == count }.map { kept.remove(at: $0) } }
  }
}
