import Corpora
import Foundation
import Frames
import Host
import Tensors

/// Hands a corpus on in a format that other software reads, as a folder that explains and checks itself: data, `records.csv`,
/// the recipe, a card (`README.md`), `croissant.json` and `SHA256SUMS`.
///
/// The folder appears by one rename when it is complete. The same corpus and settings give the same bytes. Pictures are read,
/// decoded and encoded on all cores, some hundred at a time.
public struct CorpusExport: Sendable {
  public var format: ExportFormat
  public var terms: ExportTerms
  /// The label that gives the class: `.cls` of WebDataset, folders of ImageFolder.
  public var label: String?
  /// Pictures in one tar or HDF5 file; `nil`: as many as make about 256 MiB (4 GiB for HDF5).
  public var picturesPerFile: Int?

  public init(_ format: ExportFormat, terms: ExportTerms, label: String? = nil, picturesPerFile: Int? = nil) {
    precondition(picturesPerFile ?? 1 > 0, "a file holds pictures")
    (self.format, self.terms, self.label, self.picturesPerFile) = (format, terms, label, picturesPerFile)
  }

  /// What was written.
  public struct Outcome: Codable, Hashable, Sendable {
    public var folder: String
    public var format: ExportFormat
    public var pictures: [Split: Int]
    public var files: Int
    public var bytes: Int
    /// Pictures without the label.
    public var leftOut: Int

    public var text: String {
      let counts = pictures.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key.rawValue)" }.joined(separator: ", ")
      let missing = leftOut > 0 ? "; \(leftOut) pictures without the label were left out" : ""
      return "\(folder): \(format.rawValue), \(counts), \(files) files, \(bytes) bytes\(missing)"
    }
  }

  /// Writes the folder. Throws where something stands there, where the corpus has no such label, and for a corpus that is damaged.
  @discardableResult
  public func write(_ corpus: Corpus, to folder: String, progress: ProgressHandler = { _ in }) throws(InputError) -> Outcome {
    guard !FileManager.default.fileExists(atPath: folder) else {
      throw InputError(path: folder, place: "", expected: "nothing there", found: "something; name another folder or remove it")
    }
    if let label, !corpus.labels.contains(label) {
      throw InputError(path: corpus.folder, place: "label", expected: "one of \(corpus.labels.joined(separator: ", "))", found: label)
    }
    if format == .imagefolder, label == nil {
      throw InputError(
        path: corpus.folder, place: "label", expected: "the label that names the folders: \(corpus.labels.joined(separator: ", "))", found: "none")
    }
    let building = folder + ".exporting"
    let lock = try FileLock(building + ".lock", expected: "no other export to this folder")
    defer { withExtendedLifetime(lock) {} }
    try remove(building)
    let outcome: Outcome
    do throws(InputError) { outcome = try fill(building, corpus, folder, progress) } catch {
      try remove(building)
      throw error
    }
    try AtomicFile.move(building, to: folder)
    return outcome
  }

  private func fill(_ building: String, _ corpus: Corpus, _ folder: String, _ progress: ProgressHandler) throws(InputError) -> Outcome {
    try AtomicFile.makeFolder(building)
    let set = try ExportSet(corpus, label: label, scale: try PreviewScale(corpus), name: DatasetCard.identifier(corpus.manifest.name))
    var files: [ExportFile] = []
    for split in Split.allCases {
      let records = set.records.filter { $0.split == split }
      guard !records.isEmpty else { continue }
      switch format {
      case .webdataset: files += try WebDataset(set).write(split, records, perFile: perFile(set, 256 << 20), to: building, progress)
      case .imagefolder: files += try ImageFolder(set).write(split, records, to: building, progress)
      case .nexus: files += try NexusFiles(set).write(split, records, perFile: perFile(set, 4 << 30), to: building, progress)
      }
    }
    for name in ["recipe.yaml", "manifest.json", Taxonomy.file] {
      try AtomicFile.write(try AtomicFile.read("\(corpus.folder)/\(name)"), to: "\(building)/corpus/\(name)")
    }
    try AtomicFile.write(Data(set.table(files).utf8), to: building + "/records.csv")
    let description = ExportDescription(set: set, format: format, terms: terms, files: files)
    try AtomicFile.write(Data(DatasetCard(description).text.utf8), to: building + "/README.md")
    try AtomicFile.write(
      try Croissant(description).document(recordsSHA256: Checksum.sha256(file: building + "/records.csv"), in: building),
      to: building + "/croissant.json")
    let (count, bytes) = try ExportChecksums.write(in: building)
    var pictures: [Split: Int] = [:]
    for record in set.records { pictures[record.split, default: 0] += 1 }
    return Outcome(
      folder: folder, format: format, pictures: pictures, files: count, bytes: bytes, leftOut: corpus.records.count - set.records.count)
  }

  private func perFile(_ set: ExportSet, _ bytes: Int) -> Int {
    picturesPerFile ?? max(1, bytes / (set.height * set.width * 6 + 4096))
  }

  private func remove(_ path: String) throws(InputError) {
    guard FileManager.default.fileExists(atPath: path) else { return }
    do { try FileManager.default.removeItem(atPath: path) } catch {
      throw InputError(.inputOutput, path: path, place: "remove", expected: "a removable folder", found: error.localizedDescription)
    }
  }
}

/// A file with pictures, as the card and the Croissant file name it.
struct ExportFile: Sendable {
  /// Below the folder.
  let path: String
  let split: Split
  /// Record -> its name or row within the file.
  let places: [(id: String, place: String)]
}

