import Foundation
import Host
import Tensors

/// A finished corpus: labelled pictures with their masks and provenance.
public struct Corpus: Sendable {
  public let folder: String
  public let manifest: CorpusManifest
  /// All records: train, then validation, then test.
  public let records: [Record]

  /// Opens a corpus and checks that its parts agree: the record table by checksum, shards by size, no run in two splits.
  /// Throws `.missing` where there is none. `verify` also reads every byte.
  public init(opening folder: String) throws(InputError) {
    self.folder = folder
    let path = folder + "/manifest.json"
    manifest = try CanonicalJSON.value(CorpusManifest.self, from: try AtomicFile.read(path), path: path)
    guard manifest.format == CorpusManifest.format else {
      throw InputError(path: path, place: "format", expected: CorpusManifest.format, found: manifest.format)
    }
    guard (1...8192).contains(manifest.height), (1...8192).contains(manifest.width) else {
      throw InputError(path: path, place: "height, width", expected: "1 to 8192", found: "\(manifest.height), \(manifest.width)")
    }
    let tablePath = folder + "/records.csv"
    var records: [Record] = []
    records.reserveCapacity(min(manifest.counts.values.reduce(0, +), 1 << 24))
    try RecordTable.forEach(inFileAt: tablePath, sha256: manifest.recordsSHA256) { record throws(InputError) in records.append(record) }
    self.records = records
    try checkRecords(tablePath)
    for shard in manifest.shards {
      let path = folder + "/" + shard.file
      guard FileManager.default.fileExists(atPath: path) else {
        throw InputError(.missing, path: path, place: "", expected: "a shard of \(shard.bytes) bytes", found: "nothing there")
      }
      let size = try fileSize(path)
      guard size == shard.bytes else {
        throw InputError(path: path, place: "size", expected: "\(shard.bytes) bytes", found: "\(size)")
      }
    }
  }

  private func checkRecords(_ path: String) throws(InputError) {
    let lengths = Dictionary(manifest.shards.map { ($0.file, $0) }, uniquingKeysWith: { first, _ in first })
    var splits: [RunKey: Split] = [:], counts: [Split: Int] = [:], ids: Set<String> = []
    for record in records {
      guard let shard = lengths[record.shard], shard.split == record.split, (0..<shard.pictures).contains(record.row) else {
        throw InputError(
          path: path, place: record.id, expected: "a row of a \(record.split.rawValue) shard of the manifest",
          found: "\(record.shard) row \(record.row)")
      }
      guard ids.insert(record.id).inserted else {
        throw InputError(path: path, place: record.id, expected: "different ids", found: "the same twice")
      }
      counts[record.split, default: 0] += 1
      let other = splits.updateValue(record.split, forKey: record.run)
      guard manifest.splitBy == .frame || other == nil || other == record.split else {
        throw InputError(
          path: path, place: record.id, expected: "run \(record.run) in one split",
          found: "\(other?.rawValue ?? "") and \(record.split.rawValue)")
      }
    }
    guard counts == manifest.counts else {
      throw InputError(path: path, place: "", expected: "\(manifest.counts) pictures", found: "\(counts)")
    }
  }

  /// Compares every file with its checksum in the manifest; throws at the first that differs.
  public func verify(progress: ProgressHandler = { _ in }) throws(InputError) {
    if let fault = try faults(progress: progress, stopsAtFirst: true).first { throw fault }
  }

  /// Every file that is not there or differs from its checksum in the manifest.
  public func faults(progress: ProgressHandler = { _ in }, stopsAtFirst: Bool = false) throws(InputError) -> [InputError] {
    var faults: [InputError] = []
    let files = checksums
    for (i, (file, expected)) in files.enumerated() where faults.isEmpty || !stopsAtFirst {
      progress(Progress("verify \(manifest.name)", done: i, total: files.count, note: file))
      let path = "\(folder)/\(file)"
      do throws(InputError) {
        let found = try Checksum.sha256(file: path)
        if found != expected { faults.append(InputError(path: path, place: "", expected: "SHA-256 \(expected)", found: found)) }
      } catch {
        guard error.kind == .missing else { throw error }
        faults.append(error)
      }
    }
    return faults
  }

  /// The files that the manifest has checksums of, but for `records.csv`, which is compared whenever a corpus is opened.
  private var checksums: [(file: String, sha256: String)] {
    let geometries = manifest.geometries.map { ("geometry/\($0.key).h5", $0.value) }.sorted { $0.0 < $1.0 }
    let tables = [("recipe.yaml", manifest.recipeSHA256), (Taxonomy.file, manifest.taxonomySHA256)]
    return tables + geometries + manifest.shards.map { ($0.file, $0.sha256) }
  }

  public func records(in split: Split) -> [Record] { records.filter { $0.split == split } }

  /// The classes of a label, sorted; empty where no source has it.
  public func classes(of label: String) -> [String] { manifest.labels[label]?.keys.sorted() ?? [] }

  /// The labels of the corpus, sorted.
  public var labels: [String] { manifest.labels.keys.sorted() }

  /// The picture of a record, `[H,W]`, tone-mapped; pixels of weight 0 hold 0.
  public func image(_ record: Record) throws(InputError) -> MaskedImage { try images([record])[0] }

  /// The pictures of records, in their order, read and decoded on all processors.
  public func images(_ records: [Record]) throws(InputError) -> [MaskedImage] {
    let reader = try ImageReader(self, records)
    return try records.indices.concurrentMap { index throws(InputError) in try reader.image(index).maskedImage }
  }

  /// Where the picture's pixels lie on the detector; `nil` for a source without a geometry.
  public func detectorCoordinates(for record: Record) throws(InputError) -> DetectorCoordinates? {
    guard !record.geometry.isEmpty else { return nil }
    guard manifest.geometries[record.geometry] != nil else {
      throw InputError(
        path: folder + "/manifest.json", place: "geometries", expected: "geometry \(record.geometry)", found: "no such entry")
    }
    return try DetectorCoordinates(
      reading: "\(folder)/geometry/\(record.geometry).h5", height: manifest.height, width: manifest.width)
  }
}
