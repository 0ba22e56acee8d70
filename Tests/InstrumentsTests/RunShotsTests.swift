import Foundation
import Frames
import Instruments
import Simulation
import TestSupport
import Testing

@Suite struct RunShotsTests {
  private static func plan(_ camera: SimulationPlan.Camera) -> SimulationPlan {
    var plan = SimulationPlan(detector: camera)
    (plan.runs, plan.shotsPerRun, plan.darksPerRun, plan.seed) = ([1, 2], 27, 4, 8)
    (plan.xtcav.width, plan.xtcav.height, plan.xtcav.lasingRate) = (256, 256, 0.3)
    (plan.xtcav.scale_fsPerPx, plan.xtcav.scale_MeVPerPx) = (1.6, 0.4)
    return plan
  }

  /// What an instrument says of a run does not depend on how the data acquisition stored it: in one file, or in streams and chunks.
  @Test(arguments: [(EdgeTiming.name, 2, 2), (EdgeTiming.name, 3, 1), (PulseRetrieval.name, 2, 3)])
  func streamsAndChunksOfARunAreReadAsOne(_ name: String, _ streams: Int, _ chunks: Int) throws {
    let plan = Self.plan(name == EdgeTiming.name ? .timetool : .xtcav), truth = try SimulatedTruth(plan), scratch = Scratch()
    let files = try truth.runs.flatMap { try RunStreamFiles.deal($0, to: scratch("dealt"), streams: streams, chunks: chunks) }
    #expect(files.count == 2 * streams * chunks)
    let instrument = try InstrumentChoice(name: name).instrument(path: "test")
    func table(_ files: [String]) throws -> ReadingTable {
      try ReadingTable(instrument, of: RunShots(files: files, detector: instrument.detector, calibration: truth.calibration))
    }
    let whole = try table(truth.runs), dealt = try table(files)
    #expect(whole.readings.count == 62 && whole.summary["\(whole.verdict) not measured", default: 0] < 31)
    #expect(dealt.csv == whole.csv)
    #expect(dealt.readings.map(\.shot.index) == whole.readings.map(\.shot.index))
    // A shot's file is the first of its run.
    #expect(Set(dealt.readings.map { files[$0.shot.file] }) == Set(files.filter { $0.hasSuffix("-s00-c00.xtc") }))
    // A run of which a chunk between others is missing is refused.
    if chunks > 2 {
      #expect(throws: (any Error).self) { try table(files.filter { !$0.hasSuffix("r0001-s01-c01.xtc") }) }
    }
  }
}
