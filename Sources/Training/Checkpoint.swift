import Corpora
import Foundation
import Graphs
import Host
import Networks
import Pretexts
import Tensors

/// A network with all that is needed to use it or to train on: one safetensors file.
///
/// Tensors: every parameter under its dotted path; the optimiser's moments as `optimizer.<n>`. Everything else is JSON in the
/// file's metadata under `psimagenet`, and the sums of an unfinished stretch of steps under `running`. The file is sealed, see `SafeTensors.data`.
public struct Checkpoint: Sendable {
  /// What the numbers mean.
  public struct Description: Codable, Hashable, Sendable {
    public var recipe: TrainingRecipe
    public var scaling: InputScaling
    /// Side of the square pictures, pixels.
    public var side: Int
    /// The answers of the task, in the order of its logits.
    public var classes: [String]
    /// Steps done.
    public var step: Int
    /// Accuracy on the validation split, and the step at which it was reached; -1 before the first look.
    public var bestAccuracy: Double
    public var bestStep: Int
    /// SHA-256 of the corpus manifest.
    public var corpus: String
    /// In what the steps were computed, and why.
    public var precision: PrecisionDecision
    /// The checkpoint of another run from which this one went on, where it did: file, steps behind it, SHA-256, SHA-256 of its corpus's manifest;
    /// and the one that that run went on from.
    public var origin: String?
    /// Counts up where the same settings begin to mean something else: 2 since 2026-11-22, absent before.
    public private(set) var revision: Int?

    /// Of a network after `step` steps that has not been looked at on a validation split.
    /// - Parameter precision: what the recipe's choice comes to on this machine, where left out.
    public init(
      recipe: TrainingRecipe, scaling: InputScaling, side: Int, classes: [String], step: Int = 0, corpus: String,
      precision: PrecisionDecision? = nil
    ) {
      (self.recipe, self.scaling, self.side, self.classes) = (recipe, scaling, side, classes)
      (self.step, self.corpus, bestAccuracy, bestStep) = (step, corpus, -1, -1)
      self.precision = precision ?? recipe.precision.decided()
      revision = 2
    }

    /// Checkpoints from before `precision: auto` tell the precision by their recipe alone.
    public init(from decoder: any Decoder) throws {
      let box = try decoder.container(keyedBy: CodingKeys.self)
      recipe = try box.decode(TrainingRecipe.self, forKey: .recipe)
      scaling = try box.decode(InputScaling.self, forKey: .scaling)
      side = try box.decode(Int.self, forKey: .side)
      classes = try box.decode([String].self, forKey: .classes)
      step = try box.decode(Int.self, forKey: .step)
      bestAccuracy = try box.decode(Double.self, forKey: .bestAccuracy)
      bestStep = try box.decode(Int.self, forKey: .bestStep)
      corpus = try box.decode(String.self, forKey: .corpus)
      origin = try box.decodeIfPresent(String.self, forKey: .origin)
      revision = try box.decodeIfPresent(Int.self, forKey: .revision)
      precision = recipe.precision == .automatic
        ? try box.decode(PrecisionDecision.self, forKey: .precision)
        : try box.decodeIfPresent(PrecisionDecision.self, forKey: .precision) ?? recipe.precision.decided()
    }

    /// Throws for values that no run writes.
    func validate(path: String) throws(InputError) {
      func require(_ holds: Bool, _ place: String, _ expected: String, _ found: some Any) throws(InputError) {
        guard holds else { throw InputError(path: path, place: "description.\(place)", expected: expected, found: "\(found)") }
      }
      let task = try recipe.task.task(path: path)
      if revision == nil {
        try require(!(task is Multi), "revision", "2: since 2026-11-22 each of several tasks has running averages of its own", "none; train again")
        try require(
          !task.parts.contains { $0 is PatchDirection }, "revision", "2: since 2026-11-22 patch-direction shows smaller patches at more places", "none; train again")
      }
      try require(side >= task.smallestSide && side <= 8192, "side", "\(task.smallestSide) to 8192", side)
      try require(scaling.deviation > 0 && scaling.deviation.isFinite, "scaling.deviation", "a positive number", scaling.deviation)
      let own = task.label == nil ? task.classes(labels: []) : classes
      try require(classes == own && classes.count > 1, "classes", task.label == nil ? "\(own)" : "at least two", classes)
      try require(
        recipe.precision == .automatic || recipe.precision == PrecisionChoice(precision.precision), "precision",
        recipe.precision.rawValue, precision.precision.rawValue)
      try require((0...recipe.steps).contains(step), "step", "0 to \(recipe.steps)", step)
    }
  }

