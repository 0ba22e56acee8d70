import Foundation
import Host
import Pretexts
import Yams

/// Everything that decides what a training run computes, as written in YAML. The same recipe, corpus and thread count give the same weights.
public struct TrainingRecipe: Codable, Hashable, Sendable {
  public var name = "run"
  /// For people: what the run costs and what to expect of it. Decides nothing.
  public var about = ""
  /// The folder of a built corpus; a relative one starts at the recipe's folder.
  public var corpus = ""
  /// Only pictures whose labels are among these values: `{kind: [cspad]}`.
  public var include: [String: [String]] = [:]
  /// No pictures with these labels: `{beam: [dark]}`.
  public var exclude: [String: [String]] = [:]
  public var task = Choice(name: "flip")
  /// Nuisances that the training pictures meet, one after the other, after what the task does to them.
  public var augmentations: [Choice] = []
  public var backbone = Choice(name: "resnet18")
  /// A safetensors file by torchvision, timm or `psimagenet publish` that the backbone starts from, instead of fresh numbers; a
  /// relative path starts at the recipe's folder.
  public var initialWeights: String?
  public var optimizer = Choice(name: "adamw")
  public var learningRate = 1e-3
  public var schedule = Schedule(.cosine, warmupSteps: 20)
  /// Pictures a step.
  public var batch = 64
  public var steps = 1000
  /// How activations are stored; `auto` is decided on the machine where the run begins.
  public var precision = PrecisionChoice.automatic
  /// ε of `LabelSmoothing` for the training targets; 0 for none.
  public var labelSmoothing = 0.0
  public var seed: UInt64 = 1
  /// Steps between looks at the validation split; also when the best checkpoint may change.
  public var validateEvery = 100
  /// Steps between checkpoints from which a killed run can go on.
  public var checkpointEvery = 100
  /// Whether the mean picture's handedness is taken out of every input: `HandednessTemplates` of the training pictures.
  public var projectsTemplate = false
  /// Steps of the pipeline that do not commute with the task's symmetries and for which the audit of the run need not fail, because its reader
  /// is told (`calibrate`, `area average`). A control that is answered withholds whatever stands here.
  public var owns: [String] = []

  public init() {}

  /// Recipes inside older checkpoints lack `about`, `labelSmoothing`, `augmentations`, `owns` and `projectsTemplate`, and few name `initialWeights`;
  /// every other key is required.
  public init(from decoder: any Decoder) throws {
    let box = try decoder.container(keyedBy: CodingKeys.self)
    name = try box.decode(String.self, forKey: .name)
    about = try box.decodeIfPresent(String.self, forKey: .about) ?? ""
    corpus = try box.decode(String.self, forKey: .corpus)
    include = try box.decode([String: [String]].self, forKey: .include)
    exclude = try box.decode([String: [String]].self, forKey: .exclude)
    task = try box.decode(Choice.self, forKey: .task)
    augmentations = try box.decodeIfPresent([Choice].self, forKey: .augmentations) ?? []
    backbone = try box.decode(Choice.self, forKey: .backbone)
    initialWeights = try box.decodeIfPresent(String.self, forKey: .initialWeights)
    optimizer = try box.decode(Choice.self, forKey: .optimizer)
    learningRate = try box.decode(Double.self, forKey: .learningRate)
    schedule = try box.decode(Schedule.self, forKey: .schedule)
    batch = try box.decode(Int.self, forKey: .batch)
    steps = try box.decode(Int.self, forKey: .steps)
    precision = try box.decode(PrecisionChoice.self, forKey: .precision)
    labelSmoothing = try box.decodeIfPresent(Double.self, forKey: .labelSmoothing) ?? 0
    seed = try box.decode(UInt64.self, forKey: .seed)
    validateEvery = try box.decode(Int.self, forKey: .validateEvery)
    checkpointEvery = try box.decode(Int.self, forKey: .checkpointEvery)
    owns = try box.decodeIfPresent([String].self, forKey: .owns) ?? []
    projectsTemplate = try box.decodeIfPresent(Bool.self, forKey: .projectsTemplate) ?? false
  }

