import Graphs
import Tensors

/// A configuration that, called on a value inside a scope, adds nodes and parameters to the graph.
public protocol Layer: Codable, Hashable, Sendable {
  func callAsFunction(_ x: Value, in scope: Scope) -> Value
}

/// `[N,C,H,W] -> [N,channels,H',W']`; `weight [channels,C,kernel,kernel]`, and `bias [channels]` where asked.
public struct Conv2D: Layer {
  public var channels: Int
  public var kernel: Int
  public var stride: Int
  public var padding: Int
  public var hasBias: Bool

  public init(_ channels: Int, kernel: Int = 3, stride: Int = 1, padding: Int? = nil, bias: Bool = false) {
    self.channels = channels
    self.kernel = kernel
    self.stride = stride
    self.padding = padding ?? kernel / 2
    hasBias = bias
  }

  public func callAsFunction(_ x: Value, in scope: Scope) -> Value {
    let weight = scope.parameter(
      "weight", [channels, x.shape[1], kernel, kernel], .heNormal(fan: channels * kernel * kernel))
    let y = x.convolved(with: weight, stride: stride, padding: padding)
    guard hasBias else { return y }
    return y.addingBias(scope.parameter("bias", [channels], .uniform(fan: x.shape[1] * kernel * kernel)))
  }
}

/// Batch normalisation with PyTorch's names and defaults (ε 1e-5, momentum 0.1, unbiased running variance).
public struct BatchNorm: Layer {
  public var epsilon = 1e-5
  public var momentum = 0.1
  public var rectifies = false

  public init(rectifies: Bool = false) { self.rectifies = rectifies }

  public func callAsFunction(_ x: Value, in scope: Scope) -> Value {
    let channels: Shape = [x.shape[1]]
    let gamma = scope.parameter("weight", channels, .constant(1)), beta = scope.parameter("bias", channels, .constant(0))
    let mean = scope.statistic("running_mean", channels, .constant(0))
    let variance = scope.statistic("running_var", channels, .constant(1))
    let operation = Normalization(epsilon: epsilon, rectifies: rectifies)
    guard scope.mode == .training else {
      return x.normalized(by: operation, [gamma, beta, mean, variance])[0]
    }
    let outputs = x.normalized(by: operation, [gamma, beta])
    let count = Double(x.shape.count / x.shape[1])
    scope.update("running_mean", to: mean.averaged(with: outputs[1], RunningAverage(momentum: momentum)))
    scope.update(
      "running_var",
      to: variance.averaged(with: outputs[2], RunningAverage(momentum: momentum, correction: count / max(1, count - 1))))
    return outputs[0]
  }
}

/// `[N,D] -> [N,outputs]`, `y = x·Wᵀ + b`; `weight [outputs,D]`, and `bias [outputs]` unless left out.
public struct Linear: Layer {
  public var outputs: Int
  public var hasBias: Bool

  public init(_ outputs: Int, bias: Bool = true) {
    self.outputs = outputs
    hasBias = bias
  }

  public func callAsFunction(_ x: Value, in scope: Scope) -> Value {
    let width = x.shape[1]
    let y = x.times(scope.parameter("weight", [outputs, width], .uniform(fan: width)), transposingRight: true)
    return hasBias ? y.addingBias(scope.parameter("bias", [outputs], .uniform(fan: width))) : y
  }
}

extension Value {
  func normalized(by operation: Normalization, _ numbers: [Value]) -> [Value] { appended(operation, numbers) }
  func averaged(with new: Value, _ operation: RunningAverage) -> Value { appended(operation, [new])[0] }
}
