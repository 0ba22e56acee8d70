import Benchmarks
import Foundation
import Host
import Testing

/// A program of the shell that answers as a server would, for what `FreshProcess` makes of answers.
private func program(_ script: String) throws -> FreshProcess {
  FreshProcess("/bin/sh", ["-c", script])
}

@Test func startUpLastsUntilTheFirstStepIsAnswered() throws {
  let process = try program("echo '{\"ready\":true}'; read request; sleep 0.2; echo '{\"milliseconds\":[1]}'; read request; sleep 0.3")
  let samples = try process.startUp(count: 1, patience: .zero)
  #expect(samples.count + samples.discarded == 1)
  // The time after the answer does not count.
  if let time = samples.minimum { #expect(time >= 200 && time < 450) }
}

@Test func peakMemoryIsWhatTheProgramTells() throws {
  let process = try program(
    "echo '{\"ready\":true}'; read request; echo \"$request\" >&2; echo '{\"milliseconds\":[1]}'; read request; echo '{\"peakBytes\":4096}'; read request")
  #expect(try process.peakMemory(steps: 3) == 4096)
}

@Test func aProgramThatEndsEarlyIsAnErrorWithItsCode() throws {
  do {
    _ = try program("cat > /dev/null & sleep 0.1; exit 3").peakMemory(steps: 3)
    Issue.record("nothing was thrown")
  } catch let error as InputError { #expect(error.found.contains("code 3"), "\(error)") }
  #expect(throws: InputError.self) { try FreshProcess("/nowhere/program", []).startUp(count: 1, patience: .zero) }
}