  public var description: Description
  public var weights: Weights
  public var optimizer: OptimizerState
  /// Sums since the last look at the validation split, so that a resumed run reports what an unbroken one does. At a step where a look is due,
  /// examples among them mean that the look was broken off.
  public var running: RunningFigures

  public struct RunningFigures: Codable, Hashable, Sendable {
    /// Sum of the mean losses of the steps, nats.
    public var loss = 0.0
    /// Of the first question.
    public var right = 0
    /// Of the others, where several tasks are trained at once.
    public var others: [Int]?
    public var seen = 0
    public init() {}

    /// For each question.
    var rightAnswers: [Int] { [right] + (others ?? []) }

    var isSound: Bool { seen >= 0 && rightAnswers.allSatisfy { (0...seen).contains($0) } }

    mutating func count(_ right: [Int], of examples: Int) {
      self.right += right[0]
      if right.count > 1 { others = zip(others ?? right.dropFirst().map { _ in 0 }, right.dropFirst()).map(+) }
      seen += examples
    }
  }

  public init(
    description: Description, weights: Weights, optimizer: OptimizerState, running: RunningFigures = RunningFigures()
  ) {
    self.description = description
    self.running = running
    self.weights = weights
    self.optimizer = optimizer
  }

  /// The numbers that a run of `recipe` from `seed` starts with.
  public static func freshWeights(_ recipe: TrainingRecipe, side: Int, classes: [String], seed: UInt64) throws(InputError) -> Weights {
    try TrainingNetwork(recipe, side: side, classes: classes, path: "").initialWeights(seed: seed)
  }

  /// This network as the start of a run of `recipe`, which may have another optimiser, learning rate, schedule, length, batch,
  /// precision or corpus: after a run that went wrong, or to train longer.
  ///
  /// Steps go on counting. The optimiser's moments are kept where it is the same one, else they begin at zero. Throws where task,
  /// backbone, picture size or classes are others, and when the recipe has no step left.
  func continued(by recipe: TrainingRecipe, side: Int, classes: [String], path: String) throws(InputError) -> Checkpoint {
    func require(_ holds: Bool, _ place: String, _ expected: String, _ found: some Any) throws(InputError) {
      guard holds else { throw InputError(path: path, place: "description.\(place)", expected: expected, found: "\(found)") }
    }
    let old = description
    // With every default written out, so that naming a default makes no difference.
    let task: Choice = try .of(recipe.task.task(path: path)), oldTask: Choice = try .of(old.recipe.task.task(path: path))
    if let other = try JSONValue.of(oldTask).firstDifference(from: .of(task)) { try require(false, "recipe.task.\(other.place)", other.other, other.own) }
    let backbone: Choice = try .of(recipe.backbone.backbone(path: path))
    let oldBackbone: Choice = try .of(old.recipe.backbone.backbone(path: path))
    if let other = try JSONValue.of(oldBackbone).firstDifference(from: .of(backbone)) { try require(false, "recipe.backbone.\(other.place)", other.other, other.own) }
    try require(
      old.recipe.projectsTemplate == recipe.projectsTemplate, "recipe.projectsTemplate", "\(recipe.projectsTemplate): a network keeps the scaling that it has learnt, so train anew",
      old.recipe.projectsTemplate)
    try require(old.side == side, "side", "\(side), as the corpus has", old.side)
    try require(old.classes == classes, "classes", "\(classes)", old.classes)
    try require(old.step < recipe.steps, "step", "fewer than the recipe's \(recipe.steps) steps", old.step)
    var start = self
    if old.recipe.optimizer.name != recipe.optimizer.name {
      let moments = type(of: try recipe.optimizer.optimizer(path: path)).moments
      start.optimizer = OptimizerState(moments: moments, count: weights.storage.count)
    }
    start.description.origin = "\(path), step \(old.step), SHA-256 \(try Checksum.sha256(file: path)), corpus \(old.corpus)"
      + (old.recipe.initialWeights.map { ", first weights \($0)" } ?? "")
      + (old.origin.map { "; before that \($0)" } ?? "")
    return start
  }

