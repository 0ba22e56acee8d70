import Engine
import Foundation
import Host

/// Runs one workload on request, line by line, so that a driver can keep several programs alive and time them in turn.
///
/// Requests: `step 8` runs 8 steps; `memory` tells the most memory that the process held; `quit`, or the end of the input, ends.
/// Each is answered by one line of JSON; the first line, unasked, tells that all is ready. What is not understood is answered by
/// `{"error": …}` and changes nothing.
public struct StepServer {
  public struct Ready: Codable, Hashable, Sendable {
    public var ready = true
    public var program = "psimagenet"
    public var workload: Workload
    public var threads: Int
    public var compileMilliseconds: Double
    public var planBytes: Int
    public var floatingPointOperations: Int
  }

  public struct Steps: Codable, Hashable, Sendable {
    public var milliseconds: [Double]
    /// Of the last step, in training.
    public var loss: Double?
  }

  public struct Memory: Codable, Hashable, Sendable { public var peakBytes: Int }
  public struct Refusal: Codable, Hashable, Sendable { public var error: String }

  private let compiled: CompiledWorkload

  /// Compiles the workload.
  public init(_ workload: Workload, kernels: KernelChoice = .fixed) throws {
    compiled = try CompiledWorkload(workload, kernels: kernels)
  }

  /// Answers requests until there are no more.
  public func serve(requests: () -> String?, answer: (String) -> Void) throws {
    func send(_ value: some Encodable) throws { answer(String(decoding: try CanonicalJSON.data(value, pretty: false), as: UTF8.self)) }
    try send(Ready(
      workload: compiled.workload, threads: EngineThreads.count, compileMilliseconds: compiled.compileMilliseconds,
      planBytes: compiled.planBytes, floatingPointOperations: compiled.floatingPointOperations))
    let clock = ContinuousClock()
    while let request = requests() {
      let words = request.split(separator: " ")
      switch (words.first, words.count) {
      case ("quit", 1): return
      case ("memory", 1): try send(Memory(peakBytes: try ProcessMemory.peakBytes()))
      case ("step", 2):
        guard let count = Int(words[1]), (1...100_000).contains(count) else { fallthrough }
        var times: [Double] = [], last: Float = 0
        for _ in 0..<count {
          let began = clock.now
          last = try compiled.step()
          times.append((clock.now - began).milliseconds)
        }
        try send(Steps(milliseconds: times, loss: compiled.workload.kind == .training && last.isFinite ? Double(last) : nil))
      default: try send(Refusal(error: "expected \"step <count>\", \"memory\" or \"quit\", found \"\(request)\""))
      }
    }
  }
}
