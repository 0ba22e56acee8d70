import Graphs
import Tensors

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
