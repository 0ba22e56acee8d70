import Audits
import Corpora
import Foundation
import Frames
import Host
import Simulation
import Tensors
import TestSupport
import Testing

/// Simulated runs as the study of experiment amo86815 had them, where lasing was a matter of the run, and as they should be.
struct SimulatedAuditTests {
  private func audit(_ scratch: Scratch, confounded: Bool, sharedDarks: Bool = false) throws -> CorpusAudit {
    var plan = SimulationPlan(detector: .xtcav)
    (plan.runs, plan.shotsPerRun, plan.darksPerRun, plan.confounded, plan.seed) = (Array(1...14), 24, 6, confounded, 3)
    (plan.xtcav.width, plan.xtcav.height, plan.xtcav.scale_fsPerPx, plan.xtcav.scale_MeVPerPx) = (96, 96, 4, 1)
    try SimulatedRuns.write(plan, to: scratch.path)
    if sharedDarks {
      let folder = scratch("calib/Camera::CalibV1/XrayTransportDiagnostic.0:Opal1000.0/pedestals")
      for run in 2...14 { try FileManager.default.removeItem(atPath: "\(folder)/\(run)-\(run).data") }
      try FileManager.default.moveItem(atPath: "\(folder)/1-1.data", toPath: "\(folder)/1-end.data")
    }
    let recipe = try CorpusRecipe(
      yaml: """
        name: xtcav
        seed: 1
        image: {height: 33, width: 33}
        split: {train: 0.5, validation: 0.25, test: 0.25, runs: {train: ['simx00126:1'], validation: ['simx00126:2'], test: ['simx00126:3']}}
        tone: {map: asinh, scale: 30}
        sources:
          - name: xtcav
            files: ["*.xtc"]
            detector: xtcav
            calibration: calib
            labels:
              - {name: beam, table: {file: truth.csv, column: beam_on}, values: {1: "on", 0: dark}}
              - {name: lasing, table: {file: truth.csv, column: lasing}, values: {1: lasing, 0: not lasing}}
        """)
    return try CorpusAudit(of: CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("corpus")).folder)
  }

  @Test func cleanRunsPass() throws {
    let audit = try audit(Scratch(), confounded: false)
    #expect(audit.passed, "\(audit.text)")
    #expect(audit.gate(.darkSets)?.verdict == .passed)
    // A camera without gaps looks the same both ways.
    #expect(audit.sources[0].mirrorOverlap == 1)
    let floor = try #require(audit.sources[0].dark)
    #expect(floor.darks == 84 && floor.runs == 14 && floor.newRuns != nil && floor.sameRun != nil)
  }

  @Test func lasingThatGoesWithTheRunIsCaught() throws {
    let audit = try audit(Scratch(), confounded: true)
    #expect(audit.failures == [.run], "\(audit.text)")
    let probe = try #require(audit.probes.first { $0.label == "lasing" && $0.cue == .run })
    // 95 % and 5 % of the beam shots.
    #expect(probe.verdict == .failed && probe.score.value > 0.8)
  }

  /// Time tool and CSPAD with their labels drawn shot by shot, and tied to the run.
  @Test(arguments: [SimulationPlan.Camera.timetool, .cspad], [false, true])
  func everyCamerasLabelIsCaughtWhereItGoesWithTheRun(_ camera: SimulationPlan.Camera, _ confounded: Bool) throws {
    let scratch = Scratch(), label: String, source: String
    var plan = SimulationPlan(detector: camera)
    (plan.confounded, plan.seed) = (confounded, 4)
    switch camera {
    case .timetool:
      (plan.runs, plan.shotsPerRun, plan.darksPerRun) = (Array(1...14), 26, 4)
      (plan.timeTool.width, plan.timeTool.height, plan.timeTool.jitter_px, plan.timeTool.rise_px) = (128, 48, 15, 2...5)
      (plan.timeTool.referenceRate, plan.timeTool.noLaserRate) = (0.5, 0)
      label = "edge"
      source = "labels: [{name: edge, table: {file: truth.csv, column: edge_present}, values: {1: edge, 0: none}}]"
    default:
      // Four sections: constants of whole cameras take most of the time.
      (plan.runs, plan.shotsPerRun, plan.darksPerRun) = (Array(1...8), 24, 4)
      (plan.cspad.roiMask, plan.cspad.hitRate, plan.cspad.noJetRate, plan.cspad.deadASICRate) = (0xF, 0.5, 0, 0)
      // Every crystal is seen in every run: how many spots are detectable would otherwise go with a run's distance and background.
      (plan.cspad.distance_mm, plan.cspad.photonEnergy_eV, plan.cspad.ringPhotons, plan.cspad.spotPhotons) = (110...112, 8450...8550, 0.3...0.4, 900)
      label = "hit"
      source = """
        commonMode: histogram
            geometry: calibration
            view: assembled
            labels:
              - {name: beam, table: {file: truth.csv, column: beam_on}, values: {1: "on", 0: dark}}
              - {name: hit, table: {file: truth.csv, column: hit}, values: {1: hit, 0: miss}}
        """
    }
    try SimulatedRuns.write(plan, to: scratch.path)
    let recipe = try CorpusRecipe(
      yaml: """
        name: camera
        seed: 1
        image: {height: 33, width: 33}
        split: {train: 0.5, validation: 0.25, test: 0.25, runs: {train: ['simx00126:1'], validation: ['simx00126:2'], test: ['simx00126:3', 'simx00126:4']}}
        tone: {map: asinh, scale: \(camera == .cspad ? 1 : 30)}
        sources:
          - name: camera
            files: ["*.xtc"]
            detector: \(camera.rawValue)
            calibration: calib
            \(source)
        """)
    let audit = try CorpusAudit(of: CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("corpus")).folder)
    #expect(audit.failures == (confounded ? [.run] : []), "\(audit.text)")
    let probe = try #require(audit.probes.first { $0.label == label && $0.cue == .run })
    if confounded { #expect(probe.verdict == .failed && probe.score.value > 0.8) } else { #expect(probe.score.value < 0.7) }
  }

  @Test func aDarkSetThatSplitsShareIsCaught() throws {
    let audit = try audit(Scratch(), confounded: false, sharedDarks: true)
    #expect(audit.failures.contains(.darkSets), "\(audit.text)")
    #expect(audit.gate(.darkSets)?.count == 1)
  }
}

