import Graphs

/// What a network with its classifier says of a batch of pictures.
public struct Prediction {
  /// `[N,K]`, or one row a pixel, `[N,K,H,W]`.
  public let logits: Value
  /// Of side branches, shallow to deep.
  public let auxiliaryLogits: [Value]
  public let encoding: Encoding

  public init(logits: Value, auxiliaryLogits: [Value] = [], encoding: Encoding) {
    self.logits = logits
    self.auxiliaryLogits = auxiliaryLogits
    self.encoding = encoding
  }

  /// Share of each auxiliary loss in the sum. Source: Szegedy et al., arXiv:1409.4842.
  public static let auxiliaryWeight = 0.3

  /// Mean cross entropy against distributions of the shape of `logits`, nats, plus 0.3 of each auxiliary one.
  ///
  /// The mean goes over all examples, or over all pixels; a pixel whose targets are all 0 costs nothing but counts in the mean.
  public func loss(_ targets: Value) -> Value {
    auxiliaryLogits.reduce(logits.crossEntropy(targets).mean()) {
      $0 + $1.crossEntropy(targets).mean().scaled(by: Prediction.auxiliaryWeight)
    }
  }
}
