import Foundation
import Testing

private let environment = ProcessInfo.processInfo.environment

/// Damaged files of every format, read in child processes: no crash, no hang, no memory beyond a bound, and each refusal says where.
///
/// By default 2,000 mutants over all readers. `PSIMAGENET_FUZZ=100000` makes that many, `PSIMAGENET_FUZZ_TARGETS=xtc1,xtc2` of those
/// readers alone, from mutant `PSIMAGENET_FUZZ_FIRST` on, and prints a line for each.
@Suite(.serialized) struct FuzzTests {
  static let targets: [FuzzTarget] = {
    guard let names = environment["PSIMAGENET_FUZZ_TARGETS"] else { return FuzzTarget.allCases }
    return names.split(separator: ",").compactMap { FuzzTarget(rawValue: String($0)) }
  }()
  private static let count = (environment["PSIMAGENET_FUZZ"].flatMap { Int($0) } ?? 2000) / max(1, targets.count)

  @Test(.enabled(if: environment[FuzzRun.variable] == nil), arguments: FuzzTests.targets)
  func damagedFilesAreReadOrRefused(target: FuzzTarget) throws {
    let first = environment["PSIMAGENET_FUZZ_FIRST"].flatMap { Int($0) } ?? 0
    let outcome = try FuzzRun.run(target, seed: 2026, first: first, count: Self.count)
    #expect(outcome.inputs == Self.count)
    #expect(outcome.complaints.isEmpty, "\(outcome.complaints.count): \(outcome.complaints.prefix(3))")
    #expect(outcome.hangs == [])
    // libhdf5 1.10 is not safe on damaged files: what it crashes on ends a child, and is counted.
    if !target.isUnsafe { #expect(outcome.crashes == []) }
    if environment["PSIMAGENET_FUZZ"] != nil {
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
