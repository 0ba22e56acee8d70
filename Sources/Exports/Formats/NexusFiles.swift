import Corpora
import Frames
import Host

/// HDF5 files `<name>-<split>-NNNNNN.h5` that a reader of CXI (cxi_version, `/entry_1/data_1/data`, `mask`, `/LCLS`) and one of NeXus
/// (`NX_class`, `default`, `signal`, `axes`) both take for their own. One chunk a picture, shuffle and deflate, no times.
struct NexusFiles {
  private let set: ExportSet

  init(_ set: ExportSet) { self.set = set }

  private struct Rows: Sendable {
    let image: HDF5PackedRow, mask: HDF5PackedRow, weight: HDF5PackedRow
  }

  func write(_ split: Split, _ records: [Record], perFile: Int, to folder: String, _ progress: ProgressHandler) throws(InputError) -> [ExportFile] {
    try AtomicFile.makeFolder(folder + "/data")
    var files: [ExportFile] = []
    for first in stride(from: 0, to: records.count, by: perFile) {
      let part = Array(records[first..<min(first + perFile, records.count)])
      let path = "data/\(set.fileName(split, files.count)).h5"
      try write(split, part, to: "\(folder)/\(path)", progress)
      files.append(ExportFile(path: path, split: split, places: part.enumerated().map { ($1.id, "\($0)") }))
    }
    return files
  }

  private static let detector = "/entry_1/instrument_1/detector_1"

  private func write(_ split: Split, _ records: [Record], to path: String, _ progress: ProgressHandler) throws(InputError) {
    let file = try HDF5File(creating: path + ".partial")
    try file.write([Int32(160)], shape: [], to: "/cxi_version")
    try file.setAttribute("NX_class", .string("NXroot"))
    try file.setAttribute("default", .string("entry_1"))
    func group(_ name: String, _ kind: String) throws(InputError) {
      try file.makeGroup(name)
      try file.setAttribute("NX_class", .string(kind), of: name)
    }
    try group("/entry_1", "NXentry")
    try file.setAttribute("default", .string("data_1"), of: "/entry_1")
    try file.write(strings: ["\(set.corpus.manifest.name), \(split.rawValue)"], to: "/entry_1/title")
    try group("/entry_1/instrument_1", "NXinstrument")
    try group(NexusFiles.detector, "NXdetector")
    let chunk = HDF5Layout.chunked([1, set.height, set.width], isGrowable: false), shape: Shape3 = (records.count, set.height, set.width)
    let image = try file.makeDataset("\(NexusFiles.detector)/data", element: .float32, shape: [shape.0, shape.1, shape.2], layout: chunk)
    let mask = try file.makeDataset("\(NexusFiles.detector)/mask", element: .uint32, shape: [shape.0, shape.1, shape.2], layout: chunk)
    let weight = try file.makeDataset("\(NexusFiles.detector)/weight", element: .uint8, shape: [shape.0, shape.1, shape.2], layout: chunk)
    try set.forEach(records, split.rawValue, progress) { _, picture in
      Rows(
        // CXI: bit 0 marks an invalid pixel.
        image: HDF5PackedRow(picture.pixels.elements), mask: HDF5PackedRow(picture.weight.elements.map { $0 == 0 ? UInt32(1) : 0 }),
        weight: HDF5PackedRow(picture.weight.elements))
    } _: { row, _, rows throws(InputError) in
      try image.write(rows.image, at: row)
      try mask.write(rows.mask, at: row)
      try weight.write(rows.weight, at: row)
    }
    try file.setAttribute("long_name", .string("tone-mapped signal; 0 where nothing was measured"), of: "\(NexusFiles.detector)/data")
    try file.setAttribute("long_name", .string("measured share of the pixel in units of 1/255"), of: "\(NexusFiles.detector)/weight")
    try file.setAttribute("long_name", .string("1 where nothing was measured"), of: "\(NexusFiles.detector)/mask")
    try group("/entry_1/data_1", "NXdata")
    try file.setAttribute("signal", .string("data"), of: "/entry_1/data_1")
    try file.setAttribute("axes", .strings([".", ".", "."]), of: "/entry_1/data_1")
    for name in ["data", "mask", "weight"] { try file.makeSoftLink("/entry_1/data_1/\(name)", to: "\(NexusFiles.detector)/\(name)") }
    try writeRecords(records, to: file, group)
    try file.close()
    try AtomicFile.move(path + ".partial", to: path)
  }

  private typealias Shape3 = (Int, Int, Int)

  private func writeRecords(
    _ records: [Record], to file: HDF5File, _ group: (String, String) throws(InputError) -> Void
  ) throws(InputError) {
    func write(_ name: String, _ values: [String]) throws(InputError) {
      try file.write(strings: values, to: name, byteCount: max(1, values.map(\.utf8.count).max() ?? 1))
    }
    func write<Number: HDF5Number>(_ name: String, _ values: [Number]) throws(InputError) {
      try file.write(values, shape: [values.count], to: name)
    }
    // As Cheetah and psocake name them.
    try group("/LCLS", "NXcollection")
    try write("/LCLS/machineTime", records.map { Int32(truncatingIfNeeded: $0.event.seconds) })
    try write("/LCLS/machineTimeNanoSeconds", records.map { Int32(truncatingIfNeeded: $0.event.nanoseconds) })
    try write("/LCLS/fiducial", records.map { Int32(truncatingIfNeeded: $0.event.fiducial) })
    try write("/LCLS/runNumber", records.map { Int64($0.event.run) })
    try write("/LCLS/eventNumber", records.map { Int64($0.eventIndex) })
    try write("/LCLS/experiment", records.map(\.event.experiment))
    try group("/entry_1/record", "NXcollection")
    try write("/entry_1/record/id", records.map(\.id))
    try write("/entry_1/record/source", records.map(\.source))
    try write("/entry_1/record/detector", records.map(\.detector))
    try write("/entry_1/record/file", records.map(\.file))
    try write("/entry_1/record/file_checksum", records.map(\.fileChecksum))
    try write("/entry_1/record/coverage", records.map(\.coverage))
    try write("/entry_1/record/unit", records.map(\.unit))
    try write("/entry_1/record/panel", records.map { Int64($0.panel) })
    try group("/entry_1/label", "NXcollection")
    for label in set.corpus.labels { try write("/entry_1/label/\(label)", records.map { $0.labels[label] ?? "" }) }
  }
}
