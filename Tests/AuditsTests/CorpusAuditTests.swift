import Audits
import Corpora
import Foundation
import Frames
import Host
import Simulation
import Tensors
import TestSupport
import Testing

/// Each gate: one corpus that violates exactly it, and nothing else fails.
struct CorpusAuditTests {
  @Test func aCleanCorpusPassesEveryGate() throws {
    let scratch = Scratch(), corpus = try CameraRuns().build(scratch)
    let audit = try CorpusAudit(of: corpus.folder)
    #expect(audit.passed && audit.failures.isEmpty, "\(audit.text)")
    #expect(audit.gates.map(\.name) == Gate.Name.allCases)
    #expect(audit.pictures == 12 * 32)
    #expect(audit.gate(.darkSets)?.verdict == .notApplicable)
    for name in [Gate.Name.integrity, .runs, .duplicates, .classes, .pixels] { #expect(audit.gate(name)?.verdict == .passed, "\(audit.text)") }
    // By five ways: whether there is beam, and each of three slopes; the camera is one class.
    #expect(audit.probes.count == 20)
    #expect(audit.unprobed.keys.sorted() == ["camera"])
    for probe in audit.probes {
      #expect(probe.score.count > 0 && probe.score.standardError > 0)
      #expect(probe.score.chance == 0.5 && (probe.oneClass == nil) == (probe.label == "beam"))
    }
    // White noise of σ 1 at the size it was taken.
    #expect(abs(audit.duplicates[0].noise - 1) < 0.05)
    #expect(audit.sources[0].mirrorOverlap == 1 && audit.sources[0].registeredMirrorOverlap == 1)
    // What was written can be read.
    let data = try CanonicalJSON.data(audit)
    #expect(try CanonicalJSON.value(CorpusAudit.self, from: data, path: "").gates == audit.gates)
  }

  @Test func aRunInTwoSplitsFails() throws {
    let scratch = Scratch()
    let corpus = try CameraRuns().build(scratch, split: "{by: frame, allowFrameSplit: true, train: 0.5, validation: 0.2, test: 0.3}")
    let audit = try CorpusAudit(of: corpus.folder)
    #expect(audit.failures == [.runs], "\(audit.text)")
    #expect(audit.gate(.runs)?.count == 12)
  }

  @Test func aPictureThatIsRepeatedInAnotherSplitFails() throws {
    let scratch = Scratch(), clean = CameraRuns()
    var runs = clean
    // Shot 9 of run 3 (test) is shot 4 of run 1 (train) over again, with half of its noise redrawn.
    runs.spoil = { shot in
      guard shot.run == 3, shot.index == 9 else { return }
      let other = clean.shot(1, 4)
      var random = Philox(seed: 99)
      shot.pixels = other.pixels.map { $0 + Float(random.normal(0, 0.5)) }
      (shot.isB, shot.isDark) = (other.isB, other.isDark)
    }
    let corpus = try runs.build(scratch)
    let audit = try CorpusAudit(of: corpus.folder)
    #expect(audit.failures == [.duplicates], "\(audit.text)")
    #expect(audit.duplicates[0].acrossSplits == 2)
    let pair = try #require(audit.duplicates[0].pairs.first)
    #expect(audit.duplicates[0].pairs.count == 1)
    let places = try [pair.first, pair.second].map { id in try #require(corpus.records.first { $0.id == id }) }
    #expect(Set(places.map { [$0.event.run, $0.eventIndex] }) == [[3, 9], [1, 4]])
    // The difference has a variance of 0.25 where two exposures have 2.
    #expect(abs(pair.ratio - 0.125) < 0.03)
  }

  /// What a class must not go with, and the gate that says so.
  @Test(arguments: [
    ("label by time stamp", Gate.Name.header), ("label by mask", .mask), ("label by frame number", .frameNumber),
    ("label in blocks", .frameNumber), ("label by run", .run), ("label mostly by run", .run),
  ])
  func aLabelThatIsKnownWithoutThePictureFails(_ fault: String, _ gate: Gate.Name) throws {
    let scratch = Scratch()
    var runs = CameraRuns(), extra = ""
    runs.spoil = { shot in
      var random = Philox(seed: 77, UInt64(shot.run), UInt64(shot.index))
      switch fault {
      case "label by time stamp": shot.nanoseconds = UInt32(random.uniform(0, 500_000_000)) + (shot.isB ? 500_000_000 : 0)
      case "label by mask":
        if shot.isB && !shot.isDark { for row in 0..<4 { for column in 0..<4 { shot.pixels[row * CameraRuns.side + column] = -1000 } } }
      case "label by frame number": shot.isB = shot.index % 4 < 2
      case "label in blocks": shot.isB = (shot.index + 5 * shot.run) / 8 % 2 == 0
      case "label mostly by run": shot.isB = (shot.run % 2 == 0) != (random.uniform() < 0.05)
      default: shot.isB = shot.run % 2 == 0
      }
    }
    if fault == "label by mask" { extra = "gapValue: -1000" }
    let corpus = try runs.build(scratch, extra: extra)
    let audit = try CorpusAudit(of: corpus.folder)
    #expect(audit.failures == [gate], "\(audit.text)")
    let probe = try #require(audit.probes.first { $0.label == "slope" && $0.verdict == .failed })
    #expect(probe.lower > probe.limit && probe.score.value > 0.65 && ["rising", "falling"].contains(probe.oneClass))
  }

  @Test func anEmptyClassFails() throws {
    let scratch = Scratch()
    let corpus = try CameraRuns().build(
      scratch, labels: "[\(CameraRuns.beam), {name: slope, dataset: /label, values: {0: falling, 1: rising, 2: none}, classes: [falling, rising, none, flat]}]")
    let audit = try CorpusAudit(of: corpus.folder)
    #expect(audit.failures == [.classes], "\(audit.text)")
    #expect(audit.gate(.classes)?.findings == ["slope flat: no picture"])
  }

  @Test func aClassWithoutATestPictureFails() throws {
    let scratch = Scratch()
    // Run 3 and some others are test; a class of run 1 alone is train.
    let corpus = try CameraRuns().build(scratch, labels: "[{name: sample, runs: {\"1\": salt, \(Set(2...12).map { "\"\($0)\": water" }.sorted().joined(separator: ", "))}}]")
    let audit = try CorpusAudit(of: corpus.folder)
    #expect(audit.gate(.classes)?.verdict == .failed)
    #expect(audit.gate(.classes)?.findings == ["sample salt: 0 of 32 pictures in test (least 1)"])
  }

  @Test func tooManySaturatedPicturesFail() throws {
    let scratch = Scratch()
    var runs = CameraRuns()
    runs.asCounts = true
    runs.spoil = { shot in
      if !shot.isDark, shot.index % 4 == 1 { for i in 0..<8 { shot.pixels[150 + i] = 1e6 } }
    }
    let corpus = try runs.build(scratch)
    let audit = try CorpusAudit(of: corpus.folder)
    #expect(audit.failures == [.pixels], "\(audit.text)")
    #expect(audit.gate(.pixels)?.findings.first?.contains("at full scale") == true)
  }

  @Test func aChangedByteFails() throws {
    let scratch = Scratch(), corpus = try CameraRuns().build(scratch), shard = corpus.folder + "/" + corpus.manifest.shards[0].file
    var bytes = try AtomicFile.read(shard)
    bytes[bytes.count / 2] ^= 1
    try AtomicFile.write(bytes, to: shard)
    let audit = try CorpusAudit(of: corpus.folder)
    #expect(audit.failures == [.integrity])
    #expect(audit.gate(.integrity)?.findings.first?.contains("SHA-256") == true)
    // A table that disagrees is found before anything is read.
    try AtomicFile.write(Data("id\n".utf8), to: corpus.folder + "/records.csv")
    #expect(try CorpusAudit(of: corpus.folder).failures == [.integrity])
  }

  @Test func noCorpusIsMissing() {
    let scratch = Scratch()
    #expect { try CorpusAudit(of: scratch("nothing")) } throws: { ($0 as? InputError)?.kind == .missing }
  }

  @Test func boundsAreReadStrictly() throws {
    let scratch = Scratch()
    try AtomicFile.write(Data("{\"run\": 0.9, \"smallestClass\": {\"test\": 0}}".utf8), to: scratch("bounds.json"))
    let bounds = try AuditBounds(reading: scratch("bounds.json"))
    #expect(bounds.run == 0.9 && bounds.smallestClass.test == 0 && bounds.smallestClass.train == 1 && bounds.mask == 0.25)
    for text in ["{\"runs\": 0.9}", "{\"run\": 2}", "{\"falseAlarm\": 0}", "{\"copy\": -1}"] {
      try AtomicFile.write(Data(text.utf8), to: scratch("bad.json"))
      #expect(throws: InputError.self) { try AuditBounds(reading: scratch("bad.json")) }
    }
  }
}

