import Corpora
import Foundation
import Frames
import Host
import Tensors
import TestSupport
import Testing

/// LCLS-I runs of several streams with damaged events, as a corpus.
struct RunStreamCorpusTests {
  private static let camera = XTC1Source(name: "XppEndstation.0:Opal1000.1")!

  /// Run `number`: shots dealt to two streams, one event in `damagedEvery` with a damaged camera frame.
  /// In shots of `cut`, the frame's record says that it has more pixels than it has.
  private func writeRun(_ number: UInt32, shots: Int, damagedEvery: Int = .max, cut: Set<Int> = [], to scratch: Scratch) throws {
    for stream in 0..<2 {
      let name = "raw/exp-r000\(number)-s0\(stream)-c00.xtc"
      let writer = try XTC1Writer(creating: scratch(name))
      try writer.write(.beginRun, seconds: 99, nanoseconds: 0, fiducial: 0, environment: number)
      for shot in stride(from: stream, to: shots, by: 2) {
        let pixels = (0..<64).map { (place: Int) -> UInt16 in UInt16(100 * shot + place) }
        let frame = XTC1Record.frame(Self.camera, width: 8, height: 8, depth: 12, offset: 0, pixels)
        var datagram = XTC1Writer.datagram(
          .event, seconds: 100 + UInt32(shot), nanoseconds: 5, fiducial: UInt32(3 * shot), leaves: [frame])
        // The damage word of the frame: behind the headers of the datagram and of one readout node.
        if shot % damagedEvery == damagedEvery - 1 { datagram[datagram.startIndex + 61] = 1 << 5 }
        // Behind the header of the record stands the frame's width.
        if cut.contains(shot) { datagram[datagram.startIndex + 80] = 9 }
        try writer.append(datagram)
      }
      try writer.close()
    }
  }

  private func recipe(_ extra: String = "") throws -> CorpusRecipe {
    try CorpusRecipe(
      yaml: """
        name: streams
        image: {height: 7, width: 7}
        split: {runs: {train: ['exp:1'], validation: ['exp:2'], test: ['exp:3']}}
        sources:
          - name: camera
            files: ["raw/*.xtc"]
            fit: stretch
            \(extra)
        """)
  }

  @Test func streamsBecomeOneSequenceAndDamagedEventsAreCounted() throws {
    let scratch = Scratch()
    for run in 1...3 as ClosedRange<UInt32> { try writeRun(run, shots: 20, damagedEvery: 10, to: scratch) }
    try CorpusBuilder.build(try recipe(), relativeTo: scratch.path, to: scratch("c"))
    let corpus = try Corpus(opening: scratch("c"))
    let counts: [Split: Int] = [.train: 18, .validation: 18, .test: 18]
    #expect(corpus.manifest.counts == counts)
    let source = corpus.manifest.sources[0]
    var names: [String] = [], parts: [[String]?] = []
    for run in 1...3 {
      names.append("raw/exp-r000\(run)-s00-c00.xtc")
      parts.append(["raw/exp-r000\(run)-s00-c00.xtc", "raw/exp-r000\(run)-s01-c00.xtc"])
    }
    #expect(source.files.map(\.name) == names)
    #expect(source.files.map(\.parts) == parts)
    #expect(source.dropped == ["damaged Frame v1 of XppEndstation.0:Opal1000.1: OutOfSynch": 6])
    var seconds: [UInt32] = []
    for second in 100..<120 as Range<UInt32> where second % 10 != 9 { seconds.append(second) }
    let found = corpus.records.filter { $0.split == .train }.map { $0.event.seconds }
    #expect(found == seconds)
  }

