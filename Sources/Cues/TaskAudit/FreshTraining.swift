import Engine
import Evaluation
import Graphs
import Host
import Networks
import Pretexts
import Tensors
import Training

/// Trains a fresh network like a given one (backbone, optimiser, learning rate and the course of it) on made-up batches: what positive controls need.
package struct FreshTraining {
  package var steps: Int
  package var batch: Int
  package var seed: UInt64

  package init(steps: Int, batch: Int, seed: UInt64) { (self.steps, self.batch, self.seed) = (steps, batch, seed) }

  /// - Parameters:
  ///   - task: what is asked, in place of the checkpoint's.
  ///   - make: the fields of a step's batch: name -> `[batch, ...]`.
  package func run(
    like checkpoint: Checkpoint, task: some PretextTask, scaling: InputScaling, path: String, progress: ProgressHandler = { _ in },
    _ make: (Int) throws -> [String: Tensor<Float>]
  ) throws -> Checkpoint {
    var description = checkpoint.description
    description.recipe.task = try Choice.of(task)
    description.scaling = scaling
    let backbone = try description.recipe.backbone.backbone(path: path), optimizer = try description.recipe.optimizer.optimizer(path: path)
    let builder = GraphBuilder(), scope = Scope(builder, mode: .training)
    let shapes = task.fields(side: description.side, classes: description.classes.count)
    let inputs = Dictionary(uniqueKeysWithValues: shapes.sorted { $0.key < $1.key }.map { ($0, builder.input($0, [batch] + $1)) })
    let objective = task.objective(inputs, backbone: backbone, in: scope)
    let program = Program(
      inputs: inputs.merging(scope.inputs) { own, _ in own }, parameters: scope.parameters, outputs: ["loss": objective.loss],
      minimizing: objective.loss, updates: scope.updates)
    let plan = try Plan(program, precision: description.precision.precision)
    var weights = scope.initialWeights(seed: seed), gradients = Weights(scope.parameters)
    var state = OptimizerState(moments: type(of: optimizer).moments, count: weights.storage.count)
    let schedule = description.recipe.schedule.shortened(to: steps)
    for step in 0..<steps {
      let fields = try make(step).merging(program.maskFields(seed: seed, step: step)) { own, _ in own }
      let outputs = try plan.run(fields, &weights, gradients: &gradients)
      let rate = description.recipe.learningRate * schedule.factor(step: step, total: steps)
      optimizer.update(&weights, gradients, &state, learningRate: Float(rate))
      progress(Progress("planted cue", done: step + 1, total: steps, note: "loss \(outputs["loss"]!.elements[0])"))
    }
    return Checkpoint(description: description, weights: weights, optimizer: state)
  }
}
