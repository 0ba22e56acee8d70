import Foundation
import Host
import Tensors

/// What stands beside the images of an HDF5 file, row by row: what identifies events, their numbers, texts and event codes.
///
/// Numbers are read in blocks of rows, so memory does not grow with the file.
struct HDF5Columns {
  private enum Identity: String { case run, seconds, nanoseconds, fiducials }

  /// A dataset of one number a row.
  private struct Column {
    let name: String
    let dataset: HDF5Dataset
    let element: ElementType
    var block: [Double] = []
  }

  private var columns: [Column] = []
  /// Event code -> column that is not 0 where the shot carries it.
  private var codeColumns: [(code: Int, column: Column)] = []
  /// `[N, codes]`, not 0 where the shot carries the code.
  private var codeTable: HDF5Dataset?
  private var textColumns: [(name: String, values: [String])] = []
  private var identities: [Identity: [Int?]] = [:]
  /// seconds << 32 | nanoseconds.
  private var times: [UInt64]?
  private var block = 0..<0
  /// The same for every row.
  private(set) var constants = HeaderFields()
  private let file: RunName
  private let path: String

  private static let blockLength = 1024

  /// What the last part of a dataset's name says about identity.
  private static let names: [String: Identity] = [
    "run": .run, "evt.seconds": .seconds, "seconds": .seconds, "machineTime": .seconds, "evt.nanoseconds": .nanoseconds,
    "nanoseconds": .nanoseconds, "machineTimeNanoSeconds": .nanoseconds, "evt.fiducials": .fiducials,
    "fiducials": .fiducials, "fiducial": .fiducials, "NDArrayEpicsTSSec": .seconds, "NDArrayEpicsTSnSec": .nanoseconds,
  ]
  /// EPICS counts from 1990-01-01 UTC; this is its zero in Unix time, s.
  private static let epicsEpoch_s = 631_152_000

  /// - Parameter datasets: all of the file but the images; those of `count` rows become columns, single values constants.
  init(_ datasets: [HDF5Dataset], count: Int, of file: HDF5File, skipped: inout [String: Int]) throws(InputError) {
    self.path = file.path
    self.file = RunName(file.path)
    for dataset in datasets {
      let name = try HDF5Units.name(of: dataset, in: file), last = dataset.path.nameInPath
      switch dataset.element {
      case .string:
        if dataset.shape == [count], count > 1 {
          textColumns.append((name, try dataset.strings()))
        } else if dataset.shape.count == 1, let text = try dataset.strings().first {
          constants.texts[name] = text
        }
      case .number(let element):
        let isSingle = dataset.shape.count == 1 && dataset.shape.rank <= 1
        if count > 1 ? dataset.shape == [count] : isSingle && !isConstant(dataset) {
          try addColumn(dataset, element, name: name, last: last)
        } else if isSingle {
          constants.scalars[name] = try dataset.doubles()[0]
        } else if Self.isCodeTable(dataset), dataset.shape[0] == count {
          codeTable = dataset
        }
      case .other: skipped["dataset of no plain numbers", default: 0] += 1
      }
    }
  }

  /// A column that no file has: where another source tells identity.
  init(of file: HDF5File) {
    path = file.path
    self.file = RunName(file.path)
  }

  /// `[N, codes]` by name.
  static func isCodeTable(_ dataset: HDF5Dataset) -> Bool {
    dataset.shape.rank == 2 && dataset.path.nameInPath.lowercased() == "eventcodes"
  }

  /// A single value in a file of one event is a column only where it can be an identity or a code.
  private func isConstant(_ dataset: HDF5Dataset) -> Bool {
    let last = dataset.path.nameInPath
    return Self.names[last] == nil && last != "event_time" && last != "timestamp" && Self.code(last) == nil
  }

  /// `code_162`, as smalldata_tools names the codes of the event receiver.
  private static func code(_ name: String) -> Int? { name.hasPrefix("code_") ? Int(name.dropFirst(5)) : nil }

  private mutating func addColumn(_ dataset: HDF5Dataset, _ element: ElementType, name: String, last: String) throws(InputError) {
    let isInteger = element != .float32 && element != .float64
    if element == .uint64 || element == .int64, last == "event_time" || last == "timestamp", times == nil {
      times = UInt64.array(littleEndian: try dataset.bytes())
    } else if isInteger, let identity = Self.names[last], identities[identity] == nil {
      let epoch = last == "NDArrayEpicsTSSec" ? Self.epicsEpoch_s : 0
      identities[identity] = element.integers(littleEndian: try dataset.bytes()).map { $0.map { $0 &+ epoch } }
    } else if let code = Self.code(last) {
      codeColumns.append((code, Column(name: name, dataset: dataset, element: element)))
    } else {
      columns.append(Column(name: name, dataset: dataset, element: element))
    }
  }

