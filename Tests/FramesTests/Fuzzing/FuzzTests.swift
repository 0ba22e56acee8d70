import Foundation
import Testing

private let environment = ProcessInfo.processInfo.environment

/// Damaged files of every format, read in child processes: no crash, no hang, no memory beyond a bound, and each refusal says where.
///
/// By default 2,000 mutants over all readers. `PSIMAGENET_FUZZ=100000` makes that many, `PSIMAGENET_FUZZ_TARGETS=xtc1,xtc2` of those
/// readers alone, from mutant `PSIMAGENET_FUZZ_FIRST` on, and prints a line for each.
@Suite struct FuzzTests {
  private static let targets: [FuzzTarget] = {
    guard let names = environment["PSIMAGENET_FUZZ_TARGETS"] else { return FuzzTarget.allCases }
    return names.split(separator: ",").compactMap { FuzzTarget(rawValue: String($0)) }
  }()

  @Test(.enabled(if: environment[FuzzRun.variable] == nil)) func damagedFilesAreReadOrRefused() throws {
    let wanted = environment["PSIMAGENET_FUZZ"].flatMap { Int($0) }
    let count = ((wanted ?? 2000) + Self.targets.count - 1) / Self.targets.count
    let first = environment["PSIMAGENET_FUZZ_FIRST"].flatMap { Int($0) } ?? 0
    let outcomes = try FuzzRun.run(Self.targets, seed: 2026, first: first, count: count)
    for target in Self.targets {
      let outcome = try #require(outcomes[target])
      #expect(outcome.inputs == count)
      #expect(outcome.complaints.isEmpty, "\(target), \(outcome.complaints.count): \(outcome.complaints.prefix(3))")
      #expect(outcome.hangs.isEmpty, "\(target) hangs on mutants \(outcome.hangs)")
      // libhdf5 1.10 is not safe on damaged files: what it crashes on ends a child, and is counted.
      #expect(outcome.crashes.isEmpty || target.isUnsafe, "\(target) crashes on mutants \(outcome.crashes)")
      guard wanted != nil else { continue }
      print(
        "fuzz \(target.rawValue): \(outcome.inputs) inputs, \(outcome.refused) refused, \(outcome.read) read, \(outcome.crashes.count) crashes,",
        "\(outcome.hangs.count) hangs, slowest \((outcome.slowest_s * 1e4).rounded() / 10) ms, peak \(outcome.peak >> 20) MiB")
    }
  }
}

/// The other side: does one job in its own process.
@Suite(.enabled(if: environment[FuzzRun.variable] != nil)) struct FuzzChild {
  @Test func work() throws {
    let text = try #require(environment[FuzzRun.variable])
    try FuzzRun.work(try JSONDecoder().decode(FuzzJob.self, from: Data(text.utf8)))
  }
}
