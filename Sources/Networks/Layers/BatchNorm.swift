import Graphs
import Tensors

/// Batch normalisation with PyTorch's names and defaults (ε 1e-5, momentum 0.1, unbiased running variance).
public struct BatchNorm: Layer {
  public var epsilon = 1e-5
  public var momentum = 0.1
  public var rectifies = false
  /// Where the rectifier stops rising; 6 for ReLU6.
  public var limit: Double?

  public init(rectifies: Bool = false, upTo limit: Double? = nil, epsilon: Double = 1e-5, momentum: Double = 0.1) {
    self.epsilon = epsilon
    self.momentum = momentum
    self.rectifies = rectifies
    self.limit = limit
  }

  public func callAsFunction(_ x: Value, in scope: Scope) -> Value {
    let channels: Shape = [x.shape[1]]
    let gamma = scope.parameter("weight", channels, .constant(1)), beta = scope.parameter("bias", channels, .constant(0))
    let mean = scope.statistic("running_mean", channels, .constant(0))
    let variance = scope.statistic("running_var", channels, .constant(1))
    let operation = Normalization(epsilon: epsilon, rectifies: rectifies, upTo: limit)
    guard scope.mode == .training else {
      return x.normalized(by: operation, [gamma, beta, mean, variance])[0]
    }
    let outputs = x.normalized(by: operation, [gamma, beta])
    let count = Double(x.shape.count / x.shape[1])
    scope.update("running_mean", to: scope.latest("running_mean", mean).averaged(with: outputs[1], RunningAverage(momentum: momentum)))
    scope.update(
      "running_var",
      to: scope.latest("running_var", variance).averaged(with: outputs[2], RunningAverage(momentum: momentum, correction: count / max(1, count - 1))))
    return outputs[0]
  }
}

extension Value {
  func normalized(by operation: Normalization, _ numbers: [Value]) -> [Value] { appended(operation, numbers) }
  func averaged(with new: Value, _ operation: RunningAverage) -> Value { appended(operation, [new])[0] }
}
