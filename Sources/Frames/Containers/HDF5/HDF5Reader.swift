import Foundation
import Host
import Tensors

/// Reads one image dataset of an HDF5 file: one event a row of its first axis, or one event where it holds a single image.
///
/// One-dimensional number datasets with one entry a row become scalars, or the identity of the events: run, seconds,
/// nanoseconds and fiducials, or the 64-bit `event_time` / `timestamp` of LCLS (seconds << 32 | nanoseconds). Events of a file
/// that says nothing about them have the run of its name and time 0, and differ in `index` only.
public final class HDF5Reader: EventReader {
  public static let container = "hdf5"

  public static func recognizes(head: [UInt8], path: String) -> Bool {
    head.starts(with: [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]) || head.starts(with: Array("MATLAB 7.3 ".utf8))
  }

  /// Datasets that hold the images of known writers, looked for in this order: Cheetah and psocake, OM and lclstreamer, NeXus,
  /// the XTCAV machine-learning files, Cheetah single events. `*` stands for any one name: psana-translate.
  public static let presets = [
    "/entry_1/data_1/data", "/entry_1/instrument_1/detector_1/data", "/data/data", "/entry/data/data",
    "/entry/instrument/detector/data", "/xtcavimg", "/data/rawdata0", "/data/rawdata", "/data/assembleddata0",
    "/Configure:0000/Run:0000/CalibCycle:0000/CsPad::ElementV2/*/data",
    "/Configure:0000/Run:0000/CalibCycle:0000/CsPad2x2::ElementV1/*/data",
    "/Configure:0000/Run:0000/CalibCycle:0000/Camera::FrameV1/*/image", "/images",
  ]

  public private(set) var skipped: [String: Int] = [:]
  /// The dataset that holds the images.
  public let datasetPath: String
  /// Every number dataset of two axes and more, the one that is read among them.
  public let imageDatasets: [String]
  private let dataset: HDF5Dataset
  private let element: ElementType
  private let eventCount: Int
  private var columns: HDF5Columns
  private var index = 0

  /// Reads the first of `presets` that the file has or, where it has none, its largest dataset of two to four axes.
  public convenience init(opening path: String) throws(InputError) {
    try self.init(opening: path, dataset: nil)
  }

  /// Reads the dataset of that path, such as `/detector/frames`; soft links are followed.
  public init(opening path: String, dataset wanted: String?) throws(InputError) {
    let file = try HDF5File(opening: path)
    let all = try file.datasetPaths()
    var images: [HDF5Dataset] = []
    var rows: [HDF5Dataset] = []
    for name in all {
      let dataset = try file.dataset(name)
      guard case .number = dataset.element else {
        skipped["dataset of no plain numbers", default: 0] += 1
        continue
      }
      switch dataset.shape.rank {
      case 2...: images.append(dataset)
      case 1: rows.append(dataset)
      default: break
      }
    }
    let chosen: HDF5Dataset
    if let wanted { chosen = try file.dataset(wanted) } else { chosen = try Self.choice(images, path) }
    guard case .number(let element) = chosen.element, chosen.shape.rank >= 2 else {
      throw InputError(
        path: path, place: chosen.path, expected: "numbers with two axes or more", found: "\(chosen.element) of shape \(chosen.shape)")
    }
    guard chosen.shape.count > 0 else {
      throw InputError(path: path, place: chosen.path, expected: "images", found: "shape \(chosen.shape)")
    }
    try chosen.checkSize()
    dataset = chosen
    self.element = element
    datasetPath = chosen.path
    imageDatasets = images.map(\.path)
    let count = StackLayout.eventCount(chosen.shape)
    eventCount = count
    for other in images where other.identity != chosen.identity { skipped["dataset \(other.path)"] = 1 }
    columns = try HDF5Columns(
      rows.filter { $0.shape[0] == count }, run: RunFileName(path.replacing("_", with: "-"))?.run ?? 0, path: path)
  }

  private static func choice(_ images: [HDF5Dataset], _ path: String) throws(InputError) -> HDF5Dataset {
    for preset in presets {
      let parts = preset.split(separator: "/")
      for image in images {
        let names = image.path.split(separator: "/")
        if names.count == parts.count, zip(parts, names).allSatisfy({ $0 == "*" || $0 == $1 }) { return image }
      }
    }
    var best: HDF5Dataset?
    for image in images where image.shape.rank <= 4 && image.shape.count > (best?.shape.count ?? 0) { best = image }
    guard let best else {
      throw InputError(
        path: path, place: "/", expected: "a number dataset of two to four axes", found: "none among \(images.count) of two axes and more")
    }
    return best
  }

  public func next() throws(InputError) -> Event? {
    while index < eventCount, try !dataset.isWritten(row: index) {
      skipped["row that was never written", default: 0] += 1
      index += 1
    }
    guard index < eventCount else { return nil }
    let id = try columns.id(of: index)
    let isStack = StackLayout.isStack(dataset.shape)
    let bytes = try isStack ? dataset.bytes(row: index) : dataset.bytes()
    let info = PayloadInfo(
      source: datasetPath, typeName: "dataset", element: element, shape: StackLayout.eventShape(dataset.shape))
    defer { index += 1 }
    return Event(id: id, index: index, payloads: [Payload(info: info, bytes: bytes)], scalars: columns.scalars(of: index))
  }
}

/// The one-dimensional datasets beside the images: what identifies events, and their scalars.
struct HDF5Columns {
  private enum Identity: String { case run, seconds, nanoseconds, fiducials }

  private var scalars: [(name: String, values: [Double])] = []
  private var identities: [Identity: [Int?]] = [:]
  /// seconds << 32 | nanoseconds.
  private var times: [UInt64]?
  private let defaultRun: Int
  private let path: String

  /// What the last part of a dataset's name says about identity.
  private static let names: [String: Identity] = [
    "run": .run, "evt.seconds": .seconds, "seconds": .seconds, "machineTime": .seconds, "evt.nanoseconds": .nanoseconds,
    "nanoseconds": .nanoseconds, "machineTimeNanoSeconds": .nanoseconds, "evt.fiducials": .fiducials,
    "fiducials": .fiducials, "fiducial": .fiducials,
  ]

  init(_ datasets: [HDF5Dataset], run: Int, path: String) throws(InputError) {
    defaultRun = run
    self.path = path
    for dataset in datasets {
      guard case .number(let element) = dataset.element else { continue }
      let bytes = try dataset.bytes()
      let name = String(dataset.path.dropFirst())
      let last = (dataset.path as NSString).lastPathComponent
      let isInteger = element != .float32 && element != .float64
      if element == .uint64, last == "event_time" || last == "timestamp", times == nil {
        times = UInt64.array(littleEndian: bytes)
      } else if isInteger, let identity = Self.names[last], identities[identity] == nil {
        identities[identity] = element.integers(littleEndian: bytes)
      } else {
        scalars.append((name, element.doubles(littleEndian: bytes)))
      }
    }
  }

  func scalars(of row: Int) -> [String: Double] {
    Dictionary(scalars.map { ($0.name, $0.values[row]) }, uniquingKeysWith: { first, _ in first })
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
      run: try value(.run).map { Int($0) } ?? defaultRun,
      seconds: seconds ?? time.map { UInt32($0 >> 32) } ?? 0,
      nanoseconds: try value(.nanoseconds) ?? time.map { UInt32(truncatingIfNeeded: $0) } ?? 0,
      fiducial: try value(.fiducials) ?? 0)
  }
}
