import Corpora
import Exports
import Foundation
import Frames
import Host
import Testing

struct CorpusExportTests {
  private func terms() throws -> ExportTerms {
    try ExportTerms(license: "CC-BY-4.0", creator: "A lab", citation: "A lab, 2026", url: "https://example.org/set", date: "2026-11-21")
  }

  @Test(arguments: ExportFormat.allCases)
  func exportsAreReproducibleAndTheirChecksumsHold(format: ExportFormat) throws {
    let small = try SmallCorpus()
    let export = CorpusExport(format, terms: try terms(), label: "kind", picturesPerFile: 4)
    let outcome = try export.write(small.corpus, to: small("one"))
    #expect(outcome.pictures == [.train: 10, .validation: 10, .test: 10])
    #expect(outcome.leftOut == 0)
    // A pause longer than an archive's time stamp resolves.
    Thread.sleep(forTimeInterval: 1.1)
    try export.write(small.corpus, to: small("two"))
    let one = try small.digests("one")
    #expect(try one == small.digests("two"))
    #expect(one.count == outcome.files)
    #expect(try run("sha256sum", ["-c", "--quiet", "--strict", "SHA256SUMS"], in: small("one")).code == 0)
    let listed = String(decoding: try AtomicFile.read(small("one/SHA256SUMS")), as: UTF8.self).split(separator: "\n").map { $0.dropFirst(66) }
    #expect(Set(listed.map(String.init)) == Set(one.keys).subtracting(["SHA256SUMS"]))
    #expect(!FileManager.default.fileExists(atPath: small("one.exporting")))
    #expect(!FileManager.default.fileExists(atPath: small("one.exporting.lock")))
  }

