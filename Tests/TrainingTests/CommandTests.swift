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

    for (name, signal) in [("stopped", SIGTERM), ("warned", SIGUSR1)] {
      let stopped = try Command.start(["pretrain", recipe, "--out", tiny.folder + "/" + name, "--quiet"])
      try waitForCheckpoint(tiny.folder + "/" + name, stopped.process)
      kill(stopped.process.processIdentifier, signal)
      stopped.process.waitUntilExit()
      #expect(stopped.process.terminationReason == .exit && stopped.process.terminationStatus == 75)
    }

    for name in ["killed", "stopped", "warned"] {
      let folder = tiny.folder + "/" + name
      #expect(try Checkpoint(reading: folder + "/last.safetensors").description.step < 60)
      let again = try Command.run(["pretrain", recipe, "--out", folder, "--resume", "--quiet"])
      #expect(again.code == 0 && again.errors.isEmpty, "\(again.errors)")
      #expect(try AtomicFile.read(folder + "/last.safetensors") == AtomicFile.read(tiny.folder + "/whole/last.safetensors"))
      #expect(try figures(folder) == figures(tiny.folder + "/whole"))
    }
  }

  @Test func aFullDiskLeavesTheLastCheckpointWhereTheRunGoesOn() throws {
    let tiny = try TinyCorpus(), recipe = try recipe(tiny), run = tiny.folder + "/run", last = run + "/last.safetensors"
    #expect(try Command.run(["pretrain", recipe, "--out", tiny.folder + "/whole", "--quiet"]).code == 0)
    let began = try Command.start(["pretrain", recipe, "--out", run, "--quiet"])
    try waitForCheckpoint(run, began.process)
    kill(began.process.processIdentifier, SIGKILL)
    began.process.waitUntilExit()
    let before = try AtomicFile.read(last)
    // No file may grow beyond half a checkpoint, in KiB.
    let launcher = ["/bin/bash", "-c", "trap '' XFSZ; ulimit -f \(before.count / 2048); exec \"$@\"", "bash"]
    let full = try Command.run(["pretrain", recipe, "--out", run, "--quiet"], launchedBy: launcher)
    #expect(full.code == 74 && full.errors.contains("safetensors") && full.errors.contains("bytes free"), "\(full.errors)")
    #expect(try AtomicFile.read(last) == before)
    #expect(try FileManager.default.contentsOfDirectory(atPath: run).allSatisfy { !$0.hasSuffix(".partial") })
    #expect(try Command.run(["pretrain", recipe, "--out", run, "--quiet"]).code == 0)
    #expect(try AtomicFile.read(last) == AtomicFile.read(tiny.folder + "/whole/last.safetensors"))
  }

  @Test func aDryRunSaysWhatARunTakesAndLeavesNoRun() throws {
    let tiny = try TinyCorpus(), recipe = try recipe(tiny), sheet = tiny.folder + "/batch.png"
    let dry = try Command.run(["pretrain", recipe, "--out", tiny.folder + "/dry", "--dry-run", "--sheet", sheet, "--set", "batch=6", "--quiet"])
    #expect(dry.code == 0 && dry.errors.isEmpty, "\(dry.errors)")
    // Six tiles of 33 pixels, zoomed, in one row: the width and height of a PNG file's header.
    let header = try AtomicFile.read(sheet).prefix(24)
    let sides = [16, 20].map { at in header[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
    #expect(header.dropFirst().prefix(3) == Data("PNG".utf8) && sides[0] > 6 * 4 * 33 && (132..<198).contains(sides[1]))
    #expect(!FileManager.default.fileExists(atPath: tiny.folder + "/dry"))
    let shown = try Command.run(["show", "--batch", recipe, "--sheet", tiny.folder + "/shown.png", "--set", "batch=6"])
    #expect(shown.code == 0, "\(shown.errors)")
    #expect(try AtomicFile.read(tiny.folder + "/shown.png") == AtomicFile.read(sheet))
    #expect(try Command.run(["pretrain", recipe, "--out", tiny.folder + "/dry", "--resume"]).code == 66)
    #expect(try Command.run(["pretrain", recipe, "--recipe", recipe]).code == 64)
  }

  /// A preview holds nothing that a signal could lose.
  @Test(arguments: [SIGTERM, SIGUSR1]) func aSignalEndsADryRun(signal: Int32) throws {
    let tiny = try TinyCorpus(), recipe = try recipe(tiny)
    // The threads of tests block signals, and what they start inherits that.
    let dry = try Command.start(
      ["pretrain", recipe, "--dry-run", "--sheet", tiny.folder + "/b.png", "--set", "batch=8192", "--quiet"],
      launchedBy: ["/usr/bin/env", "--default-signal"])
    usleep(400_000)
    #expect(dry.process.isRunning, "the preview ended before it could be stopped")
    kill(dry.process.processIdentifier, signal)
    dry.process.waitUntilExit()
    #expect(dry.process.terminationReason == .uncaughtSignal && dry.process.terminationStatus == signal)
    #expect(!FileManager.default.fileExists(atPath: tiny.folder + "/b.png"))
  }

  /// What a recipe says of itself is not said of a recipe that was changed; a preview counts the audit.
  @Test func aDryRunSpeaksOfTheRunThatItIs() throws {
    let tiny = try TinyCorpus(), path = tiny.folder + "/r.json"
    try AtomicFile.write(CanonicalJSON.data(tiny.recipe { $0.about = "Expect 0.90." }), to: path)
    func text(_ more: String...) throws -> String {
      let run = try Command.result(["pretrain", path, "--dry-run", "--sheet", tiny.folder + "/b.png", "--quiet"] + more)
      #expect(run.code == 0)
      return run.text
    }
    let own = try text("--seed", "4", "--corpus", tiny.corpus)
    #expect(own.contains("Expect 0.90.") && own.contains("\naudit      about "))
    for changed in [try text("--steps", "11"), try text("--set", "task.settings.jitter.noise=0.1", "--no-audit"), try text("--precision", "bfloat16")] {
      #expect(!changed.contains("Expect") && changed.contains("changed from \(path)"))
    }
    #expect(try !text("--no-audit").contains("\naudit "))
  }

  /// What is wrong in a recipe is said of the recipe, not of the folder that a run would have.
  @Test func aRecipeThatCannotBeRunIsNamed() throws {
    let tiny = try TinyCorpus(), path = try recipe(tiny)
    let run = try Command.run(["pretrain", path, "--set", "backbone=lenet5", "--set", "task=jigsaw", "--out", tiny.folder + "/run"])
    #expect(run.code == 65 && run.errors.hasPrefix("psimagenet: ") && !run.errors.contains(tiny.folder + "/run"), "\(run.errors)")
    #expect(run.errors.contains(path) || run.errors.contains("manifest.json"), "\(run.errors)")
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
