import Foundation
import Host
import TestSupport

/// Ranges of mutants for one child.
struct FuzzJob: Codable, Sendable {
  struct Part: Codable, Sendable {
    var target: FuzzTarget
    var first: Int
    var count: Int
  }

  var parts: [Part]
  var seed: UInt64
  /// Where the child says which mutant it is at, and what it found.
  var folder: String

  var progressPath: String { folder + "/progress" }
  func outcomePath(_ target: FuzzTarget) -> String { folder + "/\(target.rawValue).json" }
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
    limitMemory(above: FuzzRun.memoryBound)
    let progress = try unwrapped(FileHandle(forWritingAtPath: job.progressPath))
    for part in job.parts {
      let outcome = try work(part, seed: job.seed, progress)
      try JSONEncoder().encode(outcome).write(to: URL(fileURLWithPath: job.outcomePath(part.target)))
    }
  }

  private static func work(_ part: FuzzJob.Part, seed: UInt64, _ progress: FileHandle) throws -> FuzzOutcome {
    let scratch = Scratch()
    let samples = try part.target.samples(in: scratch)
    precondition(samples.allSatisfy { $0.count <= inputLimit / 2 }, "samples are small, so that their mutants are")
    let path = scratch.file(part.target.fileName)
    let intact = scratch.file(part.target.fileName.replacing("-s0", with: "-s1"))
    try AtomicFile.makeFolder((path as NSString).deletingLastPathComponent)
    try Data(samples[0]).write(to: URL(fileURLWithPath: intact))
    var outcome = FuzzOutcome()
    let mutator = Mutator(seed: seed)
    let clock = ContinuousClock()
    for number in part.first..<part.first + part.count {
      try progress.seek(toOffset: 0)
      try progress.write(contentsOf: Data("\(part.target.rawValue) \(number)\n".utf8))
      let mutant = mutator.mutant(number, of: samples[0], donors: Array(samples.dropFirst()))
      try Data(mutant).write(to: URL(fileURLWithPath: path))
      let start = clock.now
      do throws(InputError) {
        _ = try part.target.read(path, beside: intact) { outcome.complaints.append("mutant \(number): \($0)") }
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
    return outcome
  }

  /// In the parent: runs mutants `first ..< first + count` of each target in children, going on behind each that ends one.
  static func run(_ targets: [FuzzTarget], seed: UInt64, first: Int, count: Int) throws -> [FuzzTarget: FuzzOutcome] {
    let scratch = Scratch()
    var total: [FuzzTarget: FuzzOutcome] = [:]
    var parts = targets.map { FuzzJob.Part(target: $0, first: first, count: count) }
    while !parts.isEmpty {
      let job = FuzzJob(parts: parts, seed: seed, folder: scratch.path)
      let stop = try child(job)
      while let part = parts.first {
        if let data = FileManager.default.contents(atPath: job.outcomePath(part.target)) {
          total[part.target, default: FuzzOutcome()].add(try JSONDecoder().decode(FuzzOutcome.self, from: data))
          try FileManager.default.removeItem(atPath: job.outcomePath(part.target))
          parts.removeFirst()
          continue
        }
        let place = try unwrapped(stop)
        guard place.target == part.target else { throw Absent() }
        total[part.target, default: FuzzOutcome()].inputs += place.number - part.first + 1
        if place.isHang {
          total[part.target]?.hangs.append(place.number)
        } else {
          total[part.target]?.crashes.append(place.number)
        }
        parts[0] = FuzzJob.Part(target: part.target, first: place.number + 1, count: part.first + part.count - place.number - 1)
        break
      }
    }
    return total
  }

  private struct Stop {
    var target: FuzzTarget
    var number: Int
    var isHang: Bool
  }

  /// Where the child ended before its job did, `nil` where it did all.
  private static func child(_ job: FuzzJob) throws -> Stop? {
    try Data("\(job.parts[0].target.rawValue) \(job.parts[0].first)\n".utf8).write(to: URL(fileURLWithPath: job.progressPath))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
    process.arguments = ["--testing-library", "swift-testing", "--filter", "FuzzChild"]
    var environment = ProcessInfo.processInfo.environment
    environment[variable] = String(decoding: try JSONEncoder().encode(job), as: UTF8.self)
    process.environment = environment
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    var last = try position(job), since = ContinuousClock().now
    while process.isRunning {
      Thread.sleep(forTimeInterval: 0.02)
      let now = try position(job)
      if now != last { (last, since) = (now, ContinuousClock().now) }
      if ContinuousClock().now - since > .seconds(3 * timeBound) {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        return Stop(target: last.target, number: last.number, isHang: true)
      }
    }
    if process.terminationReason == .exit, process.terminationStatus == 0 { return nil }
    let (target, number) = try position(job)
    return Stop(target: target, number: number, isHang: false)
  }

  private static func position(_ job: FuzzJob) throws -> (target: FuzzTarget, number: Int) {
    let text = String(decoding: try unwrapped(FileManager.default.contents(atPath: job.progressPath)), as: UTF8.self)
    let words = try unwrapped(text.split(separator: "\n").first).split(separator: " ")
    guard words.count == 2 else { throw Absent() }
    return (try unwrapped(FuzzTarget(rawValue: String(words[0]))), try unwrapped(Int(words[1])))
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
