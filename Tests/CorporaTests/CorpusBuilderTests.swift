import Corpora
import Foundation
import Frames
import Host
import Tensors
import TestSupport
import Testing

struct CorpusBuilderTests {
  @Test func picturesLabelsAndProvenanceAreWhatTheRunsHold() throws {
    let scratch = Scratch(), runs = StackRuns()
    try runs.write(to: scratch)
    let recipe = try runs.recipe(top: "tone: {map: linear, scale: 10, offset: 100}")
    let corpus = try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("corpus"))

    // 6 runs of 7 shots; shots 2 and 5 have label 2 and are dropped.
    #expect(corpus.records.count == 30)
    #expect(corpus.manifest.sources[0].dropped == ["label kind: 2": 12])
    #expect(corpus.classes(of: "kind") == ["none", "one"])
    #expect(corpus.manifest.labels["kind"]?["none"]?.values.reduce(0, +) == 18)
    #expect(corpus.manifest.labels["kind"]?["one"]?.values.reduce(0, +) == 12)
    for (record, image) in zip(corpus.records, try corpus.images(corpus.records)) {
      #expect(record.detector == "picture")
      #expect(record.unit == "ADU")
      #expect(record.event.experiment == "t")
      #expect(record.file == "raw/run\(record.event.run)/shots.h5")
      #expect(record.fileChecksum == "xxh128:" + (try Checksum.xxh128(files: [scratch(record.file)])))
      #expect(record.labels == ["kind": record.eventIndex % 3 == 0 ? "none" : "one"])
      #expect(record.coverage == 1)
      if let assigned = [1: Split.train, 2: .validation, 3: .test][record.event.run] { #expect(record.split == assigned) }
      // 20×30 -> 5×5: each pixel is the mean of 4 rows and 6 columns of a plane, its value at their middle.
      for row in 0..<5 {
        for column in 0..<5 {
          let middle = Float(100 * record.event.run + 10 * record.eventIndex) + (Float(4 * row) + 1.5) * 0.5 + (Float(6 * column) + 2.5) * 0.25
          #expect(abs(image.pixels.elements[row * 5 + column] - (middle - 100) / 10) < 1e-4)
        }
      }
      #expect(image.weight.elements.allSatisfy { $0 == 1 })
    }
    #expect(try corpus.image(corpus.records[3]) == corpus.images(corpus.records)[3])
    #expect(try corpus.images([corpus.records[9], corpus.records[2]]).map(\.pixels) == [9, 2].map { try corpus.image(corpus.records[$0]).pixels })
    try corpus.verify()
    #expect(!scratch.exists("corpus.building"))
  }

  /// Versions before 2026-11-21 wrote SHA-256 of raw files, named in the header of records and in the manifest's key.
  @Test func corporaOfEarlierVersionsAreRead() throws {
    let scratch = Scratch(), runs = StackRuns()
    try runs.write(to: scratch)
    let corpus = try CorpusBuilder.build(try runs.recipe(), relativeTo: scratch.path, to: scratch("corpus"))
    func rewrite(_ file: String, _ pairs: [(String, String)]) throws -> String {
      var text = String(decoding: try AtomicFile.read(scratch("corpus/" + file)), as: UTF8.self)
      for (new, old) in pairs {
        #expect(text.contains(new))
        text = text.replacingOccurrences(of: new, with: old)
      }
      try AtomicFile.write(Data(text.utf8), to: scratch("corpus/" + file))
      return Checksum.sha256(Data(text.utf8))
    }
    let records = try rewrite("records.csv", [(",file_checksum,", ",file_sha256,"), (",xxh128:", ",")])
    let spelling = #""checksum" : "xxh128:"#, old = #""sha256" : ""#
    _ = try rewrite("manifest.json", [(corpus.manifest.recordsSHA256, records), (spelling, old)])
    let read = try Corpus(opening: scratch("corpus"))
    #expect(read.records.map(\.id) == corpus.records.map(\.id))
    #expect(read.records.map(\.fileChecksum) == corpus.records.map { $0.fileChecksum.replacingOccurrences(of: "xxh128:", with: "sha256:") })
    let files = corpus.manifest.sources[0].files, readFiles = read.manifest.sources[0].files
    #expect(readFiles.map(\.checksum) == files.map { "sha256:" + $0.checksum.dropFirst("xxh128:".count) })
  }