struct FlipFloorTests {
  /// Darks of white noise with a fixed pattern of σ_p: Φ(σ_p/σ · √(N/2)) by the formula of independent pixels.
  @Test(arguments: [(0.0, true), (0.1, true), (0.1, false)])
  func theFloorIsWhatTheFormulaGives(_ pattern: Double, _ isCommon: Bool) throws {
    let scratch = Scratch()
    var runs = CameraRuns()
    runs.spoil = { shot in
      var noise = Philox(seed: 21, UInt64(shot.run), UInt64(shot.index)), fixed = Philox(seed: 22, isCommon ? 0 : UInt64(shot.run))
      shot.isDark = true
      shot.pixels = shot.pixels.map { _ in Float(noise.normal() + pattern * fixed.normal()) }
    }
    let corpus = try runs.build(scratch, labels: "[{name: beam, constant: dark}]")
    let floor = try #require(try CorpusAudit(of: corpus.folder).sources[0].dark)
    let sameRun = try #require(floor.sameRun), newRuns = try #require(floor.newRuns)
    // Σ μ²/s² of 200 pairs, and the spread of its 200 squares of drawn pattern.
    let expected = pattern * pattern * 200, spread = expected * 0.1
    let sameRunLimit = 4 * (sameRun.standardError + spread), offSameRun = abs(sameRun.signal - expected)
    #expect(offSameRun < sameRunLimit)
    let common = isCommon ? 1.0 : 0.0, newRunsLimit = 4 * (newRuns.standardError + common * spread)
    let offNewRuns = abs(newRuns.signal - common * expected)
    #expect(offNewRuns < newRunsLimit)
    #expect(sameRun.standardError < 0.5 && newRuns.standardError < 0.5)
    if pattern > 0 {
      // Φ(0.1 · √200) = Φ(1.414).
      let off = abs(sameRun.accuracy - 0.9214)
      #expect(off < 0.05)
      #expect(sameRun.upper > sameRun.accuracy)
    }
    #expect(try CanonicalJSON.value(FlipFloor.self, from: CanonicalJSON.data(floor), path: "") == floor)
  }
}

struct MirrorOverlapTests {
  /// A mask of columns 3 to 12 of 20 mirrors to 7 to 16: 6 of 14 in place, and 8 of 12 when shifted by the 2 that are tried.
  @Test func theOverlapIsThatOfTheMask() throws {
    let scratch = Scratch()
    var runs = CameraRuns(runs: 3, shots: 8)
    runs.spoil = { shot in
      for row in 0..<20 { for column in 0..<20 where !(3...12).contains(column) { shot.pixels[row * 20 + column] = -1000 } }
    }
    let corpus = try runs.build(scratch, extra: "gapValue: -1000")
    let facts = try CorpusAudit(of: corpus.folder).sources[0]
    #expect(abs(facts.mirrorOverlap - 6.0 / 14) < 1e-9)
    #expect(abs(facts.registeredMirrorOverlap - 8.0 / 12) < 1e-9)
    #expect(abs(facts.keptByBoth - 0.8) < 1e-9)
  }
}
