import Corpora
import Foundation
import Host
import Tensors
import TestSupport
import Testing

extension Command {
  static let launcher = ["/usr/bin/mpirun", "/usr/local/bin/mpirun"].first { FileManager.default.isExecutableFile(atPath: $0) } ?? ""
}

@Suite(.serialized, .enabled(if: Command.isBuilt, Comment(rawValue: Command.absence)))
struct BuildCommandTests {
  /// Runs and a recipe file in a folder of their own; some shards in each split.
  private func prepared(_ runs: StackRuns = StackRuns(shots: 40, height: 60, width: 60), top: String = "imagesPerShard: 7") throws -> Scratch {
    let scratch = Scratch()
    try runs.write(to: scratch)
    try AtomicFile.write(try runs.recipe(top: top).yaml(), to: scratch("r.yaml"))
    try CorpusBuilder.write(recipeAt: scratch("r.yaml"), to: scratch("whole"))
    return scratch
  }

  private func waitFor(_ path: String) {
    let limit = Date(timeIntervalSinceNow: 20)
    while !FileManager.default.fileExists(atPath: path), Date() < limit { usleep(1000) }
  }

  @Test func buildsKilledAtAnyMomentCompleteToTheSameBytes() throws {
    let scratch = try prepared()
    var random = Philox(seed: 19), kills = 0
    for _ in 0..<12 {
      let (process, _) = try Command.start(["build", scratch("r.yaml"), "--out", scratch("c"), "--quiet"])
      usleep(UInt32(random.next() % 60_000))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      if process.terminationReason == .uncaughtSignal { kills += 1 }
      // Once in a while a build was faster than its killer.
      if scratch.exists("c") {
        #expect(scratch.digests("c") == scratch.digests("whole"))
        try FileManager.default.removeItem(atPath: scratch("c"))
      }
    }
    #expect(kills > 0)
    #expect(try Command.run(["build", scratch("r.yaml"), "--out", scratch("c"), "--quiet"]).code == 0)
    #expect(scratch.digests("c") == scratch.digests("whole"))
    #expect(!scratch.exists("c.building"))
    // Left by the killed, removed by the one that completed.
    #expect(!scratch.exists("c.building.lock"))
  }

  @Test func aSecondBuilderSaysWhoIsAtWorkAndStops() throws {
    let scratch = try prepared()
    let (process, _) = try Command.start(["build", scratch("r.yaml"), "--out", scratch("c"), "--rank", "0/2", "--quiet"])
    // It waits for a second process that does not come.
    waitFor(scratch("c.building/crew"))
    let second = try Command.run(["build", scratch("r.yaml"), "--out", scratch("c"), "--quiet"])
    #expect(second.code == 74)
    #expect(second.errors.contains("no other build of this corpus"))
    #expect(second.errors.contains("process \(process.processIdentifier) on \(FileLock.hostName)"))
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    // The lock of a dead process blocks nobody.
    #expect(scratch.exists("c.building.lock"))
    #expect(try Command.run(["build", scratch("r.yaml"), "--out", scratch("c"), "--quiet"]).code == 0)
    #expect(scratch.digests("c") == scratch.digests("whole"))
  }