  /// Reads YAML or JSON: a file, or where there is none of that name, a recipe that comes with the program (`NamedRecipe`).
  ///
  /// Missing keys keep their defaults; unknown keys and impossible values are refused by name. Relative paths start at the file's
  /// folder, in a recipe of the program at the current folder.
  /// - Parameter settings: What the caller changes, laid over the recipe in this order. Where they make the run no longer than its warm-up,
  ///   and do not speak of the schedule, the warm-up becomes a tenth of the run.
  public init(reading name: String, settings: [RecipeSetting] = []) throws(InputError) {
    let isFile = FileManager.default.fileExists(atPath: name)
    if !isFile, let recipe = NamedRecipe.named(name) {
      try self.init(Data(recipe.yaml.utf8), path: "recipe \(name)", folder: "", settings)
    } else if isFile || name.contains("/") || name.contains(".") {
      try self.init(AtomicFile.read(name), path: name, folder: name.folderOfPath, settings)
    } else {
      throw InputError(
        .missing, path: name, place: "", expected: "a recipe file, or one of \(NamedRecipe.all.map(\.name).joined(separator: ", "))",
        found: "neither")
    }
  }

  private init(_ data: Data, path: String, folder: String, _ settings: [RecipeSetting]) throws(InputError) {
    let given: JSONValue
    do { given = try YAMLDecoder().decode(JSONValue.self, from: data) } catch {
      throw InputError(path: path, place: "", expected: "a YAML mapping", found: "\(error)")
    }
    guard case .object(var fields) = given else {
      throw InputError(path: path, place: "", expected: "a YAML mapping of keys", found: "something else")
    }
    let words = try Words(data, path: path)
    fields["name"] = words.name.map { .string($0) }
    if let include = words.include { fields["include"] = try .of(include) }
    if let exclude = words.exclude { fields["exclude"] = try .of(exclude) }
    let usual = TrainingRecipe()
    for (key, choice) in [("task", usual.task), ("backbone", usual.backbone), ("optimizer", usual.optimizer)] where fields[key] == nil {
      fields[key] = try .of(choice)
    }
    fields = RecipeSetting.spelledOut(fields)
    for setting in settings { fields = try setting.applied(to: fields, path: path) }
    // JSON decoders name no place for a number that is out of range.
    if case .integer(let seed)? = fields["seed"], seed < 0 {
      throw InputError(path: path, place: "seed", expected: "0 or more", found: "\(seed)")
    }
    for key in ["task", "backbone", "optimizer"] {
      guard case .object(let choice)? = fields[key] else { continue }
      if let unknown = choice.keys.sorted().first(where: { $0 != "name" && $0 != "settings" }) {
        throw InputError(path: path, place: "\(key).\(unknown)", expected: "one of the keys name, settings", found: "unknown key \"\(unknown)\"")
      }
    }
    if case .array(let list)? = fields["augmentations"] {
      for (index, entry) in list.enumerated() {
        guard case .object(let choice) = entry else { continue }
        guard let unknown = choice.keys.sorted().first(where: { $0 != "name" && $0 != "settings" }) else { continue }
        throw InputError(
          path: path, place: "augmentations.[\(index)].\(unknown)", expected: "one of the keys name, settings", found: "unknown key \"\(unknown)\"")
      }
    }
    // Mappings with free keys are taken as they are; all others only know the keys of the defaults.
    guard case .object(var defaults) = try JSONValue.of(usual) else { preconditionFailure("a recipe is a mapping") }
    for key in ["include", "exclude", "task", "backbone", "optimizer", "initialWeights"] where fields[key] != nil { defaults[key] = .null }
    if defaults["initialWeights"] == nil { defaults["initialWeights"] = .null }
    self = try JSONValue.object(defaults).overlaid(with: .object(fields), path: path, place: "")
      .decoded(as: TrainingRecipe.self, path: path, place: "")
    func resolved(_ name: String) -> String { name.isEmpty || name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name }
    corpus = resolved(corpus)
    initialWeights = initialWeights.map(resolved)
    if settings.contains(where: { $0.keys == ["steps"] }), !settings.contains(where: { $0.keys[0] == "schedule" }), schedule.warmupSteps >= steps {
      schedule = schedule.shortened(to: steps)
    }
    try validate(path: path)
  }

