import Frames
import Host

/// Where one picture of a corpus came from and where it lies.
public struct Record: Codable, Hashable, Sendable, Identifiable {
  /// 16 hexadecimal digits: the head of the SHA-256 over source, file, file content, event and panel.
  public var id: String
  public var split: Split
  /// The source's name in the recipe.
  public var source: String
  /// The detector's catalogue name.
  public var detector: String
  public var event: EventID
  /// The raw file, without this machine's folders.
  public var file: String
  public var fileChecksum: String
  /// Position of the (first) event in its file, from 0.
  public var eventIndex: Int
  /// The panel, for `view: panels`; else -1.
  public var panel: Int
  /// Measured share of the picture, 0...1.
  public var coverage: Double
  /// The unit of the signal before the tone map: ADU, photons, keV.
  public var unit: String
  /// SHA-256 of the calibration that was applied; empty for none.
  public var calibration: String
  /// SHA-256 of the pedestals that were subtracted, which all runs of one dark set share; empty for none.
  public var darkSet: String
  /// Identifies the detector coordinates of the picture's pixels; empty for none.
  public var geometry: String
  /// The share of the raw frame's good pixels at the camera's full scale, 0...1; `nil` where that is not known.
  public var saturation: Double?
  public var labels: [String: String]
  /// `shards/train-00000.h5`
  public var shard: String
  /// The row within the shard.
  public var row: Int

  public var run: RunKey { RunKey(experiment: event.experiment, run: event.run) }
}

/// `records.csv`: one line a picture, labels as columns `label.<name>`.
enum RecordTable {
  private static let fixed = [
    "id", "split", "source", "detector", "experiment", "run", "seconds", "nanoseconds", "fiducial", "file", "file_checksum",
    "event_index", "panel", "coverage", "unit", "calibration", "dark_set", "geometry", "saturation",
    "shard", "row",
  ]

  static func header(labels: [String]) -> String { CSVTable.line(fixed + labels.map { "label.\($0)" }) }

  static func lines(_ records: [Record], labels: [String]) -> String {
    var text = ""
    for r in records {
      text += CSVTable.line(
        [
          r.id, r.split.rawValue, r.source, r.detector, r.event.experiment, "\(r.event.run)", "\(r.event.seconds)",
          "\(r.event.nanoseconds)", "\(r.event.fiducial)", r.file, r.fileChecksum, "\(r.eventIndex)", "\(r.panel)",
          "\(r.coverage)", r.unit, r.calibration, r.darkSet, r.geometry, r.saturation.map { "\($0)" } ?? "", r.shard, "\(r.row)",
        ] + labels.map { r.labels[$0] ?? "" })
    }
    return text
  }

  /// The records of the table at `path`, one after the other; texts that repeat are stored once. Throws unless the file is of that
  /// SHA-256, at the latest behind the last record.
  static func forEach(inFileAt path: String, sha256 expected: String, _ body: (Record) throws(InputError) -> Void) throws(InputError) {
    let found: String
    do throws(InputError) { found = try forEach(inFileAt: path, body) } catch {
      // A damaged table is best called so, whatever the damage makes it say.
      let found = try Checksum.sha256(file: path)
      throw found == expected ? error : InputError(path: path, place: "", expected: "SHA-256 \(expected)", found: found)
    }
    guard found == expected else { throw InputError(path: path, place: "", expected: "SHA-256 \(expected)", found: found) }
  }

  private static func forEach(inFileAt path: String, _ body: (Record) throws(InputError) -> Void) throws(InputError) -> String {
    var labels: [String] = [], hasHeader = false, checksumKind = "", number = 0, texts: Set<String> = [], sets: Set<[String: String]> = []
    func once(_ text: String) -> String {
      // Short ones take no memory of their own.
      text.utf8.count < 16 ? text : texts.insert(text).memberAfterInsert
    }
    return try CSVParser.rows(ofFileAt: path) { row throws(InputError) in
      guard hasHeader else {
        // Versions before 2026-11-21 wrote SHA-256, named in the header and not in the values.
        var row = row
        if row.count > 10, row[10] == "file_sha256" { (row[10], checksumKind) = ("file_checksum", "sha256:") }
        guard row.starts(with: fixed) else {
          throw InputError(path: path, place: "line 1", expected: fixed.joined(separator: ","), found: row.joined(separator: ","))
        }
        labels = row.dropFirst(fixed.count).map { $0.hasPrefix("label.") ? String($0.dropFirst(6)) : $0 }
        hasHeader = true
        return
      }
      number += 1
      guard row.count == fixed.count + labels.count else {
        throw InputError(path: path, place: "row \(number)", expected: "\(fixed.count + labels.count) fields", found: "\(row.count)")
      }
      func field<T: LosslessStringConvertible>(_ column: Int, as type: T.Type) throws(InputError) -> T {
        guard let value = T(row[column]) else {
          throw InputError(
            path: path, place: "row \(number), column \(fixed[column])", expected: "\(type)", found: "\"\(row[column])\"")
        }
        return value
      }
      guard let split = Split(rawValue: row[1]) else {
        throw InputError(
          path: path, place: "row \(number), column split", expected: "train, validation or test", found: "\"\(row[1])\"")
      }
      let values = zip(labels, row.dropFirst(fixed.count)).filter { !$0.1.isEmpty }
      let set = Dictionary(values, uniquingKeysWith: { first, _ in first })
      try body(
        Record(
          id: row[0], split: split, source: once(row[2]), detector: once(row[3]),
          event: EventID(
            experiment: once(row[4]), run: try field(5, as: Int.self), seconds: try field(6, as: UInt32.self),
            nanoseconds: try field(7, as: UInt32.self), fiducial: try field(8, as: UInt32.self)),
          file: once(row[9]), fileChecksum: once(checksumKind + row[10]), eventIndex: try field(11, as: Int.self), panel: try field(12, as: Int.self),
          coverage: try field(13, as: Double.self), unit: once(row[14]), calibration: once(row[15]), darkSet: once(row[16]),
          geometry: once(row[17]), saturation: row[18].isEmpty ? nil : try field(18, as: Double.self),
          labels: sets.insert(set).memberAfterInsert, shard: once(row[19]), row: try field(20, as: Int.self)))
    }
  }
}