  @Test(arguments: ["damageLimit: 5", "damageLimit: 9%"]) func moreDamageThanTheLimitIsRefused(limit: String) throws {
    let scratch = Scratch()
    for run in 1...3 as ClosedRange<UInt32> { try writeRun(run, shots: 20, damagedEvery: 10, to: scratch) }
    let error = inputError { try CorpusBuilder.build(try recipe(limit), relativeTo: scratch.path, to: scratch("c")) }
    #expect(error?.place == "source camera, damageLimit")
    let found = error?.found ?? ""
    for word in ["6 of 60", "OutOfSynch", "exp-r0001-s01-c00.xtc"] { #expect(found.contains(word), "\(found)") }
    #expect(!scratch.exists("c"))
    try CorpusBuilder.build(try recipe("damageLimit: 6"), relativeTo: scratch.path, to: scratch("c"))
  }

  /// Damage words tell of most damage; what they do not tell, the second pass finds: in the first frame of a run, in the middle, in the
  /// only frame of a shard.
  @Test(arguments: ["", "view: panels"]) func framesThatCannotBeDecodedAreCountedAsDamage(extra: String) throws {
    let scratch = Scratch()
    for run in 1...3 as ClosedRange<UInt32> { try writeRun(run, shots: 21, cut: run == 2 ? [] : [0, 9, 20], to: scratch) }
    var recipe = try recipe(extra)
    recipe.imagesPerShard = 4
    let corpus = try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("c"))
    #expect(corpus.manifest.counts == [.train: 18, .validation: 21, .test: 18] as [Split: Int])
    #expect(corpus.manifest.sources[0].dropped == ["damaged Frame v1 of XppEndstation.0:Opal1000.1": 6])
    var seconds: [UInt32] = []
    for second in 100..<121 as Range<UInt32> where ![100, 109, 120].contains(second) { seconds.append(second) }
    #expect(corpus.records.filter { $0.split == .train }.map { $0.event.seconds } == seconds)
    for limit in ["damageLimit: 5", "damageLimit: 9%"] {
      let strict = try self.recipe(extra.isEmpty ? limit : extra + "\n    " + limit)
      let error = inputError { try CorpusBuilder.build(strict, relativeTo: scratch.path, to: scratch("d")) }
      #expect(error?.place == "source camera, damageLimit")
      for word in ["of 63", "event 0", "exp-r0001-s00-c00.xtc"] { #expect(error?.found.contains(word) == true, "\(error?.found ?? "")") }
      #expect(!scratch.exists("d") && !scratch.exists("d.building"))
    }
  }

  /// An instrument that labels frames passes over those that it cannot decode; they are the event's damage, not a missing label.
  @Test func framesThatAnInstrumentCannotDecodeAreDamage() throws {
    let scratch = Scratch()
    for run in 1...3 as ClosedRange<UInt32> { try writeRun(run, shots: 20, cut: [0, 7], to: scratch) }
    let label = "detector: opal1000\n    labels: [{name: hit, instrument: {name: peaks}}]"
    let corpus = try CorpusBuilder.build(try recipe(label), relativeTo: scratch.path, to: scratch("c"))
    #expect(corpus.records.count == 54 && corpus.records.allSatisfy { $0.labels["hit"] == "0" })
    #expect(corpus.manifest.sources[0].dropped == ["damaged Frame v1 of XppEndstation.0:Opal1000.1": 6])
  }

  @Test func damageLimitsAreWrittenAsTheyAreRead() throws {
    for text in ["10%", "12.5%", "0%", "0", "20"] {
      let read = try recipe("damageLimit: \(text)")
      #expect(read.sources[0].damageLimit.description == text)
      #expect(try CorpusRecipe(yaml: String(decoding: try read.yaml(), as: UTF8.self)) == read)
    }
    #expect(try recipe().sources[0].damageLimit == .percent(10))
    for text in ["-1", "101%", "many"] {
      #expect(inputError { _ = try recipe("damageLimit: \(text)") }?.place == "sources.[0].damageLimit")
    }
  }

  @Test func limitsCountDamagedAmongRecordedEvents() {
    let share = DamageLimit.percent(10), number = DamageLimit.events(2)
    #expect(share.allows(2, of: 20))
    #expect(!share.allows(3, of: 20))
    #expect(number.allows(2, of: 3))
    #expect(!number.allows(3, of: 300))
    #expect(DamageLimit.percent(0).allows(0, of: 0))
  }
}
