import Foundation
import Host
import TestSupport
import Testing
import Training

@Suite(.serialized, .enabled(if: Command.isBuilt, Comment(rawValue: Command.absence)))
struct CommandTests {
  /// Many steps, so that there is time to be stopped.
  private func recipe(_ tiny: TinyCorpus) throws -> String {
    let path = tiny.folder + "/r.json"
    let recipe = tiny.recipe {
      ($0.steps, $0.validateEvery, $0.checkpointEvery) = (60, 20, 3)
    }
    try AtomicFile.write(CanonicalJSON.data(recipe), to: path)
    return path
  }

  private func waitForCheckpoint(_ folder: String, _ process: Process) throws {
    let limit = Date(timeIntervalSinceNow: 20)
    while !FileManager.default.fileExists(atPath: folder + "/last.safetensors"), process.isRunning, Date() < limit { usleep(2000) }
    #expect(process.isRunning, "the run ended before it could be stopped")
  }

  private func figures(_ folder: String) throws -> [RunFolder.Metric] {
    try RunFolder(folder).metrics().map {
      var metric = $0
      metric.imagesPerSecond = 0
      return metric
    }
  }

  @Test func killedAndStoppedRunsEndWithTheBitsOfAWholeOne() throws {
    let tiny = try TinyCorpus(), recipe = try recipe(tiny)
    let whole = try Command.run(["pretrain", recipe, "--out", tiny.folder + "/whole"])
    #expect(whole.code == 0 && whole.errors.contains("60/60"), "\(whole.errors)")

    let killed = try Command.start(["pretrain", recipe, "--out", tiny.folder + "/killed", "--quiet"])
    try waitForCheckpoint(tiny.folder + "/killed", killed.process)
    kill(killed.process.processIdentifier, SIGKILL)
    killed.process.waitUntilExit()
    #expect(killed.process.terminationReason == .uncaughtSignal)

    let stopped = try Command.start(["pretrain", recipe, "--out", tiny.folder + "/stopped", "--quiet"])
    try waitForCheckpoint(tiny.folder + "/stopped", stopped.process)
    kill(stopped.process.processIdentifier, SIGTERM)
    stopped.process.waitUntilExit()
    #expect(stopped.process.terminationReason == .exit && stopped.process.terminationStatus == 75)

    for name in ["killed", "stopped"] {
      let folder = tiny.folder + "/" + name
      #expect(try Checkpoint(reading: folder + "/last.safetensors").description.step < 60)
      let again = try Command.run(["pretrain", recipe, "--out", folder, "--quiet"])
      #expect(again.code == 0 && again.errors.isEmpty, "\(again.errors)")
      #expect(try AtomicFile.read(folder + "/last.safetensors") == AtomicFile.read(tiny.folder + "/whole/last.safetensors"))
      #expect(try figures(folder) == figures(tiny.folder + "/whole"))
    }
  }

  @Test func mistakesEndWithTheCodeOfTheirKindAndOneLine() throws {
    let folder = NSTemporaryDirectory() + "command-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let missing = try Command.run(["pretrain", folder + "/none.yaml", "--out", folder + "/run"])
    #expect(missing.code == 66 && missing.errors.split(separator: "\n").count == 1 && missing.errors.contains("none.yaml"))
    try AtomicFile.write(Data("corpus: /c\nstepps: 3".utf8), to: folder + "/r.yaml")
    let malformed = try Command.run(["pretrain", folder + "/r.yaml", "--out", folder + "/run"])
    #expect(malformed.code == 65 && malformed.errors.contains("unknown key \"stepps\""))
    #expect(try Command.run(["pretrain", "--nonsense"]).code == 64)
    #expect(!FileManager.default.fileExists(atPath: folder + "/run"))
  }
}
