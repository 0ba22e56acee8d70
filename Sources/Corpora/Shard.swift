import Foundation
import Frames
import Host

/// One HDF5 file of pictures: `image` f32 `[N,H,W]`, `weight` u8 `[N,H,W]` (255 = fully measured), and their records as
/// columns `[N]` under `/record`.
package enum Shard {
  /// Writes to a temporary sibling and renames. The same pictures give the same bytes. Rows and shard of the records do not count.
  static func write(_ pictures: [PackedPicture], labels: [String], height: Int, width: Int, to path: String) throws(InputError) {
    precondition(!pictures.isEmpty, "a shard without pictures")
    let count = pictures.count, records = pictures.map(\.record)
    let temporary = path + ".partial"
    let file = try HDF5File(creating: temporary)
    try file.setAttribute("format", .string(CorpusManifest.format))
    let chunk = HDF5Layout.chunked([1, height, width], isGrowable: false)
    let image = try file.makeDataset("/image", element: .float32, shape: [count, height, width], layout: chunk)
    let weight = try file.makeDataset("/weight", element: .uint8, shape: [count, height, width], layout: chunk)
    for (row, picture) in pictures.enumerated() {
      try image.write(picture.image, at: row)
      try weight.write(picture.weight, at: row)
    }
    func write(_ name: String, _ values: [String]) throws(InputError) {
      let length = max(1, values.map(\.utf8.count).max() ?? 1)
      try file.write(strings: values, to: "/record/\(name)", byteCount: length)
    }
    func write<Number: HDF5Number>(_ name: String, _ values: [Number]) throws(InputError) {
      try file.write(values, shape: [count], to: "/record/\(name)")
    }
    try write("id", records.map(\.id))
    try write("source", records.map(\.source))
    try write("detector", records.map(\.detector))
    try write("experiment", records.map(\.event.experiment))
    try write("run", records.map { Int64($0.event.run) })
    try write("seconds", records.map(\.event.seconds))
    try write("nanoseconds", records.map(\.event.nanoseconds))
    try write("fiducial", records.map(\.event.fiducial))
    try write("file", records.map(\.file))
    try write("file_checksum", records.map(\.fileChecksum))
    try write("event_index", records.map { Int64($0.eventIndex) })
    try write("panel", records.map { Int64($0.panel) })
    try write("coverage", records.map(\.coverage))
    try write("unit", records.map(\.unit))
    try write("calibration", records.map(\.calibration))
    try write("dark_set", records.map(\.darkSet))
    try write("geometry", records.map(\.geometry))
    // −1: not known.
    try write("saturation", records.map { $0.saturation ?? -1 })
    try write("transforms", pictures.map(\.transforms))
    for label in labels { try write("label/\(label)", records.map { $0.labels[label] ?? "" }) }
    try file.close()
    try AtomicFile.move(temporary, to: path)
  }

  /// A measured pixel never rounds to a gap.
  package static func byte(of weight: Float) -> UInt8 {
    weight <= 0 ? 0 : UInt8(max(1, min(255, (weight * 255).rounded())))
  }
}

/// A developed picture as it will lie in a shard, with its record.
struct PackedPicture: Sendable {
  var record: Record
  /// The steps from raw counts to value, as JSON.
  var transforms: String
  var image: HDF5PackedRow
  var weight: HDF5PackedRow
}