  /// The parts of a recipe that are words even where YAML has another meaning for them: `{beam: [off]}`, `{kind: [0]}`.
  private struct Words: Decodable {
    let name: String?
    let include: [String: [String]]?
    let exclude: [String: [String]]?

    init(_ data: Data, path: String) throws(InputError) {
      do { self = try YAMLDecoder().decode(Words.self, from: data) } catch let error as DecodingError {
        throw InputError(decoding: error, path: path)
      } catch {
        throw InputError(path: path, place: "", expected: "a YAML mapping", found: "\(error)")
      }
    }
  }

  /// Throws for values that no run can have, and for unknown tasks, backbones, optimisers and their settings.
  public func validate(path: String) throws(InputError) {
    func require(_ holds: Bool, _ place: String, _ expected: String, _ found: Any) throws(InputError) {
      guard holds else { throw InputError(path: path, place: place, expected: expected, found: "\(found)") }
    }
    try require(!corpus.isEmpty, "corpus", "the folder of a built corpus", "nothing")
    try require(initialWeights != "", "initialWeights", "a safetensors file", "nothing")
    try require((1...65536).contains(batch), "batch", "1 to 65536", batch)
    try require((1...1_000_000_000).contains(steps), "steps", "1 to 1000000000", steps)
    try require(learningRate > 0 && learningRate.isFinite, "learningRate", "a positive number", learningRate)
    try require((0..<1).contains(labelSmoothing), "labelSmoothing", "0 or more, below 1", labelSmoothing)
    try require(validateEvery > 0, "validateEvery", "at least 1", validateEvery)
    try require(checkpointEvery > 0, "checkpointEvery", "at least 1", checkpointEvery)
    try require(schedule.warmupSteps >= 0 && schedule.warmupSteps < steps, "schedule.warmupSteps", "0 to \(steps - 1)", schedule.warmupSteps)
    try require(schedule.stepShare > 0, "schedule.stepShare", "a positive share", schedule.stepShare)
    try require(schedule.stepFactor > 0 && schedule.stepFactor <= 1, "schedule.stepFactor", "above 0, at most 1", schedule.stepFactor)
    let asked = try task.task(path: path)
    if let conflict = asked.conflict(with: try chosenAugmentations(path: path)) {
      throw InputError(
        path: path, place: "augmentations.[\(conflict.index)]",
        expected: "an augmentation that the answers of task \(task.name) can bear",
        found: "\(conflict.augmentation), which contains what the task asks about: \(conflict.about)")
    }
    for (index, part) in asked.parts.enumerated() {
      guard let common = part.asks.intersection(part.jitters).min(by: { $0.rawValue < $1.rawValue }) else { continue }
      throw InputError(
        path: path, place: "task.settings.\(asked is Multi ? "tasks.[\(index)].settings." : "")jitter", expected: "noise: 0, since the task asks about \(common.rawValue)",
        found: "jitter that changes it while training and not when it is asked")
    }
    if projectsTemplate, let part = asked.parts.first(where: { !$0.showsWholePictures || $0.answers.isEmpty }) {
      throw InputError(
        path: path, place: "projectsTemplate",
        expected: "false, or a task about mirrors or turns of whole pictures: it takes the handedness of the whole mean picture out, which does not lie in pieces or tiles",
        found: "task \(type(of: part).name)\(part.mirrorsTiles ? " with tiles" : "")")
    }
    if projectsTemplate, let index = try chosenAugmentations(path: path).firstIndex(where: { $0.movesPixels && $0.symmetries.isEmpty }) {
      throw InputError(
        path: path, place: "projectsTemplate", expected: "false with an augmentation that moves pixels: the mean picture no longer lies where it is taken out",
        found: "\(augmentations[index].name)")
    }
    _ = try backbone.backbone(path: path)
    _ = try optimizer.optimizer(path: path)
  }

  /// The augmentations in order.
  public func chosenAugmentations(path: String) throws(InputError) -> [any Augmentation] {
    try augmentations.enumerated().map { index, choice throws(InputError) in
      try choice.augmentation(path: path, place: "augmentations.[\(index)]")
    }
  }
}
