import Engine
import Graphs
import Host
import Networks
import Tensors
import Training

/// A network and a batch shape to time, on random pictures in memory.
public struct Workload: Codable, Hashable, Sendable {
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// Forward, backward, update by SGD with momentum 0.9 and weight decay 1e-4, on 10 classes.
    case training
    /// The codeword of every picture, with frozen weights and running statistics.
    case inference

    /// In tables.
    var title: String { self == .training ? "training step" : "inference" }
  }

  public var kind: Kind
  /// A name of `BackboneCatalog`.
  public var backbone: String
  public var channels: Int
  /// Pixels.
  public var side: Int
  public var batch: Int
  public var precision: Precision

  public init(_ kind: Kind, backbone: String = "resnet18", channels: Int = 1, side: Int = 128, batch: Int = 32, precision: Precision) {
    (self.kind, self.backbone, self.channels) = (kind, backbone, channels)
    (self.side, self.batch, self.precision) = (side, batch, precision)
  }

  /// `resnet18 32×1×128×128 float32`.
  public var description: String { "\(backbone) \(batch)×\(channels)×\(side)×\(side) \(precision.rawValue)" }

  /// The graph of one step, with what is fed to it.
  func build() throws(InputError) -> (program: Program, weights: Weights, fields: [String: Tensor<Float>]) {
    let classes = 10
    func refuse(_ place: String, _ expected: String, _ found: String) -> InputError {
      InputError(path: "", place: place, expected: expected, found: found)
    }
    guard let type = BackboneCatalog.named(backbone) else {
      throw refuse("backbone", "one of \(BackboneCatalog.all.map { $0.name }.joined(separator: ", "))", backbone)
    }
    guard (1...64).contains(channels) else { throw refuse("channels", "1 to 64", "\(channels)") }
    guard (1...8192).contains(side) else { throw refuse("side", "1 to 8192", "\(side)") }
    guard (1...65536).contains(batch) else { throw refuse("batch", "1 to 65536", "\(batch)") }
    var network: any Backbone = type.init()
    network.inputs = channels
    try network.require(side: side, path: "")
    let builder = GraphBuilder(), scope = Scope(builder, mode: kind == .training ? .training : .inference)
    let image = builder.input("image", [batch, channels, side, side])
    let codewords = network.codewords(image, in: scope["backbone"])
    var random = Philox(seed: 2)
    var fields = ["image": Tensor<Float>(image.shape, random.normals(image.shape.count))]
    let program: Program
    switch kind {
    case .inference:
      program = Program(inputs: ["image": image], parameters: scope.parameters, outputs: ["codewords": codewords])
    case .training:
      let target = builder.input("target", [batch, classes])
      let loss = Linear(classes)(codewords, in: scope["fc"]).crossEntropy(target).mean()
      fields["target"] = Tensor([batch, classes], (0..<batch * classes).map { $0 % classes == $0 / classes % classes ? 1 : 0 })
      program = Program(
        inputs: ["image": image, "target": target].merging(scope.inputs) { own, _ in own }, parameters: scope.parameters, outputs: ["loss": loss], minimizing: loss,
        updates: scope.updates)
      fields.merge(program.maskFields(seed: 1, step: 0)) { own, _ in own }
    }
    return (program, scope.initialWeights(seed: 1), fields)
  }
}

/// A workload compiled and ready to run again and again. Belongs to the thread that made it.
public final class CompiledWorkload {
  public let workload: Workload
  /// Per step: see `Program.multiplyAdds`.
  public let floatingPointOperations: Int
  /// Of building the graph, making weights and compiling the plan.
  public let compileMilliseconds: Double
  public var planBytes: Int {
    switch plan {
    case .training(let plan): plan.memoryBytes
    case .inference(let plan): plan.memoryBytes
    }
  }
  /// Nodes that run a reference kernel of the library, which is slow.
  public let slowKernels: [String]

  private enum Compiled {
    case training(Plan)
    case inference(FrozenPlan)
  }

  private let plan: Compiled
  private let program: Program
  private let fields: [String: Tensor<Float>]
  private let optimizer = SGD()
  private var weights: Weights
  private var gradients: Weights
  private var state: OptimizerState

  /// Throws `InputError` for a workload that cannot be, `EngineError` where this machine cannot run it.
  /// - Parameter kernels: How the engine picks among equivalent kernels.
  public init(_ workload: Workload, kernels: KernelChoice = .fixed) throws {
    let clock = ContinuousClock(), began = clock.now
    self.workload = workload
    let (program, weights, fields) = try workload.build()
    self.program = program
    floatingPointOperations = program.floatingPointOperations
    let chosen: [(node: String, kernel: String)]
    switch workload.kind {
    case .training:
      let made = try Plan(program, precision: workload.precision, choice: kernels)
      (plan, chosen) = (.training(made), made.kernels)
    case .inference:
      let made = try FrozenPlan(program, weights, precision: workload.precision, choice: kernels)
      (plan, chosen) = (.inference(made), made.kernels)
    }
    slowKernels = chosen.filter { $0.kernel.hasPrefix("ref") && !$0.node.hasPrefix("Reorder") }.map { "\($0.node) (\($0.kernel))" }
    self.fields = fields
    self.weights = weights
    gradients = Weights(program.parameters)
    state = OptimizerState(moments: SGD.moments, count: weights.storage.count)
    compileMilliseconds = (clock.now - began).milliseconds
  }

  /// One training step or one inference pass; the loss, or the first feature.
  @discardableResult
  public func step() throws(EngineError) -> Float {
    switch plan {
    case .inference(let plan):
      return try plan.evaluate(fields)["codewords"]!.elements[0]
    case .training(let plan):
      let loss = try plan.run(fields, &weights, gradients: &gradients)["loss"]!.elements[0]
      optimizer.update(&weights, gradients, &state, learningRate: 0.01)
      return loss
    }
  }

  /// Where the time of a step goes, each node timed by itself; the optimiser is not part of it.
  public func operations(repeats: Int = 5) throws(EngineError) -> OperationReport {
    switch plan {
    case .training(let plan): OperationReport(try plan.profile(fields, weights, repeats: repeats), program)
    case .inference(let plan): OperationReport(try plan.profile(fields, repeats: repeats), program)
    }
  }
}
