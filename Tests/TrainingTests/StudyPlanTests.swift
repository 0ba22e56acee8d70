import Foundation
import Host
import Testing
import TestSupport
import Training

@Suite struct StudyPlanTests {
  private func plan(_ yaml: String) throws -> StudyPlan {
    let path = NSTemporaryDirectory() + "study-\(UUID().uuidString).yaml"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try AtomicFile.write(Data(yaml.utf8), to: path)
    return try StudyPlan.reading(path)
  }

  @Test(arguments: [
    ("corpus: c\ntasks: []\nfamilies: [{name: flip}]", "tasks"),
    ("corpus: c\ntasks: [hit, hit]\nfamilies: [{name: flip}]", "tasks"), ("corpus: c\ntasks: [hit]\nfamilies: []", "families"),
    ("corpus: c\ntasks: [hit]\nfamilies: [{name: random}]", "families"), ("corpus: c\ntasks: [hit]\nfamilies: [{name: a/b}]", "families"),
    ("corpus: c\ntasks: [hit]\nfamilies: [{name: flip}, {name: flip}]", "families"), ("corpus: c\ntasks: [hit]\nseeds: [1, 1]\nfamilies: [{name: flip}]", "seeds"),
    ("corpus: c\ntasks: [hit]\nlabelsPerClass: 0\nfamilies: [{name: flip}]", "labelsPerClass"), ("corpus: c\ntasks: [hit]\nlabels: 5\nfamilies: [{name: flip}]", "labels"),
    ("corpus: c\ntasks: [hit]\nfamilies: [{name: flip}]\ncurves: [{name: x, families: [simclr]}]", "curves"),
    ("corpus: c\ntasks: [hit]\nfamilies: [{name: flip}]\ncurves: [{name: x, families: []}]", "curves"),
  ]) func aPlanThatCannotBeIsRefusedByKey(_ yaml: String, _ key: String) {
    let error = inputError { _ = try plan(yaml) }
    #expect(error?.place == key)
  }

  @Test func aMissingKeyIsNamed() {
    #expect(inputError { _ = try plan("tasks: [hit]\nfamilies: [{name: flip}]") }?.expected == "key \"corpus\"")
  }

  @Test func everySeedOfEveryFamilyIsATrainingOfItsOwn() throws {
    let plan = try plan("corpus: /c\nseeds: [4, 7]\ntasks: [hit]\nfamilies: [{name: flip}, {name: mine, recipe: simclr, set: [batch=32]}]")
    let trainings = try plan.trainings()
    #expect(trainings.map(\.recipe.name) == ["flip-4", "flip-7", "mine-4", "mine-7"] && trainings.map(\.recipe.seed) == [4, 7, 4, 7])
    #expect(trainings.map(\.recipe.batch) == [64, 64, 32, 32] && trainings.allSatisfy { $0.recipe.corpus == "/c" })
    #expect(trainings[2].recipe.task.name == "simclr" && plan.labelsPerClass == 50 && plan.draws == 5 && !plan.everyLabel)
  }

  @Test func theShippedPlanResolves() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    let plan = try StudyPlan.reading(root + "/Datasets/pretext-study.yaml"), trainings = try plan.trainings()
    #expect(trainings.count == plan.families.count * 3 && Set(trainings.map(\.recipe.name)).count == trainings.count)
    #expect(plan.corpus == root + "/Datasets/built/pretext")
    // Every question has its supervised reference.
    let labels = plan.families.flatMap(\.set).filter { $0.hasPrefix("task.settings.label=") }.map { String($0.dropFirst(20)) }
    #expect(Set(labels) == Set(plan.tasks))
  }
}
