/// A run met NaN or infinity and stopped. The last checkpoint was written before and is good.
public struct Divergence: Error, Sendable, CustomStringConvertible {
  /// The first number that is not finite, in the order in which a step computes.
  public enum Fault: Hashable, Sendable, CustomStringConvertible {
    /// A picture or target was fed like that. `element` counts within the example, row-major.
    case input(field: String, record: String, element: Int)
    /// A weight was like that before the step.
    case weight(path: String)
    /// A layer's output, `isGradient` false, or the loss's gradient there.
    case layer(name: String, isGradient: Bool)
    /// The gradients were finite; moving the weight was not.
    case update(path: String)
    /// Every value by itself is finite when computed again: the fault lies between the engine's fused operations.
    case unlocated

    public var description: String {
      switch self {
      case .input(let field, let record, let element): "field \(field) of record \(record), element \(element)"
      case .weight(let path): "weight \(path)"
      case .layer(let name, let isGradient): (isGradient ? "gradient at " : "output of ") + name
      case .update(let path): "update of \(path)"
      case .unlocated: "no single layer (all are finite when computed one by one)"
      }
    }
  }

  /// The run folder.
  public let path: String
  /// The step that met it, counted from 1.
  public let step: Int
  /// What was found, such as `loss nan`.
  public let found: String
  public let fault: Fault
  /// The checkpoint from which to go on and the steps behind it; `nil` when none was written yet.
  public let checkpoint: (path: String, step: Int)?
  /// What to change.
  public let advice: String

  public init(path: String, step: Int, found: String, fault: Fault, checkpoint: (path: String, step: Int)?, advice: String) {
    (self.path, self.step, self.found, self.fault) = (path, step, found, fault)
    (self.checkpoint, self.advice) = (checkpoint, advice)
  }

  public var description: String {
    let resume = checkpoint.map { "go on from \($0.path), step \($0.step)" } ?? "no checkpoint was written yet, start again"
    return "\(path): step \(step): \(found); first not finite: \(fault); \(advice); \(resume)"
  }
}
