import Graphs
import Tensors

extension Program {
  /// What the random masks of dropout and stochastic depth have to be fed in a step of a run: the field `counter`, or nothing where
  /// the program has no mask. Programs that are to have masks include `Scope.inputs` in their inputs.
  ///
  /// Seeds that are equal modulo 2²⁴ give the same masks, and after 2²⁴ steps masks come again, on other weights.
  public func maskFields(seed: UInt64, step: Int) -> [String: Tensor<Float>] {
    guard inputs["counter"] != nil else { return [:] }
    do {
      return ["counter": try MaskCounter(seed: Int(seed % UInt64(MaskCounter.limit)), step: step % MaskCounter.limit).tensor]
    } catch { preconditionFailure("step \(step): \(error)") }
  }
}
