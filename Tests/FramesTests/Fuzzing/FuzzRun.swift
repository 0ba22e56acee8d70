import Foundation
import Host

/// A range of mutants of one target.
struct FuzzJob: Codable, Sendable {
  var target: FuzzTarget
  var seed: UInt64
  var first: Int
  var count: Int
  /// Where the child says which mutant it is at, and what it found.
  var folder: String

  var progressPath: String { folder + "/progress" }
  var outcomePath: String { folder + "/outcome.json" }
}

/// What became of a range of mutants.
struct FuzzOutcome: Codable, Sendable {
  var inputs = 0
  /// Ended by a typed error, and read to the end.
  var refused = 0, read = 0
  var slowest_s = 0.0
  /// The most memory that the process held, bytes; all of the child's, the program's own included.
  var peak = 0
  /// What must never happen, by mutant.
  var complaints: [String] = []
  /// Mutants that ended their process, by signal or out of memory, and those that did not end.
  var crashes: [Int] = []
  var hangs: [Int] = []
}

/// Runs mutants in child processes, so that a crash or a hang is one mutant's and not the run's.
enum FuzzRun {
  /// No input of at most `inputLimit` bytes makes the process hold more. The child cannot get more address space than that
  /// above what it had at its start: it would crash, and be counted.
  static let memoryBound = 1 << 30
  static let inputLimit = 1 << 20
  /// A mutant may take that long, s.
  static let timeBound = 20.0
  static let variable = "PSIMAGENET_FUZZ_CHILD"

  /// In the child: all mutants of the job.
  static func work(_ job: FuzzJob) throws {
    let scratch = try Scratch()
    let samples = try job.target.samples(in: scratch)
    let path = scratch.file(job.target.fileName)
    let intact = scratch.file(job.target.fileName.replacing("-s0", with: "-s1"))
    try Data(samples[0]).write(to: URL(fileURLWithPath: intact))
    limitMemory(above: FuzzRun.memoryBound)
    let progress = try unwrapped(FileHandle(forWritingAtPath: job.progressPath))
    var outcome = FuzzOutcome()
    let mutator = Mutator(seed: job.seed)
    let clock = ContinuousClock()
    for number in job.first..<job.first + job.count {
      try progress.seek(toOffset: 0)
      try progress.write(contentsOf: Data("\(number)\n".utf8))
      let mutant = mutator.mutant(number, of: samples[0], donors: Array(samples.dropFirst()))
      try Data(mutant).write(to: URL(fileURLWithPath: path))
      let start = clock.now
      do throws(InputError) {
        _ = try job.target.read(path, beside: intact) { outcome.complaints.append("mutant \(number): \($0)") }
        outcome.read += 1
      } catch {
        outcome.refused += 1
        if let lack = FuzzTarget.lack(error, path) { outcome.complaints.append("mutant \(number): \(lack)") }
      }
      outcome.inputs += 1
      let taken = (clock.now - start) / .seconds(1)
      outcome.slowest_s = max(outcome.slowest_s, taken)
      if taken > timeBound { outcome.complaints.append("mutant \(number): \(taken) s") }
    }
    outcome.peak = peakMemory()
    try JSONEncoder().encode(outcome).write(to: URL(fileURLWithPath: job.outcomePath))
  }

  /// In the parent: runs a job in children, going on behind each mutant that ends one.
  static func run(_ target: FuzzTarget, seed: UInt64, first: Int, count: Int) throws -> FuzzOutcome {
    let scratch = try Scratch()
    var total = FuzzOutcome()
    var next = first
    while next < first + count {
      let job = FuzzJob(target: target, seed: seed, first: next, count: first + count - next, folder: scratch.path)
      let (outcome, stopped, isHang) = try child(job)
      if let outcome {
        total.add(outcome)
        break
      }
      let at = try unwrapped(stopped)
      total.inputs += at - next + 1
      if isHang { total.hangs.append(at) } else { total.crashes.append(at) }
      next = at + 1
    }
    return total
  }

  private static func child(_ job: FuzzJob) throws -> (outcome: FuzzOutcome?, stopped: Int?, isHang: Bool) {
    try Data("\(job.first)\n".utf8).write(to: URL(fileURLWithPath: job.progressPath))
    if FileManager.default.fileExists(atPath: job.outcomePath) { try FileManager.default.removeItem(atPath: job.outcomePath) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
    process.arguments = ["--testing-library", "swift-testing", "--filter", "FuzzChild"]
    var environment = ProcessInfo.processInfo.environment
    environment[variable] = String(decoding: try JSONEncoder().encode(job), as: UTF8.self)
    process.environment = environment
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    var last = job.first, since = ContinuousClock().now
    while process.isRunning {
      Thread.sleep(forTimeInterval: 0.02)
      let now = try position(job)
      if now != last { (last, since) = (now, ContinuousClock().now) }
      if ContinuousClock().now - since > .seconds(3 * timeBound) {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        return (nil, last, true)
      }
    }
    guard process.terminationReason == .exit, process.terminationStatus == 0,
      let data = FileManager.default.contents(atPath: job.outcomePath)
    else { return (nil, try position(job), false) }
    return (try JSONDecoder().decode(FuzzOutcome.self, from: data), nil, false)
  }

  private static func position(_ job: FuzzJob) throws -> Int {
    let text = String(decoding: try unwrapped(FileManager.default.contents(atPath: job.progressPath)), as: UTF8.self)
    return try unwrapped(text.split(separator: "\n").first.flatMap { Int($0) })
  }

  private struct Absent: Error {}
  private static func unwrapped<T>(_ value: T?) throws -> T {
    guard let value else { throw Absent() }
    return value
  }

  private static func status(_ key: String) -> Int {
    let text = String(decoding: FileManager.default.contents(atPath: "/proc/self/status") ?? Data(), as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix(key) }
    return (line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0) << 10
  }

  private static func peakMemory() -> Int { status("VmHWM") }

  private static func limitMemory(above bytes: Int) {
    let limit = rlim_t(status("VmSize") + bytes)
    var limits = rlimit(rlim_cur: limit, rlim_max: limit)
    precondition(setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limits) == 0, "the memory of the child cannot be limited")
  }
}

extension FuzzOutcome {
  mutating func add(_ other: FuzzOutcome) {
    inputs += other.inputs
    refused += other.refused
    read += other.read
    slowest_s = max(slowest_s, other.slowest_s)
    peak = max(peak, other.peak)
    complaints += other.complaints
    crashes += other.crashes
    hangs += other.hangs
  }
}
