import Dispatch
import Foundation
import Host
import Synchronization
import Tensors

/// Hands out the batches of a run in order.
package final class BatchQueue: Sendable {
  /// When batches are made.
  package enum Way: Sendable { case between, beside(niceness: Int32) }

  private let maker: BatchMaker
  private let way: Way
  private let last: Int
  private let ready = Mutex<[Int: Result<[String: Tensor<Float>], InputError>]>([:])
  private let wanted = DispatchSemaphore(value: 0)
  private let made = DispatchSemaphore(value: 0)

  package init(_ maker: BatchMaker, from step: Int, through last: Int, way: Way = .between) {
    (self.maker, self.last, self.way) = (maker, last, way)
    guard case .beside(let niceness) = way else { return }
    if step <= last { wanted.signal() }
    let thread = Thread { [self] in
      // On Linux 0 means this thread.
      setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness)
      for step in step..<max(step, last + 1) {
        wanted.wait()
        let result: Result<[String: Tensor<Float>], InputError>
        do throws(InputError) { result = .success(try maker.training(step: step, concurrently: false)) } catch { result = .failure(error) }
        ready.withLock { $0[step] = result }
        made.signal()
      }
    }
    thread.start()
  }

  /// The batch of `step`. Steps are asked for in order.
  package func next(_ step: Int) throws(InputError) -> [String: Tensor<Float>] {
    guard case .beside = way else { return try maker.training(step: step) }
    made.wait()
    wanted.signal()
    let result: Result<[String: Tensor<Float>], InputError> = ready.withLock { $0.removeValue(forKey: step)! }
    return try result.get()
  }
}
