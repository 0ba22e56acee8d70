import Foundation
import Host
import TestSupport
import Testing

@Suite(.enabled(if: Command.isBuilt, Comment(rawValue: Command.absence)))
struct AuditCommandTests {
  @Test func theExitCodeSaysWhetherAGateFailed() throws {
    let scratch = Scratch()
    var runs = CameraRuns()
    let clean = try runs.build(scratch)
    let passed = try Command.result(["audit", clean.folder, "--quiet", "--out", scratch("a.json"), "--html", scratch("a.html")])
    #expect(passed.code == 0 && passed.text.contains("PASSED"))
    #expect(FileManager.default.fileExists(atPath: scratch("a.json")) && FileManager.default.fileExists(atPath: scratch("a.html")))
    let other = Scratch()
    runs.spoil = { $0.isB = $0.run % 2 == 0 }
    let leaking = try runs.build(other)
    let failed = try Command.result(["audit", leaking.folder, "--quiet"])
    #expect(failed.code == 1 && failed.text.contains("label from run"))
    #expect(try Command.result(["audit", scratch("nothing"), "--quiet"]).code == 66)
    try AtomicFile.write(Data("{\"runs\": 1}".utf8), to: scratch("bad.json"))
    #expect(try Command.result(["audit", clean.folder, "--quiet", "--bounds", scratch("bad.json")]).code == 65)
  }
}
