import Foundation
import Host

/// What can only be measured on a process of its own: time from its start to the first finished step, and its peak memory.
public struct FreshProcess: Sendable {
  /// A program that answers as `StepServer` does, and its arguments.
  public let executable: String
  public let arguments: [String]

  public init(_ executable: String, _ arguments: [String]) { (self.executable, self.arguments) = (executable, arguments) }

  /// Wall time from starting the program until its first step is answered, once per sample; samples under foreign load are discarded.
  /// One start that is not counted comes before: files are then in memory, and kernels have been timed where they are to be.
  /// Throws when it ends without an answer.
  public func startUp(count: Int, patience: Duration) throws -> Samples {
    _ = try millisecondsToFirstStep()
    let clock = ContinuousClock(), began = clock.now
    var samples = Samples()
    repeat {
      let before = try ProcessorTimes.now(), time = try millisecondsToFirstStep()
      if ForeignLoad(from: before, to: try .now()).isClean { samples.milliseconds.append(time) } else { samples.discarded += 1 }
    } while samples.count < count && clock.now - began < patience
    return samples
  }

  /// Returns once the program has ended, since its processor time is known only then.
  private func millisecondsToFirstStep() throws -> Double {
    let clock = ContinuousClock(), start = clock.now
    let (process, input, output) = try launch("step 1\n")
    _ = try answer(from: output, having: "milliseconds", process)
    let time = (clock.now - start).milliseconds
    try finish(process, input)
    return time
  }

  /// The most memory that the program held after `steps` steps, bytes.
  public func peakMemory(steps: Int) throws -> Int {
    let (process, input, output) = try launch("step \(steps)\nmemory\n")
    let line = try answer(from: output, having: "peakBytes", process)
    try finish(process, input)
    return try CanonicalJSON.value(StepServer.Memory.self, from: Data(line.utf8), path: executable).peakBytes
  }

  private func launch(_ requests: String) throws -> (Process, FileHandle, FileHandle) {
    let process = Process(), input = Pipe(), output = Pipe()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.standardInput = input
    process.standardOutput = output
    do { try process.run() } catch {
      throw InputError(.missing, path: executable, place: "", expected: "a program that starts", found: error.localizedDescription)
    }
    try input.fileHandleForWriting.write(contentsOf: Data(requests.utf8))
    return (process, input.fileHandleForWriting, output.fileHandleForReading)
  }

  /// The first line that contains `key`.
  private func answer(from output: FileHandle, having key: String, _ process: Process) throws -> String {
    var text = Data()
    while true {
      let more = output.availableData
      text += more
      let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
      if let line = lines.map({ String(decoding: $0, as: UTF8.self) }).first(where: { $0.contains("\"\(key)\"") }) { return line }
      guard !more.isEmpty else {
        process.waitUntilExit()
        throw InputError(
          path: executable, place: arguments.joined(separator: " "), expected: "an answer with \(key)",
          found: "the end of the program, code \(process.terminationStatus)")
      }
    }
  }

  private func finish(_ process: Process, _ input: FileHandle) throws {
    try input.write(contentsOf: Data("quit\n".utf8))
    try input.close()
    process.waitUntilExit()
  }
}