  @Test func rebuildingGivesTheSameBytes() throws {
    let scratch = Scratch(), runs = StackRuns()
    try runs.write(to: scratch)
    let recipe = try runs.recipe(top: "imagesPerShard: 4")
    try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("one"))
    // Another place, another moment, and a pause longer than a file's time stamp resolves.
    Thread.sleep(forTimeInterval: 1.1)
    try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("two"))
    let one = scratch.digests("one")
    #expect(one.count > 9)
    #expect(one == scratch.digests("two"))
  }

  @Test(arguments: [0, 1, 2, 9, 17, 29])
  func anInterruptedBuildGoesOnToTheSameBytes(stop: Int) throws {
    let scratch = Scratch(), runs = StackRuns()
    try runs.write(to: scratch)
    let recipe = try runs.recipe(top: "imagesPerShard: 3")
    try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("unbroken"))
    let error = inputError {
      try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("broken")) { (progress) throws(InputError) in
        if progress.activity.hasPrefix("build"), progress.done > stop {
          throw InputError(.inputOutput, path: "", place: "", expected: "to go on", found: "a wish to stop")
        }
      }
    }
    #expect(error?.found == "a wish to stop")
    #expect(!scratch.exists("broken"))
    let kept = scratch.digests("broken.building").filter { $0.key.hasSuffix(".h5") }
    if stop >= 17 { #expect(kept.count >= 3) }

    var developed = 0
    try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("broken")) { progress in
      if progress.activity.hasPrefix("build") { developed += 1 }
    }
    #expect(scratch.digests("broken") == scratch.digests("unbroken"))
    #expect(!scratch.exists("broken.building"))
    // What was finished is not made again; the last shard of a split holds fewer than 3.
    #expect(developed <= max(0, 30 - 3 * kept.count))
  }

  @Test func damageToAnUnfinishedBuildIsRepaired() throws {
    let scratch = Scratch(), runs = StackRuns()
    try runs.write(to: scratch)
    let recipe = try runs.recipe(top: "imagesPerShard: 3")
    try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("unbroken"))
    _ = inputError {
      try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("broken")) { (progress) throws(InputError) in
        if progress.activity.hasPrefix("build"), progress.done == 29 {
          throw InputError(.inputOutput, path: "", place: "", expected: "to go on", found: "a wish to stop")
        }
      }
    }
    let shard = scratch("broken.building/shards/train-00000.h5")
    var bytes = try AtomicFile.read(shard)
    bytes[bytes.count / 2] ^= 1
    try AtomicFile.write(bytes, to: shard)
    try AtomicFile.write(Data("half".utf8), to: scratch("broken.building/shards/test-00000.h5.partial"))
    try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("broken"))
    #expect(scratch.digests("broken").filter { !$0.key.hasSuffix(".partial") } == scratch.digests("unbroken"))
  }

  @Test func anotherRecipeDoesNotContinueAnUnfinishedBuild() throws {
    let scratch = Scratch(), runs = StackRuns()
    try runs.write(to: scratch)
    _ = inputError {
      try CorpusBuilder.build(try runs.recipe(top: "imagesPerShard: 3"), relativeTo: scratch.path, to: scratch("c")) {
        (progress) throws(InputError) in
        if progress.done == 20 { throw InputError(.inputOutput, path: "", place: "", expected: "", found: "stop") }
      }
    }
    let other = try runs.recipe(top: "imagesPerShard: 3\ntone: {scale: 3}")
    try CorpusBuilder.build(other, relativeTo: scratch.path, to: scratch("c"))
    try CorpusBuilder.build(other, relativeTo: scratch.path, to: scratch("fresh"))
    #expect(scratch.digests("c") == scratch.digests("fresh"))
  }

  @Test func aFinishedCorpusIsKeptAndNeverOverwrittenUnasked() throws {
    let scratch = Scratch(), runs = StackRuns()
    try runs.write(to: scratch)
    let recipe = try runs.recipe(), other = try runs.recipe(top: "tone: {scale: 3}")
    try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("c"))
    let digests = scratch.digests("c")
    var developed = 0
    try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("c")) { progress in
      if progress.activity.hasPrefix("build") { developed += 1 }
    }
    #expect(developed == 0)
    #expect(inputError { try CorpusBuilder.build(other, relativeTo: scratch.path, to: scratch("c")) } != nil)
    #expect(scratch.digests("c") == digests)
    try CorpusBuilder.build(other, relativeTo: scratch.path, to: scratch("c"), replacing: true)
    #expect(scratch.digests("c") != digests)
  }

  /// Random recipes over random runs: no (experiment, run) is ever in two splits, and adding runs moves none.
  @Test func noRunIsInTwoSplits() throws {
    var random = Philox(seed: 11)
    for trial in 0..<8 {
      let scratch = Scratch()
      let all = Array(Set((0..<14).map { _ in Int(random.next() % 90) + 1 })).sorted()
      let train = Double(random.next() % 5 + 3) / 10, seed = random.next()
      var placed: [RunKey: Split] = [:]
      for count in [all.count / 2, all.count] {
        let runs = StackRuns(runs: Array(all.prefix(count)), shots: 2 + trial % 3, height: 4, width: 4)
        try runs.write(to: scratch)
        var recipe = try runs.recipe(
          split: "{train: \(train), validation: \(1 - train), test: 0, allowEmpty: true}", labels: "[]")
        recipe.seed = seed
        let corpus = try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("c\(count)"))
        for (run, records) in Dictionary(grouping: corpus.records, by: \.run) {
          #expect(Set(records.map(\.split)).count == 1)
          if let earlier = placed[run] { #expect(earlier == records[0].split) }
          placed[run] = records[0].split
        }
      }
      #expect(placed.count == all.count)
    }
  }

  @Test func blocksOfConsecutivePicturesAreRuns() throws {
    let scratch = Scratch(), runs = StackRuns(runs: [1, 2], shots: 10, height: 4, width: 4)
    try runs.write(to: scratch)
    var recipe = try runs.recipe(split: "{by: run, train: 1, validation: 0, test: 0}", labels: "[]")
    recipe.sources[0].run = .block(of: 4)
    recipe.sources[0].experiment = .folder(level: 1)
    let corpus = try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("c"))
    for record in corpus.records {
      #expect(record.event.run == record.eventIndex / 4)
      #expect("raw/\(record.event.experiment)/shots.h5" == record.file)
    }
  }

  @Test func linesAreStackedInOrder() throws {
    let scratch = Scratch()
    var runs = StackRuns(runs: [1], shots: 11, height: 1, width: 6)
    runs.pixel = { _, shot, _, column in Float(10 * shot + column) }
    try runs.write(to: scratch)
    let recipe = try runs.recipe(
      image: "{height: 5, width: 6}", split: "{train: 1, validation: 0, test: 0}", extra: "stack: 5", labels: "[]")
    let corpus = try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("c"))
    #expect(corpus.records.map(\.eventIndex) == [0, 5])
    #expect(corpus.manifest.sources[0].dropped == ["not enough consecutive rows for a stack": 1])
    for record in corpus.records {
      #expect(
        try corpus.image(record).pixels.elements == (0..<30).map { Float(10 * (record.eventIndex + $0 / 6) + $0 % 6) })
    }
  }

  @Test func cropEveryAndLimitChoose() throws {
    let scratch = Scratch()
    var runs = StackRuns(runs: [1], shots: 9, height: 8, width: 8)
    runs.pixel = { _, shot, row, column in Float(100 * shot + 10 * row + column) }
    try runs.write(to: scratch)
    let recipe = try runs.recipe(
      image: "{height: 2, width: 3}", split: "{train: 1, validation: 0, test: 0}",
      extra: "crop: {rows: [3, 5], columns: [4, 7]}\n    every: 2\n    limit: 3",
      labels: "[]")
    let corpus = try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("c"))
    #expect(corpus.records.map(\.eventIndex) == [0, 2, 4])
    #expect(try corpus.image(corpus.records[1]).pixels.elements == [234, 235, 236, 244, 245, 246])
  }
}