/// Shards that say what no builder writes: the pictures are changed and every checksum made to fit.
struct BrokenPictureTests {
  private func forge(_ corpus: Corpus, _ change: (inout [Float], inout [UInt8]) -> Void) throws {
    var manifest = corpus.manifest
    let shard = manifest.shards[0], path = corpus.folder + "/" + shard.file, side = CameraRuns.side
    let images = try corpus.images(corpus.records.filter { $0.shard == shard.file })
    var pixels = images.flatMap(\.pixels.elements), weights = images.flatMap { $0.weight.elements.map { UInt8($0 * 255) } }
    change(&pixels, &weights)
    let file = try HDF5File(creating: path)
    try file.write(pixels, shape: [images.count, side, side], to: "/image")
    try file.write(weights, shape: [images.count, side, side], to: "/weight")
    try file.close()
    manifest.shards[0].bytes = try AtomicFile.read(path).count
    manifest.shards[0].sha256 = try Checksum.sha256(file: path)
    try AtomicFile.write(try CanonicalJSON.data(manifest), to: corpus.folder + "/manifest.json")
  }

  @Test func measuredPixelsThatAreNoNumbersFail() throws {
    let scratch = Scratch(), corpus = try CameraRuns().build(scratch)
    try forge(corpus) { pixels, _ in pixels[400 * 3 + 7] = .nan }
    let audit = try CorpusAudit(of: corpus.folder)
    #expect(audit.failures == [.pixels], "\(audit.text)")
    #expect(audit.gate(.pixels)?.findings.first?.contains("1 measured pixels are no numbers") == true)
  }

  @Test func aPictureWithoutAMeasuredPixelFails() throws {
    let scratch = Scratch(), corpus = try CameraRuns().build(scratch)
    try forge(corpus) { _, weights in for i in 400 * 5..<400 * 6 { weights[i] = 0 } }
    let audit = try CorpusAudit(of: corpus.folder)
    #expect(audit.failures == [.pixels], "\(audit.text)")
    #expect(audit.gate(.pixels)?.findings.first?.contains("no measured pixel") == true)
  }
}