  /// Reads the block of rows that holds `row`.
  private mutating func load(_ row: Int) throws(InputError) {
    guard !block.contains(row) else { return }
    let start = row / Self.blockLength * Self.blockLength
    func values(_ column: Column) throws(InputError) -> [Double] {
      let rows = start..<min(start + Self.blockLength, column.dataset.shape[0])
      return column.element.doubles(littleEndian: try column.dataset.bytes(rows: rows))
    }
    for i in columns.indices { columns[i].block = try values(columns[i]) }
    for i in codeColumns.indices { codeColumns[i].column.block = try values(codeColumns[i].column) }
    block = start..<start + Self.blockLength
  }

  mutating func scalars(of row: Int) throws(InputError) -> [String: Double] {
    try load(row)
    var scalars = constants.scalars
    for column in columns { scalars[column.name] = column.block[row - block.lowerBound] }
    return scalars
  }

  func texts(of row: Int) -> [String: String] {
    var texts = constants.texts
    for (name, values) in textColumns { texts[name] = values[row] }
    return texts
  }

  mutating func eventCodes(of row: Int) throws(InputError) -> [Int] {
    try load(row)
    var codes = codeColumns.filter { $0.column.block[row - block.lowerBound] != 0 }.map(\.code)
    if let codeTable, case .number(let element) = codeTable.element {
      codes += element.doubles(littleEndian: try codeTable.bytes(row: row)).enumerated().filter { $0.element != 0 }.map(\.offset)
    }
    return codes.sorted()
  }

  mutating func addConstants(_ fields: HeaderFields) {
    constants.scalars.merge(fields.scalars) { old, _ in old }
    constants.texts.merge(fields.texts) { old, _ in old }
  }

  func id(of row: Int) throws(InputError) -> EventID {
    func value(_ identity: Identity) throws(InputError) -> UInt32? {
      guard let column = identities[identity] else { return nil }
      guard let number = column[row], let value = UInt32(exactly: number) else {
        throw InputError(
          path: path, place: "\(identity.rawValue) of row \(row)", expected: "0 to 2^32 - 1",
          found: column[row].map { "\($0)" } ?? "more")
      }
      return value
    }
    let seconds = try value(.seconds)
    // Either all of the time comes from its two parts, or all of it from the one number.
    let time = seconds == nil ? times?[row] : nil
    return EventID(
      experiment: file.experiment, run: try value(.run).map { Int($0) } ?? file.run,
      seconds: seconds ?? time.map { UInt32($0 >> 32) } ?? 0,
      nanoseconds: try value(.nanoseconds) ?? time.map { UInt32(truncatingIfNeeded: $0) } ?? 0,
      fiducial: try value(.fiducials) ?? 0)
  }

  /// The identity of an event whose time another dataset tells.
  func id(_ time: HDF5Translated.Time) -> EventID {
    EventID(experiment: file.experiment, run: file.run, seconds: time.seconds, nanoseconds: time.nanoseconds, fiducial: time.fiducial)
  }
}

/// Experiment and run as LCLS writes them into file names: `amo86815_mlearn-r069-c0000.h5`, `cxitut13_0010_3.cxi`,
/// `xpptut15_Run0054.h5`, `cxi01516-r0020.h5`. A part that a name does not tell is empty or 0.
struct RunName {
  var experiment = ""
  var run = 0

  private static let instruments = ["amo", "sxr", "xpp", "xcs", "cxi", "mec", "mfx", "tmo", "rix", "txi", "ued", "dia"]

  init(_ path: String) {
    let parts = path.nameInPath.split { "-_.".contains($0) }
    guard let first = parts.first else { return }
    let isExperiment = (6...14).contains(first.count) && first.last?.isNumber == true && Self.instruments.contains(String(first.prefix(3)))
    if isExperiment { experiment = String(first) }
    for (place, part) in parts.enumerated() {
      let word = part.lowercased()
      let digits = word.hasPrefix("run") ? word.dropFirst(3) : word.hasPrefix("r") ? word.dropFirst(1) : place == 1 && isExperiment ? word[...] : ""
      if (2...6).contains(digits.count), digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(digits) {
        run = number
        return
      }
    }
  }
}
