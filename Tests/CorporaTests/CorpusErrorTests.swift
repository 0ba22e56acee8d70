import Corpora
import Foundation
import Frames
import Host
import Tensors
import TestSupport
import Testing

/// Bad recipes and bad data: each gives its message and leaves neither corpus nor half of one.
struct CorpusErrorTests {
  private func error(
    _ runs: StackRuns, _ recipe: (Scratch) throws -> CorpusRecipe, sourceLocation: SourceLocation = #_sourceLocation,
    before: (Scratch) throws -> Void = { _ in }
  ) throws -> InputError? {
    let scratch = Scratch()
    try runs.write(to: scratch)
    try before(scratch)
    let recipe = try recipe(scratch)
    let error = inputError(sourceLocation: sourceLocation) {
      try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("c"))
    }
    #expect(!scratch.exists("c"), sourceLocation: sourceLocation)
    #expect(!scratch.exists("c.building"), sourceLocation: sourceLocation)
    return error
  }

  @Test func anUnknownLabelValueIsNamed() throws {
    let runs = StackRuns()
    let found = try error(runs) { _ in try runs.recipe(labels: "[{name: kind, dataset: /label, values: {0: a, 1: b}}]") }
    #expect(found?.expected.contains("0, 1") == true)
    #expect(found?.found == "2")
    #expect(found?.place.contains("event 2") == true)
    #expect(found?.path.hasSuffix("raw/run1/shots.h5") == true)
  }

  @Test func aValueOutsideTheClassesIsNamed() throws {
    let runs = StackRuns()
    let found = try error(runs) { _ in try runs.recipe(labels: "[{name: kind, dataset: /label, classes: [0, 1]}]") }
    #expect(found?.expected.contains("classes 0, 1") == true)
    #expect(found?.found == "2")
  }

  @Test func aMissingImageDatasetIsNamed() throws {
    let runs = StackRuns()
    var recipe = try runs.recipe()
    recipe.sources[0].dataset = "/pictures"
    let found = try error(runs) { _ in recipe }
    #expect(found?.kind == .missing)
    #expect(found?.description.contains("pictures") == true)
  }

  @Test func aMissingLabelDatasetIsNamed() throws {
    let runs = StackRuns()
    let found = try error(runs) { _ in try runs.recipe(labels: "[{name: kind, dataset: /lasing}]") }
    #expect(found?.kind == .missing)
    #expect(found?.place.contains("/lasing") == true)
  }

  @Test func anEmptyGlobIsMissing() throws {
    let runs = StackRuns()
    var recipe = try runs.recipe()
    recipe.sources[0].files = ["raw/run*/none.h5"]
    let found = try error(runs) { _ in recipe }
    #expect(found?.kind == .missing)
    #expect(found?.expected.contains("raw/run*/none.h5") == true)
  }

  @Test func aPixelThatIsNoNumberIsFound() throws {
    var runs = StackRuns()
    runs.pixel = { run, shot, row, column in run == 4 && shot == 3 && row == 7 && column == 11 ? .nan : 1 }
    let found = try error(runs) { _ in try runs.recipe() }
    #expect(found?.path.hasSuffix("raw/run4/shots.h5") == true)
    #expect(found?.place.contains("event 3") == true)
    #expect(found?.place.contains("row 7, column 11") == true)
    #expect(found?.found == "nan")
  }

  @Test func infinitiesCanBeMasked() throws {
    let scratch = Scratch()
    var runs = StackRuns(runs: [1], shots: 1, height: 2, width: 2)
    runs.pixel = { _, _, row, column in row == 0 && column == 1 ? .infinity : 8 }
    try runs.write(to: scratch)
    let recipe = try runs.recipe(
      image: "{height: 2, width: 2}", split: "{train: 1, validation: 0, test: 0}", extra: "nonFinite: mask", labels: "[]")
    let corpus = try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("c"))
    #expect(try corpus.image(corpus.records[0]).weight.elements == [1, 0, 1, 1])
    #expect(try corpus.image(corpus.records[0]).pixels.elements == [8, 0, 8, 8])
    #expect(corpus.records[0].coverage == 0.75)
  }

  @Test func aMaskThatHidesEverythingIsAnError() throws {
    var runs = StackRuns()
    runs.pixel = { run, _, _, _ in run == 2 ? .nan : 1 }
    let found = try error(runs) { _ in try runs.recipe(extra: "nonFinite: mask") }
    #expect(found?.found.contains("mask hides everywhere") == true)
    #expect(found?.path.hasSuffix("raw/run2/shots.h5") == true)
  }

  @Test func poorCoverageIsRefusedAndCounted() throws {
    let scratch = Scratch()
    var runs = StackRuns(shots: 4)
    // Shot 1 has half of its rows, shot 3 none.
    runs.pixel = { _, shot, row, _ in shot == 3 || (shot == 1 && row < 10) ? .nan : 1 }
    try runs.write(to: scratch)
    for (minimum, kept) in [(0.4, 18), (0.6, 12)] {
      let recipe = try runs.recipe(top: "minimumCoverage: \(minimum)", extra: "nonFinite: mask", labels: "[]")
      let corpus = try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("c\(minimum)"))
      #expect(corpus.records.count == kept)
      #expect(corpus.manifest.sources[0].dropped == ["coverage below \(minimum)": 24 - kept])
    }
    let all = inputError {
      let recipe = try runs.recipe(split: "{allowEmpty: true}", top: "minimumCoverage: 1", extra: "nonFinite: mask\n    every: 4", labels: "[]")
      var shifted = runs
      shifted.pixel = { _, _, row, _ in row == 0 ? .nan : 1 }
      try shifted.write(to: scratch)
      try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("none"))
    }
    #expect(all?.found.contains("coverage below 1.0: 6") == true)
    #expect(!scratch.exists("none"))
  }

  @Test func picturesWithoutPixelsAreRefused() throws {
    let runs = StackRuns(height: 0)
    let found = try error(runs) { _ in try runs.recipe(labels: "[]") }
    #expect(found?.path.hasSuffix("shots.h5") == true)
  }

  @Test func anEmptySplitSaysWhatWouldHelp() throws {
    let runs = StackRuns()
    let found = try error(runs) { _ in
      try runs.recipe(split: "{train: 0.5, validation: 0.5, test: 0, runs: {train: ['t:1','t:2','t:3','t:4','t:5','t:6']}}")
    }
    #expect(found?.place == "split.validation")
    #expect(found?.found.contains("another seed") == true)
    #expect(found?.found.contains("allowEmpty") == true)
  }

  private func table(_ rows: String) -> (Scratch) throws -> Void {
    { try AtomicFile.write(Data(rows.utf8), to: $0("labels.csv")) }
  }

  private let byTable = "[{name: kind, table: {file: labels.csv, column: lasing}, values: {0: off, 1: on}}]"

  @Test func aTableWithoutTheEventIsAnError() throws {
    let runs = StackRuns(runs: [1, 2, 3], shots: 1)
    let rows = "run,seconds,nanoseconds,fiducial,lasing\n1,0,0,0,1\n2,0,0,0,0\n"
    let found = try error(runs, { _ in try runs.recipe(labels: byTable) }, before: table(rows))
    #expect(found?.path.hasSuffix("raw/run3/shots.h5") == true)
    #expect(found?.expected.contains("label kind") == true)
  }

  @Test func aTableIsJoinedByRunAndTime() throws {
    let scratch = Scratch(), runs = StackRuns(runs: [1, 2, 3], shots: 1)
    try runs.write(to: scratch)
    try table("lasing,fiducial,nanoseconds,seconds,run\n1,0,0,0,3\n0,0,0,0,2\n1,0,0,0,1\n1,0,0,0,77\n")(scratch)
    let corpus = try CorpusBuilder.build(runs.recipe(labels: byTable), relativeTo: scratch.path, to: scratch("c"))
    #expect(corpus.records.sorted { $0.event.run < $1.event.run }.map { $0.labels["kind"] } == ["on", "off", "on"])
  }

  @Test func aTableIsJoinedByFileAndIndex() throws {
    let scratch = Scratch(), runs = StackRuns(runs: [1, 2, 3], shots: 2)
    try runs.write(to: scratch)
    var rows = "file,index,lasing\n"
    for run in 1...3 { for shot in 0..<2 { rows += "raw/run\(run)/shots.h5,\(shot),\((run + shot) % 2)\n" } }
    try table(rows)(scratch)
    let corpus = try CorpusBuilder.build(runs.recipe(labels: byTable), relativeTo: scratch.path, to: scratch("c"))
    for record in corpus.records { #expect(record.labels["kind"] == ((record.event.run + record.eventIndex) % 2 == 1 ? "on" : "off")) }
  }

  @Test(arguments: [
    ("run,seconds,nanoseconds,lasing\n", "fiducial"), ("run,seconds,nanoseconds,fiducial,laser\n", "lasing"),
    ("run,seconds,nanoseconds,fiducial,lasing\n1,x,0,0,1\n", "whole number"),
    ("run,seconds,nanoseconds,fiducial,lasing\n1,-1,0,0,1\n", "4294967295"),
    ("run,seconds,nanoseconds,fiducial,lasing\n1,0,0,0,1\n1,0,0,0,0\n", "one value"),
  ])
  func brokenTablesAreNamed(rows: String, word: String) throws {
    let runs = StackRuns(runs: [1, 2, 3], shots: 1)
    let found = try error(runs, { _ in try runs.recipe(labels: byTable) }, before: table(rows))
    #expect(found?.path.hasSuffix("labels.csv") == true)
    #expect(found?.expected.contains(word) == true)
  }

  @Test func anUnknownDetectorNamesTheKnownOnes() throws {
    let runs = StackRuns()
    var recipe = try runs.recipe()
    recipe.sources[0].detector = "kodak"
    let found = try error(runs) { _ in recipe }
    #expect(found?.expected.contains("cspad") == true)
    #expect(found?.found == "kodak")
  }

  @Test func aCropOutsideThePictureIsAnError() throws {
    let runs = StackRuns()
    let found = try error(runs) { _ in try runs.recipe(extra: "crop: {rows: [0, 21], columns: [0, 5]}") }
    #expect(found?.expected.contains("20×30") == true)
  }
}

