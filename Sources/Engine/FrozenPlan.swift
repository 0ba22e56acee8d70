import Graphs
import Tensors

/// A program compiled for inference with weights that never change: normalisations are folded into the convolutions before them,
/// kernels are brought into their layouts once, and a convolution adds its residual and rectifies in the same pass.
///
/// Results differ from those of `Plan` by rounding. Belongs to the thread that made it.
public final class FrozenPlan {
  public let weights: Weights
  private let plan: Plan

  /// Bytes of intermediate results and prepared weights.
  public var memoryBytes: Int { plan.memoryBytes }
  /// The kernels that run, by node, for reports.
  public var kernels: [(node: String, kernel: String)] { plan.kernels }

  /// Traps when `program` has gradients or moves statistics, or when `weights` are of another network.
  /// - Throws: `EngineError` as `Plan` does.
  public init(
    _ program: Program, _ weights: Weights, precision: Precision, choice: KernelChoice = .fixed, memoryLimit: Int = .max
  ) throws(EngineError) {
    precondition(program.gradients.isEmpty && program.updates.isEmpty, "a frozen plan has no gradients and moves no statistics")
    self.weights = weights
    plan = try Plan(program, precision: precision, choice: choice, memoryLimit: memoryLimit, isFrozen: true)
  }

  /// Named outputs. Throws `.mismatch` when a field is absent or of another shape than compiled.
  public func evaluate(_ batch: [String: Tensor<Float>]) throws(EngineError) -> [String: Tensor<Float>] {
    try plan.evaluate(batch, weights)
  }

  /// One pass node by node; see `Plan.profile`. What was prepared once does not appear.
  public func profile(_ batch: [String: Tensor<Float>], repeats: Int = 5) throws(EngineError)
    -> [(node: String, kernel: String, milliseconds: Double)]
  {
    _ = try plan.evaluate(batch, weights)
    return try plan.profile(batch, weights, repeats: repeats)
  }
}
