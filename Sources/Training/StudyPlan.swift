import Corpora
import Foundation
import Host

/// What `psimagenet study` compares, as written in YAML: families of trunks, several seeds of each, on the same downstream questions.
///
/// A family is a training recipe under a name. Families whose label is that of a task are its supervised reference.
public struct StudyPlan: Decodable, Sendable {
  /// The folder of a built corpus; a relative one starts at the plan's folder.
  public var corpus: String
  public var seeds: [UInt64]
  /// Downstream tasks, or labels of the corpus.
  public var tasks: [String]
  /// Labelled frames of each class that the probes may learn from.
  public var labelsPerClass: Int
  /// How often such frames are drawn.
  public var draws: Int
  /// Whether the probes are asked to learn from every label as well, which takes several times as long.
  public var everyLabel: Bool
  public var families: [Family]
  /// Families to draw stage by stage in one figure, `random` among them.
  public var curves: [Curve]
  /// What the audit of each run asks for; where it is left out, as much as a fifth of the run's passes pays for.
  public var audit: Audit?

  /// What controls are asked whether the families' own accuracies are content.
  public struct Audit: Decodable, Hashable, Sendable {
    /// Examples a control; 0 audits nothing, which the page says.
    public var examples: Int
    /// Steps of the planted cue's network; 0 for none.
    public var plantedSteps: Int

    enum CodingKeys: String, CodingKey, CaseIterable { case examples, plantedSteps }
    public init(from decoder: any Decoder) throws {
      let box = try StrictContainer<CodingKeys>(decoder)
      examples = try box.required(.examples)
      plantedSteps = try box.value(.plantedSteps, or: 150)
      for (key, count) in [(CodingKeys.examples, examples), (.plantedSteps, plantedSteps)] where count < 0 {
        throw box.refused(key, expected: "0 or more", found: "\(count)")
      }
    }
  }

  public struct Family: Decodable, Sendable {
    public var name: String
    /// A recipe file, relative to the plan's folder, or a recipe that comes with the program.
    public var recipe: String
    /// Changes to the recipe, as `pretrain --set` takes them.
    public var set: [String]

    enum CodingKeys: String, CodingKey, CaseIterable { case name, recipe, set }
    public init(from decoder: any Decoder) throws {
      let box = try StrictContainer<CodingKeys>(decoder)
      name = try box.required(.name)
      recipe = try box.value(.recipe, or: name)
      set = try box.value(.set, or: [])
    }
  }

  public struct Curve: Decodable, Sendable {
    public var name: String
    public var families: [String]

    enum CodingKeys: String, CodingKey, CaseIterable { case name, families }
    public init(from decoder: any Decoder) throws {
      let box = try StrictContainer<CodingKeys>(decoder)
      (name, families) = (try box.required(.name), try box.required(.families))
    }
  }

  enum CodingKeys: String, CodingKey, CaseIterable { case corpus, seeds, tasks, labelsPerClass, draws, everyLabel, families, curves, audit }
  public init(from decoder: any Decoder) throws {
    let box = try StrictContainer<CodingKeys>(decoder)
    (corpus, tasks, families) = (try box.required(.corpus), try box.required(.tasks), try box.required(.families))
    seeds = try box.value(.seeds, or: [1, 2, 3])
    labelsPerClass = try box.value(.labelsPerClass, or: 50)
    draws = try box.value(.draws, or: 5)
    everyLabel = try box.value(.everyLabel, or: false)
    curves = try box.value(.curves, or: [])
    audit = try box.optional(.audit)
    func require(_ holds: Bool, _ key: CodingKeys, _ expected: String, _ found: String) throws {
      guard holds else { throw box.refused(key, expected: expected, found: found) }
    }
    try require(!seeds.isEmpty && Set(seeds).count == seeds.count, .seeds, "different seeds, at least one", "\(seeds)")
    try require(!tasks.isEmpty && Set(tasks).count == tasks.count, .tasks, "different tasks, at least one", "\(tasks)")
    try require(labelsPerClass > 0, .labelsPerClass, "1 or more", "\(labelsPerClass)")
    try require(draws > 0, .draws, "1 or more", "\(draws)")
    let names = families.map(\.name)
    try require(!names.isEmpty && Set(names).count == names.count, .families, "families of different names, at least one", "\(names)")
    for name in names {
      try require(
        name != "random" && !name.isEmpty && !name.contains("/") && !name.hasPrefix("."), .families,
        "names that can be folders, and not random, which is added", "\"\(name)\"")
    }
    for curve in curves {
      try require(!curve.families.isEmpty, .curves, "at least one family", "none in \"\(curve.name)\"")
      if let unknown = curve.families.first(where: { $0 != "random" && !names.contains($0) }) {
        throw box.refused(.curves, expected: "random, or one of \(names.joined(separator: ", "))", found: "\"\(unknown)\"")
      }
    }
  }

  /// Reads a file; unknown keys and impossible values are refused by name.
  public static func reading(_ path: String) throws(InputError) -> StudyPlan {
    var plan = try YAMLText.value(StudyPlan.self, from: AtomicFile.read(path), path: path)
    let folder = path.folderOfPath
    func resolved(_ name: String) -> String { name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name }
    plan.corpus = resolved(plan.corpus)
    plan.families = plan.families.map { family in
      var family = family
      let file = resolved(family.recipe)
      if FileManager.default.fileExists(atPath: file), !AtomicFile.isFolder(file) { family.recipe = file }
      return family
    }
    return plan
  }

  /// Every training, the families' recipes on this corpus, from each seed. Throws for a recipe that does not exist or cannot be.
  public func trainings() throws(InputError) -> [(family: String, recipe: TrainingRecipe)] {
    var found: [(family: String, recipe: TrainingRecipe)] = []
    for family in families {
      var settings: [RecipeSetting] = []
      for text in family.set {
        guard let setting = RecipeSetting(parsing: text) else {
          throw InputError(path: "study", place: "families.\(family.name).set", expected: "key.key=value in YAML", found: "\"\(text)\"")
        }
        settings.append(setting)
      }
      let recipe = try TrainingRecipe(reading: family.recipe, settings: settings)
      for seed in seeds {
        var own = recipe
        (own.name, own.corpus, own.seed) = ("\(family.name)-\(seed)", corpus, seed)
        found.append((family.name, own))
      }
    }
    return found
  }
}