/// A corpus that was damaged after it was built.
struct CorpusDamageTests {
  private func corpus() throws -> Scratch {
    let scratch = Scratch(), runs = StackRuns()
    try runs.write(to: scratch)
    try CorpusBuilder.build(runs.recipe(), relativeTo: scratch.path, to: scratch("c"))
    return scratch
  }

  @Test func aChangedRecordTableIsNoticed() throws {
    let scratch = try corpus()
    let path = scratch("c/records.csv")
    try AtomicFile.write(Data(String(decoding: AtomicFile.read(path), as: UTF8.self).replacing(",train,", with: ",test,").utf8), to: path)
    #expect(inputError { _ = try Corpus(opening: scratch("c")) }?.path == path)
  }

  @Test func aMissingOrShortShardIsNoticed() throws {
    let scratch = try corpus()
    let path = scratch("c/shards/train-00000.h5")
    let bytes = try AtomicFile.read(path)
    try AtomicFile.write(bytes.dropLast(1), to: path)
    #expect(inputError { _ = try Corpus(opening: scratch("c")) }?.place == "size")
    try FileManager.default.removeItem(atPath: path)
    #expect(inputError { _ = try Corpus(opening: scratch("c")) }?.kind == .missing)
  }

  @Test func aFlippedBitIsFoundByVerifying() throws {
    let scratch = try corpus()
    let path = scratch("c/shards/test-00000.h5")
    var bytes = try AtomicFile.read(path)
    bytes[bytes.count / 3] ^= 4
    try AtomicFile.write(bytes, to: path)
    let corpus = try Corpus(opening: scratch("c"))
    #expect(inputError { try corpus.verify() }?.path == path)
  }

  @Test func nothingThereIsMissing() throws {
    let scratch = Scratch()
    #expect(inputError { _ = try Corpus(opening: scratch("c")) }?.kind == .missing)
  }

  @Test func aTruncatedManifestNeverPasses() throws {
    let scratch = try corpus()
    let path = scratch("c/manifest.json"), bytes = try AtomicFile.read(path)
    for length in stride(from: 0, to: bytes.count - 1, by: 97) {
      try AtomicFile.write(bytes.prefix(length), to: path)
      #expect(inputError { _ = try Corpus(opening: scratch("c")) } != nil)
    }
  }
}
