import Dispatch
import Synchronization

extension Array where Element: Sendable {
  /// The transformed elements in order, computed on all processors.
  func concurrentMap<Result: Sendable>(_ transform: @Sendable (Element) -> Result) -> [Result] {
    let results = Mutex([Result?](repeating: nil, count: count))
    DispatchQueue.concurrentPerform(iterations: count) { i in
      let result = transform(self[i])
      results.withLock { $0[i] = result }
    }
    // Every slot was filled once.
    return results.withLock { $0.compactMap { $0 } }
  }
}
