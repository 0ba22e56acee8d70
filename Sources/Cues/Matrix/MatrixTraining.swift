import Engine
import Evaluation
import Graphs
import Host
import Networks
import Pretexts
import Tensors
import Training

/// Trains a small network to tell mirrored noise apart that went through an operation of the matrix, and tries it on fresh noise.
///
/// Every picture is new: noise of the published means and deviations, the operation, the mirror for every second one, the crop. The
/// head is antisymmetric, so that one look at a picture answers for its mirror image too.
public struct MatrixTraining: Codable, Hashable, Sendable {
  /// At most, for pictures that are seen whole.
  public var steps = 600
  /// At most, for random crops, where a mosaic betrays the mirror by where it lies among the blocks of JPEG and nothing else: some 5000 were needed.
  public var cropSteps = 8000
  public var batch = 16
  /// Channels of the first stage of a ResNet-10.
  public var width = 16
  public var learningRate = 2e-3
  /// Fresh pictures that the network is tried on: of 10,000 a cell at chance is outside of 50±2 once in 16,000 times, of 2000 once in fourteen.
  public var testing = 10_000
  public var seed: UInt64 = 1
  /// Training ends when this many batches in a row were answered without an error.
  public var patience = 12
  public init() {}

  /// Noise of the published experiment, of red, green and blue; clipped to 0...1, then 8 bits.
  private static let means = [0.6, 0.9, 0.5], deviations = [0.3, 0.4, 0.25]

  /// One picture `[3,S,S]`, in units of about 1, after operation, mirror and crop.
  static func picture(
    _ operation: ChiralityMatrix.Operation, _ size: ChiralityMatrix.Size, using random: inout Philox
  ) throws -> (view: Tensor<Float>, isMirrored: Bool) {
    let side = size.side, isMirrored = random.next() & 1 == 1
    var noise: [Tensor<Float>] = []
    for colour in 0..<3 {
      // Whole blocks of random numbers, however many were drawn before.
      var own = random.keyed("colour \(colour)")
      noise.append(Tensor([side, side], own.normals(side * side, means[colour], deviations[colour]).map { (min(1, max(0, $0)) * 255).rounded() }))
    }
    // As in the paper, the mirror comes after the operation.
    var planes = try operation.step(noise)
    if isMirrored { planes = planes.map { Symmetry.mirror($0) } }
    if let crop = size.crop {
      let room = side - crop - 2 * size.border
      let top = size.border + Int.random(in: 0...room, using: &random), left = size.border + Int.random(in: 0...room, using: &random)
      planes = planes.map { plane in
        Tensor([crop, crop], (top..<top + crop).flatMap { plane.elements[$0 * side + left..<$0 * side + left + crop] })
      }
    }
    return (Tensor([3, size.seen, size.seen], planes.flatMap { $0.elements.map { $0 / 64 - 2 } }), isMirrored)
  }

  /// Trains for one cell and gives it its accuracy.
  public func run(_ cell: inout ChiralityMatrix.Cell, progress: ProgressHandler = { _ in }) throws {
    let (operation, size) = (cell.operation, cell.size), steps = size.crop == nil ? steps : cropSteps
    let found = try trained("\(operation.rawValue)-\(size.side)", steps, channels: 3, side: size.seen, progress: progress) { random in
      try MatrixTraining.picture(operation, size, using: &random)
    }
    (cell.accuracy, cell.steps) = (found.accuracy, found.steps)
  }

  /// Trains a network on fresh pictures `[channels,side,side]` and tries it on others; the steps that it took.
  func trained(
    _ name: String, _ steps: Int, channels: Int, side: Int, progress: ProgressHandler,
    picture: @escaping @Sendable (inout Philox) throws -> (view: Tensor<Float>, isMirrored: Bool)
  ) throws -> (accuracy: Score, steps: Int) {
    let flip = Flip()
    var backbone = ResNet10(width: width)
    backbone.inputs = channels
    func network(_ mode: Scope.Mode) -> (program: Program, scope: Scope) {
      let builder = GraphBuilder(), scope = Scope(builder, mode: mode)
      let inputs = ["view": builder.input("view", [batch, channels, side, side]), "mirrored": builder.input("mirrored", [batch])]
      let objective = flip.objective(inputs, backbone: backbone, in: scope), outputs = ["loss": objective.loss, "logits": objective.logits]
      let program = mode == .training
        ? Program(inputs: inputs, parameters: scope.parameters, outputs: outputs, minimizing: objective.loss, updates: scope.updates)
        : Program(inputs: inputs, parameters: scope.parameters, outputs: outputs)
      return (program, scope)
    }
    let seed = seed, batch = batch
    /// A batch of fresh pictures, made on all processors.
    func fields(_ purpose: UInt64, _ step: Int) throws -> [String: Tensor<Float>] {
      let made = try (0..<batch).concurrentMap { place -> (view: Tensor<Float>, isMirrored: Bool) in
        var random = Philox(seed: seed, purpose, UInt64(step), UInt64(place))
        return try picture(&random)
      }
      return ["view": Tensor.stacked(made.map(\.view)), "mirrored": Tensor([batch], made.map { $0.isMirrored ? 1 : 0 })]
    }
    func right(_ logits: Tensor<Float>, _ truth: Tensor<Float>) -> Int { zip(logits.elements, truth.elements).count { ($0 > 0) == ($1 > 0.5) } }
    let (program, scope) = network(.training), plan = try Plan(program, precision: .float32), optimizer = AdamW()
    var weights = scope.initialWeights(seed: seed), gradients = Weights(scope.parameters)
    var state = OptimizerState(moments: AdamW.moments, count: weights.storage.count)
    let schedule = Schedule(.cosine, warmupSteps: min(20, steps - 1))
    var faultless = 0, done = 0
    while done < steps, faultless < patience {
      let examples = try fields(1, done), outputs = try plan.run(examples, &weights, gradients: &gradients)
      optimizer.update(&weights, gradients, &state, learningRate: Float(learningRate * schedule.factor(step: done, total: steps)))
      faultless = right(outputs["logits"]!, examples["mirrored"]!) == batch ? faultless + 1 : 0
      done += 1
      progress(Progress("matrix \(name)", done: done, total: steps, note: "loss \(outputs["loss"]!.elements[0])"))
    }
    let judge = try Plan(network(.inference).program, precision: .float32)
    var correct = 0, asked = 0
    while asked < testing {
      let examples = try fields(2, asked / batch), outputs = try judge.evaluate(examples, weights)
      correct += right(outputs["logits"]!, examples["mirrored"]!)
      asked += batch
    }
    return (Score.accuracy(right: correct, of: asked, chance: 0.5, seed: seed), done)
  }
}
