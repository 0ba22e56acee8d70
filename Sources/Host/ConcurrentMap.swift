import Dispatch
import Synchronization

extension RandomAccessCollection where Self: Sendable, Index == Int {
  /// The transformed elements in order, computed on all processors. Throws the error of the first element that has one, after
  /// all were tried.
  public func concurrentMap<Transformed: Sendable, Failure: Error>(
    _ transform: @Sendable (Element) throws(Failure) -> Transformed
  ) throws(Failure) -> [Transformed] {
    let results = Mutex([Result<Transformed, Failure>?](repeating: nil, count: count)), start = startIndex
    DispatchQueue.concurrentPerform(iterations: count) { i in
      let result: Result<Transformed, Failure>
      do throws(Failure) { result = .success(try transform(self[start + i])) } catch { result = .failure(error) }
      results.withLock { $0[i] = result }
    }
    var transformed: [Transformed] = []
    transformed.reserveCapacity(count)
    // Every slot was filled once.
    for result in results.withLock({ $0 }) { transformed.append(try result!.get()) }
    return transformed
  }
}
