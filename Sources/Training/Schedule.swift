import Foundation
import Host

/// The learning rate over a run, as a factor of the recipe's.
public struct Schedule: Codable, Hashable, Sendable {
  public enum Kind: String, NamedChoice, Sendable {
    case constant
    /// Half a cosine from 1 down to 0. Source: Loshchilov and Hutter, arXiv:1608.03983.
    case cosine
    /// Multiplied by `stepFactor` after each `stepShare` of the run.
    case step
  }
  public var kind = Kind.cosine
  /// Steps in which the rate rises linearly from 0.
  public var warmupSteps = 0
  public var stepShare = 1.0 / 3
  public var stepFactor = 0.1

  public init() {}
  public init(_ kind: Kind, warmupSteps: Int = 0, stepShare: Double = 1.0 / 3, stepFactor: Double = 0.1) {
    self.kind = kind
    self.warmupSteps = warmupSteps
    self.stepShare = stepShare
    self.stepFactor = stepFactor
  }

  /// The factor for step `step`, 0 ..< `total`.
  public func factor(step: Int, total: Int) -> Double {
    if step < warmupSteps { return Double(step + 1) / Double(warmupSteps) }
    let share = Double(step - warmupSteps) / Double(max(1, total - warmupSteps))
    switch kind {
    case .constant: return 1
    case .cosine: return 0.5 * (1 + cos(.pi * share))
    case .step: return pow(stepFactor, (share / stepShare).rounded(.down))
    }
  }

  /// The same course over a run of `steps`, whose warm-up takes no more than a tenth: however short it is, it ends as a long one does.
  public func shortened(to steps: Int) -> Schedule {
    var schedule = self
    schedule.warmupSteps = min(warmupSteps, steps / 10)
    return schedule
  }
}
