import Engine
import Foundation
import Host
import Yams

/// Everything that decides what a training run computes, as written in YAML. The same recipe, corpus and thread count give the same weights.
public struct TrainingRecipe: Codable, Hashable, Sendable {
  public var name = "run"
  /// The folder of a built corpus; a relative one starts at the recipe's folder.
  public var corpus = ""
  /// Only pictures whose labels are among these values: `{kind: [cspad]}`.
  public var include: [String: [String]] = [:]
  /// No pictures with these labels: `{beam: [dark]}`.
  public var exclude: [String: [String]] = [:]
  public var task = Choice(name: "flip")
  public var backbone = Choice(name: "resnet18")
  public var optimizer = Choice(name: "adamw")
  public var learningRate = 1e-3
  public var schedule = Schedule(.cosine, warmupSteps: 20)
  /// Pictures a step.
  public var batch = 64
  public var steps = 1000
  public var precision = Precision.float32
  public var seed: UInt64 = 1
  /// Steps between looks at the validation split; also when the best checkpoint may change.
  public var validateEvery = 100
  /// Steps between checkpoints from which a killed run can go on.
  public var checkpointEvery = 100

  public init() {}

  /// Reads YAML or JSON. Missing keys keep their defaults; unknown keys and impossible values are refused by name.
  public init(reading path: String) throws(InputError) {
    let data = try AtomicFile.read(path), given: JSONValue
    do { given = try YAMLDecoder().decode(JSONValue.self, from: data) } catch {
      throw InputError(path: path, place: "", expected: "a YAML mapping", found: "\(error)")
    }
    guard case .object(let fields) = given else {
      throw InputError(path: path, place: "", expected: "a YAML mapping of keys", found: "something else")
    }
    // Mappings with free keys are taken as they are; all others only know the keys of the defaults.
    let free = ["include", "exclude", "task", "backbone", "optimizer"]
    guard case .object(var usual) = try JSONValue.of(TrainingRecipe()) else { preconditionFailure("a recipe is a mapping") }
    for key in free { usual[key] = .null }
    self = try JSONValue.object(usual).overlaid(
      with: .object(try TrainingRecipe.completed(fields, usual: TrainingRecipe())), path: path, place: "")
      .decoded(as: TrainingRecipe.self, path: path, place: "")
    if !corpus.hasPrefix("/") {
      let folder = (path as NSString).deletingLastPathComponent
      corpus = folder.isEmpty ? corpus : folder + "/" + corpus
    }
    try validate(path: path)
  }

  private static func completed(_ fields: [String: JSONValue], usual: TrainingRecipe) throws(InputError) -> [String: JSONValue] {
    var fields = fields
    if fields["include"] == nil { fields["include"] = try .of(usual.include) }
    if fields["exclude"] == nil { fields["exclude"] = try .of(usual.exclude) }
    if fields["task"] == nil { fields["task"] = try .of(usual.task) }
    if fields["backbone"] == nil { fields["backbone"] = try .of(usual.backbone) }
    if fields["optimizer"] == nil { fields["optimizer"] = try .of(usual.optimizer) }
    return fields
  }

  /// Throws for values that no run can have, and for unknown tasks, backbones, optimisers and their settings.
  public func validate(path: String) throws(InputError) {
    func require(_ holds: Bool, _ place: String, _ expected: String, _ found: Any) throws(InputError) {
      guard holds else { throw InputError(path: path, place: place, expected: expected, found: "\(found)") }
    }
    try require(!corpus.isEmpty, "corpus", "the folder of a built corpus", "nothing")
    try require(batch > 0, "batch", "at least 1", batch)
    try require(steps > 0, "steps", "at least 1", steps)
    try require(learningRate > 0 && learningRate.isFinite, "learningRate", "a positive number", learningRate)
    try require(validateEvery > 0, "validateEvery", "at least 1", validateEvery)
    try require(checkpointEvery > 0, "checkpointEvery", "at least 1", checkpointEvery)
    try require(schedule.warmupSteps >= 0 && schedule.warmupSteps < steps, "schedule.warmupSteps", "0 to \(steps - 1)", schedule.warmupSteps)
    try require(schedule.stepShare > 0, "schedule.stepShare", "a positive share", schedule.stepShare)
    _ = try task.task(path: path)
    _ = try backbone.backbone(path: path)
    _ = try optimizer.optimizer(path: path)
  }
}
