import Corpora
import Foundation

/// What a record says without its picture, but for the run and the frame number, which have probes of their own.
package enum HeaderFeatures {
  /// Words that get a column each; rarer ones share one.
  private static let mostWords = 32

  /// One row a record: source, experiment, unit, panel, file name ending and calibration as words; time of day, tenths of the second and
  /// fiducial phases.
  package static func vectors(_ records: [Record]) -> [[Float]] {
    let words: [(Record) -> String] = [
      { $0.source }, { $0.event.experiment }, { $0.unit }, { "\($0.panel)" }, { ($0.file as NSString).pathExtension }, { $0.calibration.isEmpty ? "raw" : "calibrated" },
      { $0.geometry.isEmpty ? "" : "geometry" },
    ]
    let tables = words.map { word -> [String: Int] in
      var counts: [String: Int] = [:]
      for record in records { counts[word(record), default: 0] += 1 }
      let common = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(mostWords).map(\.key)
      // A word that all share says nothing.
      return common.count < 2 ? [:] : Dictionary(uniqueKeysWithValues: common.enumerated().map { ($1, $0) })
    }
    return records.map { record in
      var row: [Float] = []
      for (word, table) in zip(words, tables) where !table.isEmpty {
        var columns = [Float](repeating: 0, count: table.count)
        if let place = table[word(record)] { columns[place] = 1 }
        row += columns
      }
      let day = 2 * Double.pi * Double(record.event.seconds % 86_400) / 86_400
      row += [Float(sin(day)), Float(cos(day))]
      // Tenths of a second: a label that goes with a clock's phase rather than with order.
      row += oneHot(Int(record.event.nanoseconds / 100_000_000), 10)
      for modulus in [2, 3, 5] { row += oneHot(Int(record.event.fiducial) / 3 % modulus, modulus) }
      return row
    }
  }
}

/// Where in its run a frame stands.
package enum FrameNumberFeatures {
  /// Tenths of the run, and the number modulo small periods.
  package static func vectors(_ records: [Record]) -> [[Float]] {
    var last: [RunKey: Int] = [:]
    for record in records { last[record.run] = max(last[record.run] ?? 0, record.eventIndex) }
    return records.map { record in
      let length = (last[record.run] ?? 0) + 1
      var row = oneHot(min(9, 10 * record.eventIndex / length), 10)
      for modulus in [2, 3, 4, 5, 6, 8, 10, 12] { row += oneHot(record.eventIndex % modulus, modulus) }
      return row
    }
  }
}

private func oneHot(_ value: Int, _ count: Int) -> [Float] {
  var row = [Float](repeating: 0, count: count)
  row[max(0, min(count - 1, value))] = 1
  return row
}
