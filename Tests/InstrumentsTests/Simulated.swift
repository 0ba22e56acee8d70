import Foundation
import Frames
import Host
import Instruments
import Simulation
import Testing

/// Simulated runs on disk, with the truth of every shot.
final class SimulatedTruth {
  let folder: String
  let runs: [String]
  private let truth: [[String]: [String: String]]

  init(_ plan: SimulationPlan) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("psimagenet-" + UUID().uuidString).path
    runs = try SimulatedRuns.write(plan, to: folder).filter { $0.hasSuffix(".xtc") }
    let lines = String(decoding: try AtomicFile.read(folder + "/truth.csv"), as: UTF8.self).split(separator: "\n")
    let names = lines[0].split(separator: ",").map(String.init)
    let rows = lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(names, $0.split(separator: ",").map(String.init))) }
    truth = Dictionary(uniqueKeysWithValues: rows.map { row in (["run", "seconds", "nanoseconds"].map { row[$0] ?? "" }, row) })
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record("\(error)") }
  }

  var calibration: CalibrationFolder { CalibrationFolder(folder + "/calib") }

  subscript(_ shot: ShotHeader) -> [String: String] {
    get throws { try #require(truth[["\(shot.id.run)", "\(shot.id.seconds)", "\(shot.id.nanoseconds)"]]) }
  }

  func number(_ shot: ShotHeader, _ column: String) throws -> Double {
    let text = try #require(try self[shot][column])
    return try #require(Double(text))
  }
}

/// The mean over both classes of the share that was recognised.
func balancedAccuracy(_ pairs: [(said: Bool, truth: Bool)]) -> Double {
  [true, false].map { side in
    let those = pairs.filter { $0.truth == side }
    return Double(those.count { $0.said == side }) / Double(those.count)
  }.reduce(0, +) / 2
}
