import Graphs

/// DenseNet-121: four blocks of 6, 12, 24 and 16 layers, each of which sees all maps of its block; 8.0 M numbers with 1000 classes.
/// Parameter names as in torchvision and timm.
/// Source: Huang et al., arXiv:1608.06993.
public struct DenseNet121: Backbone {
  public static let name = "densenet121"
  public var inputs = 1
  /// Channels that each layer adds; the stem has twice as many. 32 in the paper.
  public var growth = 32

  public init() {}

  public var classifierName: String { "classifier" }
  /// Below, the last halving has no two pixels to average.
  public var admittedSides: AdmittedSides { AdmittedSides(from: 29) }

  public func validate() throws(SettingError) {
    try SettingError.require(inputs, in: 1...64, "inputs")
    try SettingError.require(growth, in: 1...512, "growth")
  }

  /// The maps at the ends of the four blocks, the last one normalised and rectified.
  public func encode(_ image: Value, in scope: Scope) -> Encoding {
    let features = scope["features"], blocks = [6, 12, 24, 16]
    var x = Conv2D(2 * growth, kernel: 7, stride: 2)(image, in: features["conv0"])
    x = BatchNorm(rectifies: true)(x, in: features["norm0"]).pooled(.maximum, kernel: 3, stride: 2, padding: 1)
    return Encoding(stages: blocks.enumerated().map { index, count in
      if index > 0 { x = transition(x, in: features["transition\(index)"]) }
      for layer in 1...count {
        x = x.concatenated(with: [added(x, in: features["denseblock\(index + 1).denselayer\(layer)"])], axis: 1)
      }
      return index == blocks.count - 1 ? BatchNorm(rectifies: true)(x, in: features["norm5"]) : x
    })
  }

  /// `[N,C,H,W] -> [N,growth,H,W]`, through 4·growth channels.
  private func added(_ x: Value, in scope: Scope) -> Value {
    let narrow = Conv2D(4 * growth, kernel: 1)(BatchNorm(rectifies: true)(x, in: scope["norm1"]), in: scope["conv1"])
    return Conv2D(growth)(BatchNorm(rectifies: true)(narrow, in: scope["norm2"]), in: scope["conv2"])
  }

  /// Half the channels at half the size.
  private func transition(_ x: Value, in scope: Scope) -> Value {
    Conv2D(x.shape[1] / 2, kernel: 1)(BatchNorm(rectifies: true)(x, in: scope["norm"]), in: scope["conv"])
      .pooled(.average, kernel: 2, stride: 2)
  }
}
