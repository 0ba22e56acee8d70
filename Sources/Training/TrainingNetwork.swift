import Graphs
import Host
import Networks
import Pretexts
import Tensors

/// The graph of a recipe's backbone and task.
package struct TrainingNetwork {
  let task: any PretextTask
  let backbone: any Backbone
  private let side: Int
  private let classes: Int

  package init(_ recipe: TrainingRecipe, side: Int, classes: [String], path: String) throws(InputError) {
    task = try recipe.task.task(path: path)
    backbone = try recipe.backbone.backbone(path: path)
    try backbone.require(side: side, path: path)
    self.side = side
    self.classes = classes.count
  }

  /// Parameters in the order of the network.
  var parameters: [Parameter] { build(batch: 1, mode: .inference).scope.parameters }

  package func initialWeights(seed: UInt64) -> Weights { build(batch: 1, mode: .inference).scope.initialWeights(seed: seed) }

  /// What a run of `recipe` starts with: fresh numbers, and over them those of the file that the recipe names.
  func startingWeights(_ recipe: TrainingRecipe, readsFile: Bool = true) throws(InputError) -> (weights: Weights, file: InitialWeights?) {
    var weights = initialWeights(seed: recipe.seed)
    guard readsFile, let path = recipe.initialWeights else { return (weights, nil) }
    let file = try InitialWeights(reading: path, for: backbone, into: &weights)
    return (weights, file)
  }

  /// A training step (loss, logits, gradients, running averages) or an inference pass (loss, logits) for `batch` examples.
  package func program(batch: Int, mode: Scope.Mode) -> (program: Program, target: String) {
    let (scope, fields, objective) = build(batch: batch, mode: mode), inputs = fields.merging(scope.inputs) { own, _ in own }
    let outputs = ["loss": objective.loss, "logits": objective.logits]
    let program = mode == .training
      ? Program(inputs: inputs, parameters: scope.parameters, outputs: outputs, minimizing: objective.loss, updates: scope.updates)
      : Program(inputs: inputs, parameters: scope.parameters, outputs: outputs)
    return (program, objective.target)
  }

  private func build(batch: Int, mode: Scope.Mode) -> (scope: Scope, inputs: [String: Value], objective: Objective) {
    let builder = GraphBuilder(), scope = Scope(builder, mode: mode)
    let fields = task.fields(side: side, classes: classes)
    let inputs = Dictionary(uniqueKeysWithValues: fields.sorted { $0.key < $1.key }.map { ($0, builder.input($0, [batch] + $1)) })
    return (scope, inputs, task.objective(inputs, backbone: backbone, in: scope))
  }
}
