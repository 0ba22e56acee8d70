import Evaluation
import Foundation
import Host
import Training

/// JSON as the commands write it, so that nothing here goes round the public way in.
func decoded<T: Decodable>(_ type: T.Type, _ object: Any) throws -> T {
  try JSONDecoder().decode(type, from: JSONSerialization.data(withJSONObject: object))
}

func score(_ value: Double, _ error: Double, n: Int = 120, seeds: [Int]? = [1], within: Double? = nil, chance: Double? = 0.5) -> [String: Any] {
  var object: [String: Any] = ["metric": "balanced accuracy", "value": value, "standardError": error, "count": n, "notes": [String]()]
  object["seeds"] = seeds
  object["withinSeedStandardError"] = within
  object["chance"] = chance
  return object
}

func row(
  _ family: String, _ test: [String: Any], task: String = "lasing", probe: String = "linear", run: [String: Any]? = nil, chosen: Bool = true
) -> [String: Any] {
  var object: [String: Any] = [
    "task": task, "family": family, "probe": probe, "stage": "stage 1", "test": test, "validation": score(0.6, 0.2), "isChosen": chosen,
  ]
  object["run"] = run
  return object
}

func transfer(_ rows: [[String: Any]]) throws -> TransferProtocol.Result {
  try decoded(TransferProtocol.Result.self, ["corpus": "made up", "rows": rows, "leftOut": ["camera": "no such label <b>"]])
}

/// A run folder with a gap between training and validation.
func runFolder(task: String = "flip", label: String? = nil, validation: Double = 0.7, settings: JSONValue = .object([:])) throws -> RunFolder {
  let folder = RunFolder(FileManager.default.temporaryDirectory.path + "/study-\(UUID().uuidString)")
  var recipe = TrainingRecipe()
  (recipe.task, recipe.corpus) = (
    Choice(name: task, settings: label.map { .object(["label": .string($0)]) } ?? settings), "/secret/place/corpus"
  )
  try AtomicFile.write(CanonicalJSON.data(recipe), to: folder.recipe)
  var lines = Data()
  for step in [100, 200] {
    for (split, accuracy, count) in [("train", 0.98, 6400), ("validation", validation, 400)] {
      let metric: [String: Any] = [
        "step": step, "split": split, "loss": 0.4, "accuracy": accuracy, "count": count, "learningRate": 0.001, "imagesPerSecond": 321.0,
      ]
      lines += try JSONSerialization.data(withJSONObject: metric) + Data("\n".utf8)
    }
  }
  try AtomicFile.write(lines, to: folder.metrics)
  return folder
}
