import Host

/// A run needs more memory than there is. Found before the memory is taken, so nothing is lost.
public struct MemoryShortage: Error, Hashable, Sendable, CustomStringConvertible {
  /// What takes memory, in bytes.
  public struct Need: Hashable, Sendable {
    /// Intermediate results of the compiled step; `nil` while it is not compiled.
    public var plan: Int?
    public var weights: Int
    public var gradients: Int
    public var optimizer: Int

    public init(plan: Int?, weights: Int, gradients: Int, optimizer: Int) {
      (self.plan, self.weights, self.gradients, self.optimizer) = (plan, weights, gradients, optimizer)
    }

    /// Of a network of float32 numbers with that many moments per number.
    public init(plan: Int?, numbers: Int, moments: Int) {
      self.init(plan: plan, weights: 4 * numbers, gradients: 4 * numbers, optimizer: 4 * numbers * moments)
    }

    public var total: Int { (plan ?? 0) + weights + gradients + optimizer }
  }

  /// What was to run, such as `training resnet18 with 64 × [1×128×128]`.
  public let work: String
  public let need: Need
  public let available: AvailableMemory
  /// What to change.
  public let advice: String

  public init(work: String, need: Need, available: AvailableMemory, advice: String) {
    (self.work, self.need, self.available, self.advice) = (work, need, available, advice)
  }

  public var description: String {
    let parts = (need.plan.map { ["plan \($0.asBytes)"] } ?? [])
      + ["weights \(need.weights.asBytes)", "gradients \(need.gradients.asBytes)", "optimiser \(need.optimizer.asBytes)"]
    return "\(work) needs \(need.plan == nil ? "more than " : "")\(need.total.asBytes) of memory (\(parts.joined(separator: ", "))), "
      + "available are \(available.bytes.asBytes) (\(available.source)); \(advice)"
  }
}
