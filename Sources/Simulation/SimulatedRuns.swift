import Dispatch
import Foundation
import Frames
import Host
import Synchronization
import Tensors

/// Simulated runs as the DAQ and the calibration would leave them on disk.
public enum SimulatedRuns {
  /// Writes, for every run of `plan`, `<experiment>-rNNNN-s00-c00.xtc` into `folder`, its constants into psana's layout under
  /// `folder/calib`, and the truth of every shot into `folder/truth.csv` (run, seconds, nanoseconds, fiducial, beam_on, then the
  /// detector's columns, then `use` and the factors of the plan's designs). Returns the files written, `truth.csv` last.
  ///
  /// Every shot draws from its own generator keyed by (seed, run, shot): the bytes do not depend on the number of threads.
  @discardableResult
  public static func write(
    _ plan: SimulationPlan, to folder: String, progress: ProgressHandler? = nil
  ) throws(InputError) -> [String] {
    try plan.validate()
    try AtomicFile.makeFolder(folder)
    var files: [String] = [], rows: [String] = [], columns: [String] = []
    for (position, run) in plan.runs.enumerated() {
      let random = Philox(seed: plan.seed, UInt64(run)).keyed("run")
      switch plan.detector {
      case .cspad:
        let rate = plan.labelRate(plan.cspad.hitRate, position: position)
        let simulator = try CSPADSimulator(plan.cspad, hitRate: rate, random: random)
        let conditions = try Conditions(plan.designs, base: plan.cspad, taken: CSPADSimulator.columns)
        columns = CSPADSimulator.columns + conditions.columns
        files += try write(simulator, plan, conditions, position, to: folder, &rows, progress)
      case .timetool:
        let rate = plan.labelRate(1 - plan.timeTool.referenceRate, position: position)
        let simulator = TimeToolSimulator(plan.timeTool, edgeRate: rate, random: random)
        let conditions = try Conditions(plan.designs, base: plan.timeTool, taken: TimeToolSimulator.columns)
        columns = TimeToolSimulator.columns + conditions.columns
        files += try write(simulator, plan, conditions, position, to: folder, &rows, progress)
      case .xtcav:
        let rate = plan.labelRate(plan.xtcav.lasingRate, position: position)
        let simulator = XTCAVSimulator(plan.xtcav, lasingRate: rate, random: random)
        let conditions = try Conditions(plan.designs, base: plan.xtcav, taken: XTCAVSimulator.columns)
        columns = XTCAVSimulator.columns + conditions.columns
        files += try write(simulator, plan, conditions, position, to: folder, &rows, progress)
      }
    }
    let head = (["run", "seconds", "nanoseconds", "fiducial", "beam_on"] + columns).joined(separator: ",")
    try AtomicFile.write(Data(([head] + rows).joined(separator: "\n").appending("\n").utf8), to: "\(folder)/truth.csv")
    return files + ["\(folder)/truth.csv"]
  }

  /// When shot `index` of `run` happened: 120 Hz, three fiducials apart; runs ten minutes apart.
  static func time(run: Int, shot index: Int) -> (seconds: UInt32, nanoseconds: UInt32, fiducial: UInt32) {
    (UInt32(1_500_000_000 + 600 * run + index / 120), UInt32(index % 120 * 8_333_333), UInt32((3 * index + 1200 * run + 3) % 131_040))
  }

  /// The beam-off shots of a run: one in each of equal parts of it, where in that part is drawn. A fixed rhythm would tell them by their
  /// number.
  static func darkShots(_ plan: SimulationPlan, run: Int) -> Set<Int> {
    let total = plan.shotsPerRun + plan.darksPerRun
    var random = Philox(seed: plan.seed, UInt64(run)).keyed("dark shots")
    return Set((0..<plan.darksPerRun).map { part in
      let first = part * total / plan.darksPerRun, end = (part + 1) * total / plan.darksPerRun
      return first + min(end - first - 1, Int(random.uniform() * Double(end - first)))
    })
  }

  /// The condition of each shot of a run, `nil` for dark ones and without designs: every cycle in an order of its own.
  private static func order(_ shots: [Int], _ plan: SimulationPlan, run: Int, darks: Set<Int>) -> [Int?] {
    var random = Philox(seed: plan.seed, UInt64(run)).keyed("conditions"), cycle: [Int] = []
    return (0..<plan.shotsPerRun + plan.darksPerRun).map { index -> Int? in
      guard !shots.isEmpty, !darks.contains(index) else { return nil }
      if cycle.isEmpty { cycle = shots.shuffled(using: &random) }
      return cycle.removeLast()
    }
  }

  private static func write<Simulator: ShotSimulator>(
    _ simulator: Simulator, _ plan: SimulationPlan, _ conditions: Conditions<Simulator.Parameters>, _ position: Int, to folder: String,
    _ rows: inout [String], _ progress: ProgressHandler?
  ) throws(InputError) -> [String] {
    let run = plan.runs[position], total = plan.shotsPerRun + plan.darksPerRun
    let darks = darkShots(plan, run: run), order = order(conditions.cycle, plan, run: run, darks: darks)
    let blank = conditions.columns.isEmpty ? [] : ["dark"] + Array(repeating: "", count: conditions.columns.count - 1)
    let digits = String(run)
    let path = "\(folder)/\(plan.experiment)-r\(String(repeating: "0", count: 4 - digits.count))\(digits)-s00-c00.xtc"
    var files = try simulator.writeCalibration(
      to: CalibrationFolder("\(folder)/calib"), experiment: plan.experiment, run: run)
    let writer = try XTC1Writer(creating: path)
    let start = time(run: run, shot: 0)
    try writer.write(
      .configure, seconds: start.seconds - 2, nanoseconds: 0, fiducial: 0, leaves: simulator.configuration)
    try writer.write(.beginRun, seconds: start.seconds - 1, nanoseconds: 0, fiducial: 0, environment: UInt32(run))
    let block = 8
    for first in stride(from: 0, to: total, by: block) {
      let count = min(block, total - first)
      let finished = Mutex([(datagram: Data, row: String)?](repeating: nil, count: count))
      DispatchQueue.concurrentPerform(iterations: count) { offset in
        let index = first + offset, when = time(run: run, shot: index)
        let condition = order[index].map { conditions.all[$0] }
        let random = Philox(seed: plan.seed, UInt64(run), UInt64(index))
        let shot = simulator.shot(
          hasBeam: !darks.contains(index), fiducial: when.fiducial, position: Double(index) / Double(total), condition: condition?.parameters,
          random: random)
        let datagram = XTC1Writer.datagram(
          .event, seconds: when.seconds, nanoseconds: when.nanoseconds, fiducial: when.fiducial, leaves: shot.leaves)
        let row = (["\(run)", "\(when.seconds)", "\(when.nanoseconds)", "\(when.fiducial)", text(shot.hasBeam)] + shot.truth + (condition?.names ?? blank))
          .joined(separator: ",")
        finished.withLock { $0[offset] = (datagram, row) }
      }
      for case let shot? in finished.withLock({ $0 }) {
        try writer.append(shot.datagram)
        rows.append(shot.row)
      }
      progress?(
        Progress("simulate", done: position * total + first + count, total: plan.runs.count * total, note: "run \(run)"))
    }
    let end = time(run: run, shot: total)
    try writer.write(.endRun, seconds: end.seconds + 1, nanoseconds: 0, fiducial: 0)
    try writer.close()
    files.append(path)
    return files
  }
}