  /// tar itself takes the archives apart.
  @Test func samplesOfAWebDatasetAreThePicturesOfTheCorpus() throws {
    let small = try SmallCorpus()
    try CorpusExport(.webdataset, terms: try terms(), label: "kind", picturesPerFile: 4).write(small.corpus, to: small("e"))
    for record in small.corpus.records {
      let table = String(decoding: try AtomicFile.read(small("e/records.csv")), as: UTF8.self)
      let line = try #require(table.split(separator: "\n").first { $0.hasPrefix(record.id) })
      let archive = String(line.split(separator: ",")[2])
      func contents(_ name: String) throws -> [UInt8] {
        let (code, output) = try run("tar", ["-xOf", archive, "\(record.id).\(name)"], in: small("e"))
        #expect(code == 0)
        return [UInt8](output)
      }
      guard record.row % 3 == 0 else { continue }
      let image = try small.corpus.image(record)
      let npy = try contents("npy"), weight = try contents("weight.npy")
      #expect(npy.starts(with: [0x93] + Array("NUMPY".utf8)))
      #expect(String(decoding: npy.prefix(128), as: UTF8.self).contains("'descr': '<f4', 'fortran_order': False, 'shape': (5, 5)"))
      #expect(Float.array(littleEndian: Array(npy.suffix(100))) == image.pixels.elements)
      #expect(Array(weight.suffix(25)) == image.weight.elements.map { UInt8(($0 * 255).rounded()) })
      let number = try #require(Int(String(decoding: try contents("cls"), as: UTF8.self)))
      #expect(SmallCorpus.classes.sorted()[number] == record.labels["kind"])
      let json = try CanonicalJSON.value(JSONValue.self, from: Data(try contents("json")), path: "")
      guard case .object(let fields) = json, case .object(let labels) = fields["labels"] else {
        Issue.record("no labels in \(json)")
        return
      }
      #expect(labels["kind"] == record.labels["kind"].map { .string($0) })
      #expect(fields["split"] == .string(record.split.rawValue))
      let preview = try PNG.decode(try contents("png"), path: "")
      for (grey, share) in zip(preview.bytes, image.weight.elements) { #expect((grey == 0) == (share == 0)) }
    }
    let names = try String(decoding: run("tar", ["-tvf", "data/small-a-corpus-train-000000.tar"], in: small("e")).output, as: UTF8.self)
    let lines = names.split(separator: "\n")
    // Four samples of five files; no owner and no time of this machine.
    #expect(lines.count == 20)
    #expect(lines.allSatisfy { $0.contains(" 0/0 ") && $0.contains("1970-01-01") })
    let keys = lines.map { $0.split(separator: " ").last!.prefix(16) }
    #expect(stride(from: 0, to: 20, by: 5).allSatisfy { Set(keys[$0..<$0 + 5]).count == 1 })
  }

  @Test func everyClassHasItsFolderAndItsTrueName() throws {
    let small = try SmallCorpus()
    try CorpusExport(.imagefolder, terms: try terms(), label: "kind").write(small.corpus, to: small("e"))
    for split in ["train", "validation", "test"] {
      let folders = try FileManager.default.contentsOfDirectory(atPath: small("e/\(split)")).filter { $0 != "metadata.csv" }
      #expect(folders.count == 5)
      #expect(Set(folders.map { $0.lowercased() }).count == 5)
      let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
      #expect(folders.allSatisfy { $0.allSatisfy(plain.contains) })
      let rows = String(decoding: try AtomicFile.read(small("e/\(split)/metadata.csv")), as: UTF8.self).split(separator: "\n").dropFirst()
      #expect(rows.count == 10)
      for row in rows {
        let fields = row.split(separator: ",").map(String.init)
        #expect(FileManager.default.fileExists(atPath: small("e/\(split)/\(fields[0])")))
        let record = try #require(small.corpus.records.first { $0.id == fields[2] })
        #expect(record.labels["kind"] == fields[1])
        #expect(record.split.rawValue == split)
      }
      // One folder a class.
      let pairs = Set(rows.map { row in row.split(separator: ",")[0].split(separator: "/")[0] + " " + row.split(separator: ",")[1] })
      #expect(pairs.count == 5)
    }
  }

  @Test func noFolderHoldsMoreThan4096Pictures() throws {
    let small = try SmallCorpus(shots: 4100, otherShots: 1, side: 2, classes: ["one"])
    try CorpusExport(.imagefolder, terms: try terms(), label: "kind").write(small.corpus, to: small("e"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: small("e/train/one")).sorted() == ["000", "001"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: small("e/train/one/000")).count == 4096)
    #expect(try FileManager.default.contentsOfDirectory(atPath: small("e/train/one/001")).count == 4)
  }

  @Test func aNexusFileIsACXIFile() throws {
    let small = try SmallCorpus()
    try CorpusExport(.nexus, terms: try terms(), picturesPerFile: 6).write(small.corpus, to: small("e"))
    let file = try HDF5File(opening: small("e/data/small-a-corpus-train-000001.h5"))
    #expect(try file.attribute("NX_class") == .string("NXroot"))
    #expect(try file.attribute("default") == .string("entry_1"))
    #expect(try file.attribute("signal", of: "/entry_1/data_1") == .string("data"))
    #expect(try file.dataset("/cxi_version").values(as: Int32.self) == [160])
    let records = small.corpus.records(in: .train).dropFirst(6)
    #expect(try file.dataset("/entry_1/record/id").strings() == records.map(\.id))
    #expect(try file.dataset("/entry_1/label/kind").strings() == records.map { $0.labels["kind"] ?? "" })
    let data = try file.dataset("/entry_1/data_1/data"), mask = try file.dataset("/entry_1/data_1/mask")
    for (row, record) in records.enumerated() {
      let image = try small.corpus.image(record)
      #expect(try data.values(rows: row..<row + 1, as: Float.self) == image.pixels.elements)
      #expect(try mask.values(rows: row..<row + 1, as: UInt32.self) == image.weight.elements.map { $0 == 0 ? 1 : 0 })
    }
    // This program takes it for a CXI file of images, too.
    #expect(try HDF5Reader(opening: small("e/data/small-a-corpus-test-000000.h5")).datasetPath == "/entry_1/data_1/data")
  }

  @Test func whatCannotBeExportedIsRefusedAndLeavesNothing() throws {
    let small = try SmallCorpus(shots: 2)
    func error(_ body: () throws -> Void) -> InputError? {
      do { try body() } catch { return error as? InputError }
      return nil
    }
    let unlabelled = CorpusExport(.imagefolder, terms: try terms())
    #expect(error { try unlabelled.write(small.corpus, to: small("e")) }?.expected.contains("kind, odd") == true)
    #expect(error { try CorpusExport(.webdataset, terms: try terms(), label: "nothing").write(small.corpus, to: small("e")) } != nil)
    #expect(error { try CorpusExport(.nexus, terms: try terms()).write(small.corpus, to: small("corpus")) }?.expected == "nothing there")
    for (license, date, url) in [("", nil, nil), ("CC BY", nil, nil), ("MIT", "today", nil), ("MIT", nil, "example.org")] as [(String, String?, String?)] {
      #expect(error { _ = try ExportTerms(license: license, url: url, date: date) } != nil)
    }
    var bytes = try AtomicFile.read(small("corpus/shards/train-00000.h5"))
    for i in bytes.count / 3..<bytes.count / 2 { bytes[i] ^= 0x55 }
    try AtomicFile.write(bytes, to: small("corpus/shards/train-00000.h5"))
    #expect(error { try CorpusExport(.nexus, terms: try terms()).write(small.corpus, to: small("e")) } != nil)
    #expect(try FileManager.default.contentsOfDirectory(atPath: small.folder).sorted() == ["corpus", "raw"])
  }
}