  @Test(arguments: [2, 3, 5])
  func processesTogetherMakeTheBytesOfOne(count: Int) throws {
    let scratch = try prepared()
    let crew = try (0..<count).map { try Command.start(["build", scratch("r.yaml"), "--out", scratch("c"), "--rank", "\($0)/\(count)", "--quiet"]) }
    for (process, errors) in crew {
      let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == 0, "\(text)")
    }
    #expect(scratch.digests("c") == scratch.digests("whole"))
  }

  @Test func whatSeveralBeganOneCompletesAndTheOtherWayRound() throws {
    let scratch = try prepared()
    for (first, second) in [(1, 3), (3, 2), (2, 1)] {
      let crew = try (0..<first).map { try Command.start(["build", scratch("r.yaml"), "--out", scratch("c"), "--rank", "\($0)/\(first)", "--quiet"]) }
      waitFor(scratch("c.building/journal/train-00000.json"))
      for (process, _) in crew { kill(process.processIdentifier, SIGKILL) }
      for (process, _) in crew { process.waitUntilExit() }
      let others = try (0..<second).map { try Command.start(["build", scratch("r.yaml"), "--out", scratch("c"), "--rank", "\($0)/\(second)", "--quiet"]) }
      for (process, _) in others { process.waitUntilExit() }
      #expect(others.allSatisfy { $0.process.terminationStatus == 0 })
      #expect(scratch.digests("c") == scratch.digests("whole"))
      try FileManager.default.removeItem(atPath: scratch("c"))
    }
  }

  @Test func aFailingProcessStopsAllWithItsReason() throws {
    var runs = StackRuns(shots: 12)
    // Of the last shards, which the last process makes.
    runs.pixel = { run, shot, row, _ in run == 3 && shot == 10 && row == 4 ? .nan : 1 }
    let scratch = Scratch()
    try runs.write(to: scratch)
    try AtomicFile.write(try runs.recipe(top: "imagesPerShard: 2").yaml(), to: scratch("r.yaml"))
    let crew = try (0..<3).map { try Command.start(["build", scratch("r.yaml"), "--out", scratch("c"), "--rank", "\($0)/3", "--quiet"]) }
    let texts = crew.map { String(decoding: $0.errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) }
    for (process, _) in crew { process.waitUntilExit() }
    // The one between has made its part before: it hears of the failure all the same.
    #expect(crew.map { $0.process.terminationStatus }.allSatisfy { $0 == 65 }, "\(texts)")
    #expect(texts.allSatisfy { $0.contains("run3/shots.h5") }, "\(texts)")
    #expect(texts[0].contains("run3/shots.h5"))
    #expect(texts[0].contains("rank 2 on \(FileLock.hostName)"))
    #expect(!scratch.exists("c"))
    #expect(!scratch.exists("c.building"))
  }

  @Test(.enabled(if: !Command.launcher.isEmpty, "there is no mpirun"))
  func mpirunStartsThemAll() throws {
    let scratch = try prepared()
    let launch = [Command.launcher, "--allow-run-as-root", "--oversubscribe", "-n", "3"]
    let (code, errors) = try Command.run(["build", scratch("r.yaml"), "--out", scratch("c"), "--quiet"], launchedBy: launch)
    #expect(code == 0, "\(errors)")
    #expect(scratch.digests("c") == scratch.digests("whole"))
    var broken = try runs(of: scratch)
    broken.sources[0].dataset = "/none"
    try AtomicFile.write(try broken.yaml(), to: scratch("r.yaml"))
    let failed = try Command.run(["build", scratch("r.yaml"), "--out", scratch("d"), "--quiet"], launchedBy: launch)
    #expect(failed.code != 0)
    #expect(failed.errors.contains("none"))
  }

  private func runs(of scratch: Scratch) throws -> CorpusRecipe { try CorpusRecipe(reading: scratch("r.yaml")) }
}

struct BuildRankTests {
  @Test(arguments: [
    (["OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "4"], 2, 4), (["PMI_RANK": "0", "PMI_SIZE": "3"], 0, 3),
    (["SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "2"], 1, 2),
    // A batch script is one process, whatever its job was given.
    (["SLURM_PROCID": "0", "SLURM_NTASKS": "8"], 0, 1), ([:], 0, 1),
    // mpirun within a Slurm step.
    (["OMPI_COMM_WORLD_RANK": "5", "OMPI_COMM_WORLD_SIZE": "6", "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"], 5, 6),
  ])
  func launchersAreUnderstood(environment: [String: String], number: Int, count: Int) throws {
    #expect(try BuildRank(environment: environment) == BuildRank(number, of: count))
  }

  @Test func nonsenseIsRefused() {
    #expect(inputError { _ = try BuildRank(environment: ["PMI_RANK": "3", "PMI_SIZE": "3"]) } != nil)
    #expect(inputError { _ = try BuildRank(environment: ["OMPI_COMM_WORLD_RANK": "x", "OMPI_COMM_WORLD_SIZE": "3"]) } != nil)
  }
}

struct FileLockTests {
  @Test func oneAtATime() throws {
    let scratch = Scratch()
    var lock: FileLock? = try FileLock(scratch("l"), expected: "nobody else")
    let error = inputError { _ = try FileLock(scratch("l"), expected: "nobody else") }
    #expect(error?.kind == .inputOutput)
    #expect(error?.expected == "nobody else")
    #expect(error?.found.contains("process \(ProcessInfo.processInfo.processIdentifier) on") == true)
    withExtendedLifetime(lock) {}
    lock = nil
    #expect(!scratch.exists("l"))
    try AtomicFile.write(Data("process 1 on another machine\n".utf8), to: scratch("l"))
    _ = try FileLock(scratch("l"), expected: "nobody else")
  }
}
