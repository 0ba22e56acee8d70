import Foundation
import Frames
import Host

/// Labels from a CSV file, joined to events.
struct LabelTable: Sendable {
  let path: String
  private let values: [Key: String]
  private let joinsByFile: Bool
  private let namesExperiment: Bool
  private let namesIndex: Bool

  private enum Key: Hashable {
    case event(EventID)
    case file(String, Int)
  }

  init(reading rule: LabelOrigin.Table, relativeTo base: String, environment: [String: String])
    throws(InputError)
  {
    let found = try FilePattern(text: rule.file).matches(relativeTo: base, environment: environment, place: "table")
    guard found.count == 1 else {
      throw InputError(path: rule.file, place: "table", expected: "one file", found: "\(found.count)")
    }
    let path = found[0].path
    self.path = path
    let table = try CSVTable(String(decoding: try AtomicFile.read(path), as: UTF8.self), path: path)
    let column = try table.column(named: rule.column, path: path)
    let file = table.column("file"), index = table.column("index"), experiment = table.column("experiment")
    joinsByFile = file != nil
    namesExperiment = experiment != nil
    namesIndex = index != nil
    var values: [Key: String] = [:]
    let keyColumns =
      file == nil
      ? [
        try table.column(named: "run", path: path), try table.column(named: "seconds", path: path),
        try table.column(named: "nanoseconds", path: path), try table.column(named: "fiducial", path: path),
      ] : []
    for (number, row) in table.rows.enumerated() {
      func whole(_ column: Int) throws(InputError) -> Int {
        guard let value = Int(row[column]) else {
          throw InputError(
            path: path, place: "row \(number + 1), column \(table.header[column])", expected: "a whole number",
            found: "\"\(row[column])\"")
        }
        return value
      }
      func half(_ column: Int) throws(InputError) -> UInt32 {
        let value = try whole(column)
        guard let narrow = UInt32(exactly: value) else {
          throw InputError(
            path: path, place: "row \(number + 1), column \(table.header[column])", expected: "0 to 4294967295",
            found: "\(value)")
        }
        return narrow
      }
      let key: Key
      if let file {
        key = .file(row[file], try index.map { column throws(InputError) in try whole(column) } ?? 0)
      } else {
        key = .event(
          EventID(
            experiment: experiment.map { row[$0] } ?? "", run: try whole(keyColumns[0]), seconds: try half(keyColumns[1]),
            nanoseconds: try half(keyColumns[2]), fiducial: try half(keyColumns[3])))
      }
      var value = row[column]
      // An empty field is no value.
      if value.isEmpty { continue }
      if let bins = rule.bins {
        // Nor is the "nan" that tables have for an edge that is not there.
        if let number = Double(value), number.isNaN { continue }
        guard let number = Double(value), let bin = LabelOrigin.Thresholds(scalar: rule.column, bins: bins).bin(of: number) else {
          throw InputError(
            path: path, place: "row \(number + 1), column \(rule.column)", expected: "a number within the bins", found: "\"\(value)\"")
        }
        value = bin
      }
      if let earlier = values.updateValue(value, forKey: key), earlier != value {
        throw InputError(
          path: path, place: "row \(number + 1)", expected: "one value for each event",
          found: "\(earlier) and \(value) for the same one")
      }
    }
    self.values = values
  }

  /// The value of an event, or `nil` where the table has no row for it. `file` is the corpus name of the event's file.
  func value(of id: EventID, file: String, index: Int) -> String? {
    if joinsByFile {
      let at = namesIndex ? index : 0
      return values[.file(file, at)] ?? values[.file(file.nameInPath, at)]
    }
    var key = id
    if !namesExperiment { key.experiment = "" }
    return values[.event(key)]
  }
}
