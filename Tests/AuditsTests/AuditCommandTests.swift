import Foundation
import Host
import Testing

/// The built command line, which lies beside the bundle of tests.
private enum Command {
  static let path: String = {
    let beside = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    return [beside, package + "/.build/release"].map { $0 + "/psimagenet" }.first { FileManager.default.isExecutableFile(atPath: $0) } ?? ""
  }()

  /// Exit code and what it said on standard output.
  static func run(_ arguments: [String]) throws -> (code: Int32, text: String) {
    let process = Process(), output = Pipe()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }
}

@Suite(.enabled(if: !Command.path.isEmpty, "the executable psimagenet has not been built"))
struct AuditCommandTests {
  @Test func theExitCodeSaysWhetherAGateFailed() throws {
    let scratch = Scratch()
    var runs = CameraRuns()
    let clean = try runs.build(scratch)
    let passed = try Command.run(["audit", clean.folder, "--quiet", "--out", scratch("a.json"), "--html", scratch("a.html")])
    #expect(passed.code == 0 && passed.text.contains("PASSED"))
    #expect(FileManager.default.fileExists(atPath: scratch("a.json")) && FileManager.default.fileExists(atPath: scratch("a.html")))
    let other = Scratch()
    runs.spoil = { $0.isB = $0.run % 2 == 0 }
    let leaking = try runs.build(other)
    let failed = try Command.run(["audit", leaking.folder, "--quiet"])
    #expect(failed.code == 1 && failed.text.contains("label from run"))
    #expect(try Command.run(["audit", scratch("nothing"), "--quiet"]).code == 66)
    try AtomicFile.write(Data("{\"runs\": 1}".utf8), to: scratch("bad.json"))
    #expect(try Command.run(["audit", clean.folder, "--quiet", "--bounds", scratch("bad.json")]).code == 65)
  }
}