  /// XXH3 of the weights, 128 bits: by which an audit knows the network that it asked.
  public var weightsDigest: String { SafeTensors.seal(weights.slots.map { SafeTensors.Entry(name: $0.path, weights[$0.path]).bytes }, [:]) }

  /// Writes the whole file or leaves the old one.
  public func write(to path: String) throws(InputError) {
    let slots = weights.slots.map { SafeTensors.Entry(name: $0.path, weights[$0.path]) }
    let moments = optimizer.moments.enumerated().map { SafeTensors.Entry(name: "optimizer.\($0)", Tensor([$1.count], $1)) }
    let text = String(decoding: try CanonicalJSON.data(description, pretty: false), as: UTF8.self)
    let sums = String(decoding: try CanonicalJSON.data(running, pretty: false), as: UTF8.self)
    try SafeTensors.write(
      slots + moments, metadata: ["psimagenet": text, "optimizerStep": "\(optimizer.step)", "running": sums], isSealed: true, to: path)
  }

  /// A damaged file's error with what is left to go on with.
  private static func advised(_ error: InputError) -> InputError {
    let run = RunFolder(error.path.folderOfPath), name = error.path.nameInPath
    guard error.kind == .malformed, [run.last, run.best].contains(where: { $0.nameInPath == name }) else { return error }
    let other = [run.last, run.best].first { $0.nameInPath != name && FileManager.default.fileExists(atPath: $0) }
    let advice = other.map { "take \($0), to train on in a new folder by --from" } ?? "no other checkpoint is beside it: train again"
    return InputError(error.kind, path: error.path, place: error.place, expected: error.expected, found: "\(error.found); \(advice)")
  }

  /// Reads a file that `write` made; damage since then and anything missing, extra or of another shape is an error that names it.
  /// Files from before they were sealed are read, too.
  public init(reading path: String) throws(InputError) {
    let contents: SafeTensors.Contents
    do { contents = try SafeTensors.read(path) } catch { throw Checkpoint.advised(error) }
    guard let text = contents.metadata["psimagenet"], let step = contents.metadata["optimizerStep"].flatMap(Int.init) else {
      throw InputError(path: path, place: "metadata", expected: "a checkpoint of PSImageNet", found: "no description")
    }
    description = try CanonicalJSON.value(Description.self, from: Data(text.utf8), path: path)
    running = RunningFigures()
    if let text = contents.metadata["running"] {
      running = try CanonicalJSON.value(RunningFigures.self, from: Data(text.utf8), path: path)
    }
    try description.recipe.validate(path: path)
    try description.validate(path: path)
    guard running.isSound, running.seen <= description.recipe.steps * description.recipe.batch else {
      throw InputError(path: path, place: "metadata.running", expected: "0 ≤ right ≤ seen", found: "\(running.right), \(running.seen)")
    }
    guard step >= 0 else { throw InputError(path: path, place: "metadata", expected: "optimizerStep of 0 or more", found: "\(step)") }
    let network = try TrainingNetwork(description.recipe, side: description.side, classes: description.classes, path: path)
    let questions = network.questions.count, counted = running
    if counted.seen > 0 && counted.rightAnswers.count != questions {
      throw InputError(path: path, place: "metadata.running", expected: "\(questions) counts", found: "\(counted.rightAnswers.count)")
    }
    let moments = type(of: try description.recipe.optimizer.optimizer(path: path)).moments
    var weights = Weights(network.parameters)
    try SafeTensors.match(
      expected: weights.slots.map { ($0.path, $0.shape) } + (0..<moments).map { ("optimizer.\($0)", [weights.storage.count]) },
      found: contents)
    for slot in weights.slots { weights[slot.path] = try contents.floats(slot.path) }
    optimizer = OptimizerState(moments: 0, count: 0)
    optimizer.step = step
    for moment in 0..<moments { optimizer.moments.append(try contents.floats("optimizer.\(moment)").elements) }
    self.weights = weights
  }
}
