import Foundation
import Host
import Tensors

/// Reads image datasets of an HDF5 file: one event a row of the first axis, or one event where a dataset holds a single image.
///
/// Numbers, texts and event codes with one entry a row become metadata of the event, single values metadata of all; names end in
/// the unit where an attribute `units` or the name itself tells it. Identity is taken from run, seconds, nanoseconds and fiducials,
/// the 64-bit `event_time` / `timestamp` of LCLS (seconds << 32 | nanoseconds), or psana-translate's `time`; experiment and run
/// also from the name of the file. Events of a file that says nothing about them have time 0 and differ in `index` only.
public final class HDF5Reader: EventReader {
  public static let container = "hdf5"

  public static func recognizes(head: [UInt8], path: String) -> Bool {
    head.starts(with: [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]) || head.starts(with: Array("MATLAB 7.3 ".utf8))
  }

  public var readsBytes = true
  public var spareBytes: SpareBytes?
  public private(set) var skipped: [String: Int] = [:]
  /// Who wrote the file, where its layout tells: a name of `HDF5FileLayout.all`, `smalldata` or `MATLAB 7.3`.
  public let layout: String?
  /// The dataset that holds the images; the first where several are read one after the other.
  public let datasetPath: String
  /// All datasets that are read, in order.
  public let datasets: [String]
  /// Every number dataset of two axes and more, the one that is read among them.
  public let imageDatasets: [String]
  private let element: ElementType
  private let shape: Shape
  private var parts: [Part]
  private var part = 0
  private var row = 0
  private var index = 0

  /// One dataset with what stands beside it.
  private struct Part {
    let rows: HDF5Rows
    var columns: HDF5Columns
    let translated: HDF5Translated?
  }

  /// Reads the images of the first layout that fits or, where none does, the largest dataset of two to four axes.
  public convenience init(opening path: String) throws(InputError) {
    try self.init(opening: path, dataset: nil)
  }

  /// Reads the dataset of that path, such as `/detector/frames`; soft and external links are followed. With stars in it, as in
  /// `HDF5FileLayout.images`, all datasets that fit are read in the order of their paths.
  public init(opening path: String, dataset wanted: String?) throws(InputError) {
    let file = try HDF5File(opening: path)
    let paths = try file.datasetPaths()
    var images: [HDF5Dataset] = [], others: [HDF5Dataset] = []
    for name in paths {
      let dataset = try file.dataset(name)
      if case .number = dataset.element, dataset.shape.rank >= 2, !HDF5Columns.isCodeTable(dataset) {
        images.append(dataset)
      } else {
        others.append(dataset)
      }
    }
    imageDatasets = images.map(\.path)
    let (layout, names) = try Self.choice(wanted, images, others, paths, path)
    self.layout = layout
    var chosen: [HDF5Dataset] = [], rows: [HDF5Rows] = []
    for name in names {
      let dataset = try file.dataset(name)
      chosen.append(dataset)
      rows.append(try HDF5Rows(dataset, in: file))
    }
    let first = rows[0]
    guard case .number(let element) = chosen[0].element else { preconditionFailure("\(names[0]) holds numbers: HDF5Rows checked") }
    if let other = rows.first(where: { $0.shape != first.shape || $0.dataset.element != .number(element) }) {
      throw InputError(
        path: path, place: other.dataset.path, expected: "events of \(first.shape) \(element) like \(names[0])",
        found: "\(other.shape) \(other.dataset.element)")
    }
    (self.element, shape, datasetPath, datasets) = (element, first.shape, names[0], names)
    var skipped: [String: Int] = [:]
    let own = Set(chosen.map(\.identity))
    for other in images where !own.contains(other.identity) { skipped["dataset \(other.path)"] = 1 }
    parts = []
    for rows in rows {
      let translated = try HDF5Translated(beside: rows.dataset, in: file, paths: paths, skipped: &skipped)
      var columns = translated != nil ? HDF5Columns(of: file) : try HDF5Columns(others, count: rows.count, of: file, skipped: &skipped)
      columns.addConstants(try file.fields(of: rows.dataset.path, skipped: &skipped))
      parts.append(Part(rows: rows, columns: columns, translated: translated))
    }
    self.skipped = skipped
  }

  /// Which datasets to read, and whose layout that is.
  private static func choice(
    _ wanted: String?, _ images: [HDF5Dataset], _ others: [HDF5Dataset], _ paths: [String], _ path: String
  ) throws(InputError) -> (String?, [String]) {
    let recognized = HDF5FileLayout.recognized(stacks: images.map(\.path), paths: paths)
    if let wanted {
      guard wanted.contains("*") else { return (recognized?.images.contains(wanted) == true ? recognized?.name : nil, [wanted]) }
      let found = images.map(\.path).filter { HDF5FileLayout.matches($0, wanted) }
      guard !found.isEmpty else {
        throw InputError(
          .missing, path: path, place: wanted, expected: "a dataset of two axes and more that fits",
          found: images.isEmpty ? "none of two axes" : images.prefix(8).map(\.path).joined(separator: ", "))
      }
      return (recognized?.images == found ? recognized?.name : nil, found)
    }
    if let recognized { return (recognized.name, recognized.images) }
    let times = others.first { ["event_time", "timestamp"].contains($0.path.nameInPath) && $0.shape.rank == 1 }
    func largest(_ candidates: [HDF5Dataset]) -> HDF5Dataset? {
      var best: HDF5Dataset?
      for image in candidates where image.shape.rank <= 4 && image.shape.count > (best?.shape.count ?? 0) { best = image }
      return best
    }
    // Beside event times, sums over the run and calibration constants are no events, however large.
    if let times, let best = largest(images.filter { $0.shape.rank >= 3 && $0.shape[0] == times.shape[0] }) { return ("smalldata", [best.path]) }
    guard let best = largest(images) else {
      throw InputError(
        path: path, place: "/", expected: "a number dataset of two to four axes", found: "none among \(images.count) of two axes and more")
    }
    return (nil, [best.path])
  }

  public func next() throws(InputError) -> Event? {
    while part < parts.count {
      let rows = parts[part].rows, translated = parts[part].translated
      guard row < rows.count else {
        (part, row) = (part + 1, 0)
        continue
      }
      let here = row
      row += 1
      index += 1
      if let translated, !translated.isPresent(row: here) {
        skipped["row without a frame", default: 0] += 1
        continue
      }
      guard try rows.isWritten(here) else {
        skipped["row that was never written", default: 0] += 1
        continue
      }
      let info = PayloadInfo(source: datasetPath, typeName: "dataset", element: element, shape: shape)
      let payload = Payload(info: info, bytes: readsBytes ? try rows.bytes(here, spare: spareBytes) : [])
      if let translated {
        return Event(
          id: parts[part].columns.id(translated.times[here]), index: index - 1, payloads: [payload],
          scalars: translated.scalars(of: here).merging(parts[part].columns.constants.scalars) { old, _ in old },
          texts: parts[part].columns.constants.texts, eventCodes: translated.eventCodes(of: here))
      }
      return Event(
        id: try parts[part].columns.id(of: here), index: index - 1, payloads: [payload], scalars: try parts[part].columns.scalars(of: here),
        texts: parts[part].columns.texts(of: here), eventCodes: try parts[part].columns.eventCodes(of: here))
    }
    return nil
  }
}
