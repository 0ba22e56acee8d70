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
/// file's metadata under `psimagenet`.
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
  }

  public var description: Description
  public var weights: Weights
  public var optimizer: OptimizerState

  public init(description: Description, weights: Weights, optimizer: OptimizerState) {
    self.description = description
    self.weights = weights
    self.optimizer = optimizer
  }

  /// The numbers that a run of `recipe` from `seed` starts with.
  public static func freshWeights(_ recipe: TrainingRecipe, side: Int, classes: [String], seed: UInt64) throws(InputError) -> Weights {
    try TrainingNetwork(recipe, side: side, classes: classes, path: "").initialWeights(seed: seed)
  }

  /// Writes the whole file or leaves the old one.
  public func write(to path: String) throws(InputError) {
    let slots = weights.slots.map { SafeTensors.Entry(name: $0.path, weights[$0.path]) }
    let moments = optimizer.moments.enumerated().map { SafeTensors.Entry(name: "optimizer.\($0)", Tensor([$1.count], $1)) }
    let text = String(decoding: try CanonicalJSON.data(description, pretty: false), as: UTF8.self)
    try SafeTensors.write(slots + moments, metadata: ["psimagenet": text, "optimizerStep": "\(optimizer.step)"], to: path)
  }

  /// Reads a file that `write` made; anything missing, extra or of another shape is an error that names it.
  public init(reading path: String) throws(InputError) {
    let contents = try SafeTensors.read(path)
    guard let text = contents.metadata["psimagenet"], let step = contents.metadata["optimizerStep"].flatMap(Int.init) else {
      throw InputError(path: path, place: "metadata", expected: "a checkpoint of PSImageNet", found: "no description")
    }
    description = try CanonicalJSON.value(Description.self, from: Data(text.utf8), path: path)
    try description.recipe.validate(path: path)
    let network = try TrainingNetwork(description.recipe, side: description.side, classes: description.classes, path: path)
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
