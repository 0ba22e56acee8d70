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
    do { try task.validate(backbone: backbone) } catch {
      throw InputError(path: path, place: error.key, expected: error.expected, found: error.found)
    }
    for viewSide in task.viewSides(of: side) {
      try backbone.require(side: viewSide, path: path)
      guard viewSide == side || backbone.parameterShapes(side: side) == backbone.parameterShapes(side: viewSide) else {
        throw InputError(
          path: path, place: "backbone.name",
          expected: "a network of one shape for pictures of \(side) and for the task's views of \(viewSide) pixels",
          found: "\(type(of: backbone).name)")
      }
    }
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
  package func program(batch: Int, mode: Scope.Mode) -> (program: Program, questions: [Question]) {
    let (scope, fields, objective) = build(batch: batch, mode: mode), inputs = fields.merging(scope.inputs) { own, _ in own }
    var outputs = ["loss": objective.loss]
    for (question, values) in objective.judged { outputs[question.output] = values }
    let program = mode == .training
      ? Program(inputs: inputs, parameters: scope.parameters, outputs: outputs, minimizing: objective.loss, updates: scope.updates)
      : Program(inputs: inputs, parameters: scope.parameters, outputs: outputs)
    return (program, objective.judged.map(\.question))
  }

  /// A pass in training mode that moves running averages and nothing else.
  func settlingProgram(batch: Int) -> Program {
    let (scope, fields, objective) = build(batch: batch, mode: .training)
    return Program(
      inputs: fields.merging(scope.inputs) { own, _ in own }, parameters: scope.parameters, outputs: ["loss": objective.loss], updates: scope.updates)
  }

  /// What the task is judged by.
  var questions: [Question] { build(batch: 1, mode: .inference).objective.judged.map(\.question) }

  /// Whether one of them looks for its answers among a batch.
  var isAskedAmongABatch: Bool { questions.contains(where: \.isAskedAmongABatch) }

  private func build(batch: Int, mode: Scope.Mode) -> (scope: Scope, inputs: [String: Value], objective: Objective) {
    let builder = GraphBuilder(), scope = Scope(builder, mode: mode)
    let fields = task.fields(side: side, classes: classes)
    let inputs = Dictionary(uniqueKeysWithValues: fields.sorted { $0.key < $1.key }.map { ($0, builder.input($0, [batch] + $1)) })
    return (scope, inputs, task.objective(inputs, backbone: backbone, in: scope))
  }
}

extension Backbone {
  /// Shapes of the trunk's parameters for pictures of `side`×`side`; none where it does not admit them.
  fileprivate func parameterShapes(side: Int) -> [Shape] {
    guard admittedSides.contains(side) else { return [] }
    let builder = GraphBuilder(), scope = Scope(builder, mode: .inference)
    _ = encoding(of: builder.input("image", [1, 1, side, side]), in: scope["backbone"])
    return scope.parameters.map(\.value.shape)
  }
}
