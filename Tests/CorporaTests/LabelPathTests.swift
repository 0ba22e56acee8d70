import Corpora
import Foundation
import Frames
import Host
import TestSupport
import Testing

struct LabelPathTests {
  private let labels = """
    [{name: kind, dataset: /label, values: {0: none, 1: one, 2: two}},
     {name: fine, table: {file: fine.csv, column: fine}, missing: omit},
     {name: class, path: [{when: {kind: [none, two]}, is: "camera/{kind}"}, {is: "camera/{kind}/{fine}"}]}]
    """

  /// Shot 1 and 4 of each run have kind one; shot 4 of run 3 has no fine label.
  private func corpus(_ scratch: Scratch, labels: String? = nil) throws -> Corpus {
    let runs = StackRuns()
    try runs.write(to: scratch)
    var table = "file,index,fine\n"
    for run in runs.runs {
      for shot in 0..<runs.shots { table += "raw/run\(run)/shots.h5,\(shot),\(run == 3 && shot == 4 ? "" : shot < 3 ? "early" : "late")\n" }
    }
    try AtomicFile.write(Data(table.utf8), to: scratch("fine.csv"))
    return try CorpusBuilder.build(try runs.recipe(labels: labels ?? self.labels), relativeTo: scratch.path, to: scratch("c"))
  }

  @Test func theFirstRuleThatAppliesComposesTheClass() throws {
    let scratch = Scratch()
    var table = labels
    table.replace("is: \"camera/{kind}/{fine}\"}]", with: "is: \"camera/{kind}/{fine}\"}], missing: omit")
    let corpus = try corpus(scratch, labels: table)
    #expect(corpus.records.count == 42)
    for record in corpus.records {
      let shot = record.eventIndex, isUnknown = record.event.run == 3 && shot == 4
      #expect(record.labels["fine"] == (isUnknown ? nil : shot < 3 ? "early" : "late"))
      let expected = shot % 3 == 0 ? "camera/none" : shot % 3 == 2 ? "camera/two" : isUnknown ? nil : shot == 1 ? "camera/one/early" : "camera/one/late"
      #expect(record.labels["class"] == expected)
    }
    #expect(corpus.classes(of: "class") == ["camera/none", "camera/one/early", "camera/one/late", "camera/two"])
    try corpus.verify()
  }

  @Test func aPictureThatNoRuleCoversIsAnError() throws {
    let scratch = Scratch()
    let error = inputError { _ = try corpus(scratch) }
    #expect(error?.expected == "a value for label class")
    #expect(error?.place.contains("event 4 (t:3") == true)
  }

  @Test(arguments: [
    ("path: \"a//b\"", "levels separated by /"), ("path: \"a/{kind\"", "levels separated by /"), ("path: \"{}\"", "levels separated by /"),
    ("path: \"a/{later}\"", "labels listed before class"), ("path: [{when: {later: x}, is: a}]", "labels listed before class"),
    ("path: []", "at least one rule"), ("path: [{is: a, if: b}]", "one of the keys when, is"),
  ])
  func aPathThatCannotBeComposedIsRefused(_ path: String, _ expected: String) throws {
    let error = inputError {
      _ = try StackRuns().recipe(labels: "[{name: kind, constant: x}, {name: class, \(path)}, {name: later, constant: y}]")
    }
    #expect(error?.expected.contains(expected) == true, "\(error?.description ?? "")")
  }

  @Test func rulesSurviveTheRoundTrip() throws {
    let recipe = try StackRuns().recipe(labels: labels)
    #expect(try CorpusRecipe(yaml: String(decoding: try recipe.yaml(), as: UTF8.self)) == recipe)
  }
}

struct TaxonomyTests {
  @Test func everyLevelCountsWhatLiesBelowIt() throws {
    let scratch = Scratch(), runs = StackRuns()
    try runs.write(to: scratch)
    let recipe = try runs.recipe(
      labels: "[{name: kind, dataset: /label, values: {0: a/x, 1: a/y, 2: b}, classes: [a/x, a/y, b, b/never]}]")
    let corpus = try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch("c"))
    let train = Set(corpus.records(in: .train).map(\.run)).count, validation = Set(corpus.records(in: .validation).map(\.run)).count
    let test = 6 - train - validation
    // 7 shots a run: labels 0, 1, 2, 0, 1, 2, 0.
    func line(_ path: String, _ level: Int, _ isClass: Int, _ classes: Int, perRun: Int) -> String {
      "kind,\(path),\(level),\(isClass),\(classes),\(perRun * train),\(perRun * validation),\(perRun * test),\(perRun * 6),\(perRun == 0 ? 0 : 6)\n"
    }
    let expected = "label,path,level,is_class,classes,train,validation,test,all,runs\n" + line("a", 1, 0, 2, perRun: 5)
      + line("a/x", 2, 1, 1, perRun: 3) + line("a/y", 2, 1, 1, perRun: 2) + line("b", 1, 1, 2, perRun: 2) + line("b/never", 2, 1, 1, perRun: 0)
    #expect(String(decoding: try AtomicFile.read(scratch("c/taxonomy.csv")), as: UTF8.self) == expected)
  }
}

struct SaturationTests {
  @Test func theShareOfPixelsAtFullScaleIsRecorded() throws {
    let scratch = Scratch()
    for run in 1...3 {
      try AtomicFile.makeFolder(scratch("raw/run\(run)"))
      let file = try HDF5File(creating: scratch("raw/run\(run)/shots.h5"))
      // Shot s has s of its 16 pixels at 255.
      let values = (0..<4).flatMap { shot in (0..<16).map { UInt8($0 < shot ? 255 : 254) } }
      try file.write(values, shape: [4, 4, 4], to: "/images")
      try file.write((0..<4).map { Int64($0) }, shape: [4], to: "/label")
      try file.close()
    }
    let corpus = try CorpusBuilder.build(
      StackRuns().recipe(labels: "[]"), relativeTo: scratch.path, to: scratch("c"))
    #expect(corpus.records.count == 12)
    for record in corpus.records { #expect(record.saturation == Double(record.eventIndex) / 16) }
  }

  @Test func realNumbersDoNotTellTheirFullScale() throws {
    let scratch = Scratch(), runs = StackRuns()
    try runs.write(to: scratch)
    let corpus = try CorpusBuilder.build(runs.recipe(), relativeTo: scratch.path, to: scratch("c"))
    #expect(corpus.records.allSatisfy { $0.saturation == nil })
  }
}
