import Corpora
import Foundation
import Host
import Simulation
import TestSupport
import Testing

/// `Datasets/thousand-plan.yaml` and `Datasets/thousand.yaml`, with small cameras.
struct ThousandClassesTests {
  private static let datasets = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Datasets").path

  private func campaign() throws -> SimulationCampaign {
    let path = Self.datasets + "/thousand-plan.yaml"
    return try YAMLText.value(JSONValue.self, from: AtomicFile.read(path), path: path).decoded(as: SimulationCampaign.self, path: path, place: "")
  }

  @Test func thePlanHasAThousandConditions() throws {
    let plans = try campaign().plans
    let conditions = plans.mapValues { $0.designs.reduce(0) { $0 + $1.count } }
    #expect(conditions == ["xtcav": 324, "timetool": 445, "cspad": 234])
    // Those, and frames without beam of two instruments; the time tool's dark is one of its designs.
    let classes = conditions.values.reduce(2, +)
    #expect(classes == 1005)
    for plan in plans.values { #expect(plan.shotsPerRun == plan.cycleLength && plan.runs.count == 12) }
  }

  @Test func everyConditionIsAClassAndNoClassARun() throws {
    let scratch = Scratch()
    var plans = try campaign().plans
    plans["cspad"] = nil
    for name in plans.keys { plans[name]?.runs = [1, 2] }
    plans["xtcav"]?.xtcav.width = 64
    plans["xtcav"]?.xtcav.height = 64
    plans["timetool"]?.timeTool.width = 64
    plans["timetool"]?.timeTool.height = 16
    try SimulationCampaign(plans).write(to: scratch("raw"))
    var recipe = try CorpusRecipe(reading: Self.datasets + "/thousand.yaml")
    #expect(recipe.sources.map(\.name) == ["xtcav", "timetool", "cspad"])
    recipe.sources.removeLast()
    recipe.image = .init(height: 9, width: 9)
    recipe.split = SplitRule(train: 1, validation: 0, test: 0)
    let corpus = try CorpusBuilder.build(
      recipe, relativeTo: scratch.path, to: scratch("c"), environment: ["PSIMAGENET_RAW": scratch("raw")])
    let byClass = Dictionary(grouping: corpus.records) { $0.labels["class"] ?? "none" }
    #expect(byClass.count == 325 + 445 && byClass["none"] == nil)
    for (name, records) in byClass {
      // Each condition once a run, frames without beam or laser eight times.
      let expected = name.hasSuffix("/dark") ? 16 : 2
      #expect(records.count == expected, "\(name)")
      #expect(Set(records.map(\.run)).count == 2)
      // A path names the instrument first, and every frame without beam is labelled so.
      let isDark = name.hasSuffix("/dark")
      for record in records {
        #expect(name.hasPrefix(record.source + "/"))
        #expect((record.labels["beam"] == "dark") == isDark)
      }
    }
  }
}