/// The records that are exported, and what is the same for all of them.
struct ExportSet: Sendable {
  let corpus: Corpus
  let records: [Record]
  let label: String?
  /// Sorted; a class's position is its number.
  let classes: [String]
  let scale: PreviewScale
  /// The corpus's name in letters, digits and `-`.
  let name: String

  init(_ corpus: Corpus, label: String?, scale: PreviewScale, name: String) throws(InputError) {
    (self.corpus, self.label, self.scale, self.name) = (corpus, label, scale, name)
    records = label.map { label in corpus.records.filter { $0.labels[label] != nil } } ?? corpus.records
    classes = label.map { corpus.classes(of: $0) } ?? []
  }

  var height: Int { corpus.manifest.height }
  var width: Int { corpus.manifest.width }

  /// `body` on every picture, some hundred at a time made ready by `prepare` on all cores, in order.
  func forEach<Prepared: Sendable>(
    _ records: [Record], _ activity: String, _ progress: ProgressHandler, prepare: @Sendable (Record, StoredImage) -> Prepared,
    _ body: (Int, Record, Prepared) throws(InputError) -> Void
  ) throws(InputError) {
    let width = 256
    for first in stride(from: 0, to: records.count, by: width) {
      let part = Array(records[first..<min(first + width, records.count)])
      let reader = try ImageReader(corpus, part)
      let ready = try part.indices.concurrentMap { i throws(InputError) in prepare(part[i], try reader.image(i)) }
      for (i, prepared) in ready.enumerated() { try body(first + i, part[i], prepared) }
      progress(Progress("export \(activity)", done: first + part.count, total: records.count))
    }
  }

  /// `records.csv`: the corpus's table with the file and the place in it where each picture lies now.
  func table(_ files: [ExportFile]) -> String {
    var places: [String: (file: String, place: String)] = [:]
    for file in files { for (id, place) in file.places { places[id] = (file.path, place) } }
    let labels = corpus.labels
    var text = CSVTable.line(ExportSet.columns.map(\.name) + labels.map { "label.\($0)" })
    for record in records {
      let at = places[record.id] ?? ("", "")
      text += CSVTable.line(
        [
          record.id, record.split.rawValue, at.file, at.place, record.source, record.detector, record.event.experiment,
          "\(record.event.run)", "\(record.event.seconds)", "\(record.event.nanoseconds)", "\(record.event.fiducial)", record.file,
          record.fileChecksum, "\(record.eventIndex)", "\(record.panel)", "\(record.coverage)", record.unit, record.calibration,
          record.geometry,
        ] + labels.map { record.labels[$0] ?? "" })
    }
    return text
  }

  /// The columns before the labels: name, schema.org type, meaning.
  static let columns: [(name: String, type: String, meaning: String)] = [
    ("id", "sc:Text", "16 hexadecimal digits that name the picture"),
    ("split", "sc:Text", "train, validation or test"),
    ("export_file", "sc:Text", "the file of this data set that holds the picture"),
    ("export_place", "sc:Text", "the key or row of the picture in that file"),
    ("source", "sc:Text", "the source of the corpus recipe"),
    ("detector", "sc:Text", "kind of detector"),
    ("experiment", "sc:Text", "experiment"),
    ("run", "sc:Integer", "run of the experiment"),
    ("seconds", "sc:Integer", "time of the event, whole seconds"),
    ("nanoseconds", "sc:Integer", "time of the event, the rest"),
    ("fiducial", "sc:Integer", "360 Hz pulse number"),
    ("raw_file", "sc:Text", "raw file"),
    ("raw_checksum", "sc:Text", "checksum of the raw file with its kind, xxh128: as by xxh128sum"),
    ("event_index", "sc:Integer", "position of the event in the raw file, from 0"),
    ("panel", "sc:Integer", "panel, or -1"),
    ("coverage", "sc:Float", "measured share of the picture, 0 to 1"),
    ("unit", "sc:Text", "unit of the signal before the tone map"),
    ("calibration", "sc:Text", "SHA-256 of the calibration constants; empty for none"),
    ("geometry", "sc:Text", "digest of the pixel coordinates; empty for none"),
  ]

  /// `cspad-train-000003`
  func fileName(_ split: Split, _ number: Int) -> String {
    let digits = String(number)
    return "\(name)-\(split.rawValue)-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
  }

  /// A picture's record as JSON, keys sorted.
  func json(_ record: Record) -> [UInt8] {
    var fields: [String: JSONValue] = [
      "id": .string(record.id), "split": .string(record.split.rawValue), "source": .string(record.source),
      "detector": .string(record.detector), "experiment": .string(record.event.experiment), "run": .integer(record.event.run),
      "seconds": .integer(Int(record.event.seconds)), "nanoseconds": .integer(Int(record.event.nanoseconds)),
      "fiducial": .integer(Int(record.event.fiducial)), "raw_file": .string(record.file), "raw_checksum": .string(record.fileChecksum),
      "event_index": .integer(record.eventIndex), "panel": .integer(record.panel), "coverage": .number(record.coverage),
      "unit": .string(record.unit), "calibration": .string(record.calibration), "geometry": .string(record.geometry),
    ]
    // Every picture has every label, so that all have one schema; null where the source has none.
    fields["labels"] = .object(
      Dictionary(uniqueKeysWithValues: corpus.labels.map { ($0, record.labels[$0].map { .string($0) } ?? .null) }))
    do throws(InputError) { return [UInt8](try CanonicalJSON.data(JSONValue.object(fields), pretty: false)) } catch {
      preconditionFailure("texts and finite numbers are JSON: \(error)")
    }
  }
}
