import Dispatch
import Engine
import Foundation
import Host
import struct Host.Progress
import Synchronization

/// Runs independent jobs side by side, each on its own thread with its share of the cores.
enum Lanes {
  /// Steps done by all jobs, as one progress line.
  private final class Total: Sendable {
    private let state: Mutex<(done: [Int], note: String)>
    private let total: Int
    private let activity: String
    private let line: ProgressLine?

    init(_ activity: String, jobs: Int, total: Int, line: ProgressLine?) {
      state = Mutex((Array(repeating: 0, count: jobs), ""))
      (self.total, self.activity, self.line) = (total, activity, line)
    }

    func report(job: Int, _ progress: Progress) {
      let done = state.withLock { state in
        state.done[job] = progress.done
        return state.done.reduce(0, +)
      }
      line?.show(Progress(activity, done: done, total: total, note: "\(progress.activity): \(progress.note)"))
    }
  }

  /// `work` of every job, as many at once as there are cores; throws the first error in the order of the jobs.
  static func run<Job: Sendable, Result: Sendable>(
    _ activity: String, _ jobs: [Job], steps: Int, line: ProgressLine?,
    _ work: @escaping @Sendable (Job, @escaping ProgressHandler) throws -> Result
  ) throws -> [Result] {
    let cores = EngineThreads.count, lanes = max(1, min(cores, jobs.count)), share = max(1, cores / lanes)
    let total = Total(activity, jobs: jobs.count, total: steps, line: line)
    let shared = Shared<Result>(), linearAlgebra = BLAS.threadCount
    BLAS.useThreads(share)
    defer { BLAS.useThreads(linearAlgebra) }
    let group = DispatchGroup()
    for _ in 0..<lanes {
      group.enter()
      // A thread of its own: plans stay on the thread that made them, and OpenMP keeps its settings by thread.
      let thread = Thread {
        EngineThreads.use(share)
        while let job = shared.take(below: jobs.count) {
          shared.store(job, Swift.Result { try work(jobs[job]) { total.report(job: job, $0) } })
        }
        group.leave()
      }
      thread.stackSize = 16 << 20
      thread.start()
    }
    group.wait()
    return try jobs.indices.map { try shared.result($0).get() }
  }

  private final class Shared<Result: Sendable>: Sendable {
    private let next = Mutex(0)
    private let results = Mutex([Int: Swift.Result<Result, any Error>]())

    func take(below count: Int) -> Int? {
      next.withLock { next in
        guard next < count else { return nil }
        next += 1
        return next - 1
      }
    }
    func store(_ job: Int, _ result: Swift.Result<Result, any Error>) { results.withLock { $0[job] = result } }
    func result(_ job: Int) -> Swift.Result<Result, any Error> { results.withLock { $0[job]! } }
  }
}
