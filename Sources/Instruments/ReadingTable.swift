import Foundation
import Frames
import Host

/// Readings as a table: one line a shot, with the key columns by which corpus recipes join labels.
public struct ReadingTable: Sendable {
  public let columns: [String]
  public let verdict: String
  public let readings: [Reading]

  public init(_ instrument: some Instrument, of shots: RunShots, sketching: Int = 0, progress: ProgressHandler = { _ in }) throws(InputError) {
    (columns, verdict) = (type(of: instrument).columns, type(of: instrument).verdict)
    readings = try instrument.readings(of: shots, sketching: sketching, progress: progress)
  }

  /// `run,seconds,nanoseconds,fiducial` (after `experiment` where there is more than one), the columns, `problem`. An empty
  /// cell was not measured.
  public var csv: String {
    let namesExperiment = Set(readings.map(\.shot.id.experiment)).count > 1
    var text = ((namesExperiment ? ["experiment"] : []) + ["run", "seconds", "nanoseconds", "fiducial"] + columns + ["problem"])
      .joined(separator: ",") + "\n"
    for reading in readings {
      let id = reading.shot.id
      var cells = namesExperiment ? [id.experiment] : []
      cells += ["\(id.run)", "\(id.seconds)", "\(id.nanoseconds)", "\(id.fiducial)"]
      cells += reading.values.map(Self.cell) + [reading.problem]
      text += cells.joined(separator: ",") + "\n"
    }
    return text
  }

  /// A number with the digits of Float, whole ones without a point; empty for NaN.
  public static func cell(_ value: Double) -> String {
    if value.isNaN { return "" }
    return value == value.rounded() && abs(value) < 1e9 ? "\(Int(value))" : "\(Float(value))"
  }

  /// The numbers of one column, shot by shot. Traps for a column that is not there.
  public func values(_ column: String) -> [Double] {
    guard let index = columns.firstIndex(of: column) else { preconditionFailure("no column \(column) among \(columns)") }
    return readings.map { $0.values[index] }
  }

  /// How many shots were read, what the verdicts were, and why shots were not measured.
  public var summary: [String: Int] {
    var counts = ["shots": readings.count]
    for (reading, value) in zip(readings, values(verdict)) {
      counts[value.isNaN ? "\(verdict) not measured" : value == 1 ? "\(verdict): yes" : "\(verdict): no", default: 0] += 1
      if !reading.problem.isEmpty { counts[reading.problem, default: 0] += 1 }
    }
    return counts
  }
}
