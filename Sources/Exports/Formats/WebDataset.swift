import Corpora
import Frames
import Host

/// tar shards `<name>-<split>-NNNNNN.tar`. A sample's files follow one another and are named by the record's id, which has no dot:
/// `.npy` f32 `[H,W]`, `.weight.npy` u8 `[H,W]`, `.png` 8-bit preview, `.json` the record, `.cls` the number of the class.
struct WebDataset {
  private let set: ExportSet

  init(_ set: ExportSet) { self.set = set }

  private struct Sample: Sendable {
    let image: [UInt8], weight: [UInt8], preview: [UInt8], json: [UInt8]
    let category: [UInt8]?
  }

  func write(_ split: Split, _ records: [Record], perFile: Int, to folder: String, _ progress: ProgressHandler) throws(InputError) -> [ExportFile] {
    try AtomicFile.makeFolder(folder + "/data")
    let numbers = Dictionary(uniqueKeysWithValues: set.classes.enumerated().map { ($1, $0) })
    var files: [ExportFile] = [], places: [(id: String, place: String)] = [], tar: TarWriter?
    func close() throws(InputError) {
      guard let open = tar else { return }
      try open.finish()
      files.append(ExportFile(path: "data/\(set.fileName(split, files.count)).tar", split: split, places: places))
      (tar, places) = (nil, [])
    }
    try set.forEach(records, "\(split.rawValue)", progress) { record, image in
      Sample(
        image: NPYArray(element: .float32, shape: image.pixels.shape, bytes: Float.bytes(littleEndian: image.pixels.elements)).file,
        weight: NPYArray(element: .uint8, shape: image.weight.shape, bytes: image.weight.elements).file,
        preview: PNG.encode(grey: set.scale.grey(image), rows: set.height, columns: set.width), json: set.json(record),
        category: set.label.flatMap { record.labels[$0] }.flatMap { numbers[$0] }.map { [UInt8]("\($0)".utf8) })
    } _: { index, record, sample throws(InputError) in
      let open: TarWriter
      if let tar { open = tar } else {
        open = try TarWriter(creating: "\(folder)/data/\(set.fileName(split, files.count)).tar")
        tar = open
      }
      if let category = sample.category { try open.add(record.id + ".cls", category) }
      try open.add(record.id + ".json", sample.json)
      try open.add(record.id + ".npy", sample.image)
      try open.add(record.id + ".png", sample.preview)
      try open.add(record.id + ".weight.npy", sample.weight)
      places.append((record.id, record.id))
      if places.count == perFile { try close() }
    }
    try close()
    return files
  }
}
