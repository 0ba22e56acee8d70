import Foundation
import Graphs
import Host
import Networks
import Pretexts
import Tensors
import Training

/// A model read from a published folder: the only way in, for users and for the publisher's own check.
///
/// Reading is all or nothing. Whatever is missing, extra, changed or of another shape is an `InputError` that names it, and the
/// network must reproduce the activations that were stored with it.
public struct PublishedModel: Sendable {
  public internal(set) var folder: String
  public let configuration: ModelConfiguration
  public let provenance: Provenance
  public let recipe: TrainingRecipe
  public let backbone: any Backbone
  public let task: any PretextTask
  /// The trunk, laid out for `backbone` built in `scope["backbone"]`.
  public let weights: Weights
  /// Trunk and head, laid out for the task's objective.
  public let taskWeights: Weights
  private let graph: ModelGraph

  public var name: String { configuration.meaning.name }
  /// From tone-mapped value to network input.
  public var scaling: InputScaling { configuration.meaning.scaling }
  /// Side of the square pictures, pixels.
  public var side: Int { configuration.meaning.side }
  /// The answers of the task, in the order of its logits.
  public var classes: [String] { configuration.meaning.classes }

  /// Reads and checks the folder: checksums, configuration, tensors, and eight reference pictures through the network.
  ///
  /// Throws `InputError` for anything wrong with the files, and `EngineError` where this machine cannot run the network.
  public init(reading folder: String) throws {
    try ChecksumList.verify(folder)
    self.folder = folder
    let path = ModelFile.configuration.path(in: folder)
    configuration = try CanonicalJSON.value(ModelConfiguration.self, from: AtomicFile.read(path), path: path)
    let meaning = configuration.meaning
    graph = try meaning.graph(path: path)
    try ExactJSON.compare(AtomicFile.read(path), with: ModelConfiguration(meaning, graph), path: path)
    recipe = try ExactJSON.read(TrainingRecipe.self, ModelFile.recipe.path(in: folder))
    provenance = try ExactJSON.read(Provenance.self, ModelFile.provenance.path(in: folder))
    try Self.checkAgreement(meaning, recipe, provenance, folder)
    backbone = graph.backbone
    task = graph.task
    taskWeights = try ModelWeights.read(graph, step: meaning.step, in: folder)
    weights = ModelWeights.part(of: taskWeights, for: graph.trunk(batch: 1).parameters)
    try check(batch: ReferenceActivations.count)
  }

  /// Shows the reference pictures again, three at a time: no picture's result may depend on its neighbours in the batch.
  public func verify() throws { try check(batch: 3) }

  private func check(batch: Int) throws {
    try ReferenceActivations(graph, in: folder)
      .check(graph, scaling, taskWeights, batch: batch, path: ModelFile.reference.path(in: folder))
  }

  /// The files that say the same thing have to agree.
  private static func checkAgreement(
    _ meaning: ModelConfiguration.Meaning, _ recipe: TrainingRecipe, _ provenance: Provenance, _ folder: String
  ) throws(InputError) {
    func require(_ holds: Bool, _ file: ModelFile, _ place: String, _ expected: Any, _ found: Any) throws(InputError) {
      guard holds else { throw InputError(path: file.path(in: folder), place: place, expected: "\(expected), as in config.json", found: "\(found)") }
    }
    try recipe.validate(path: ModelFile.recipe.path(in: folder))
    try require(recipe.backbone == meaning.backbone, .recipe, "backbone", meaning.backbone, recipe.backbone)
    try require(recipe.task == meaning.task, .recipe, "task", meaning.task, recipe.task)
    try require(meaning.step <= recipe.steps, .recipe, "steps", "at least \(meaning.step)", recipe.steps)
    try require(provenance.checkpoint.step == meaning.step, .provenance, "checkpoint.step", meaning.step, provenance.checkpoint.step)
    try require(provenance.recipe == recipe, .provenance, "recipe", "that of train.json", "another")
    try require(provenance.seed == recipe.seed, .provenance, "seed", recipe.seed, provenance.seed)
    let sources = provenance.corpus.sources.map { [$0.name, $0.detector, $0.unit] + $0.transforms }
    let known = meaning.sources.map { [$0.name, $0.detector, $0.unit] + $0.transforms }
    try require(sources == known, .provenance, "corpus.sources", known, sources)
  }

  /// What the backbone says of scaled pictures `[N,1,S,S]`: `codeword [N,D]`, and `stage.1`, … `[N,C]`, means over the picture.
  ///
  /// Compiles for N at every call. Traps on another shape.
  public func activations(of images: Tensor<Float>) throws -> [String: Tensor<Float>] {
    precondition(images.shape.rank == 4 && images.shape[0] > 0, "pictures are [N,1,\(side),\(side)], got \(images.shape)")
    return try graph.means(weights, of: images)
  }
}
