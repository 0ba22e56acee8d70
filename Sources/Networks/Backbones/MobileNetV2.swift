import Graphs

/// MobileNet v2: inverted residuals, narrow between blocks and six times as wide within; 3.5 M numbers with 1000 classes.
/// Parameter names as in torchvision's `mobilenet_v2`.
/// Source: Sandler et al., arXiv:1801.04381.
public struct MobileNetV2: Backbone {
  public static let name = "mobilenet_v2"
  public var inputs = 1
  /// Channels of the stem, 32 in the paper. All others in proportion, rounded to multiples of 8 as torchvision's `width_mult` does.
  public var width = 32
  /// Share of the codeword that is dropped in training.
  public var dropout = 0.2

  /// Of each group: how much wider blocks are within, channels after them at width 32, blocks, stride of the first.
  private static let groups = [
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
  ]

  public init() {}

  public var classifierName: String { "classifier.1" }
  public var admittedSides: AdmittedSides { AdmittedSides(from: 1) }

  public func validate() throws(SettingError) {
    try SettingError.require(inputs, in: 1...64, "inputs")
    try SettingError.require(width, in: 1...1024, "width")
    try SettingError.require(rate: dropout, "dropout")
  }

  /// Five stages: the last map of each size, the deepest of them after the 1×1 convolution to 1280 channels.
  public func encode(_ image: Value, in scope: Scope) -> Encoding {
    let features = scope["features"], norm = BatchNorm(rectifies: true, upTo: 6)
    var x = norm(Conv2D(scaled(32), stride: 2)(image, in: features["0.0"]), in: features["0.1"])
    var stages: [Value] = [], index = 1
    for (expansion, channels, count, stride) in MobileNetV2.groups {
      if stride == 2 { stages.append(x) }
      for block in 0..<count {
        x = inverted(
          x, to: scaled(channels), expansion: expansion, stride: block == 0 ? stride : 1, in: features["\(index).conv"])
        index += 1
      }
    }
    // The paper keeps 1280 where the network is narrower than usual.
    let last = width > 32 ? scaled(1280) : 1280
    stages.append(norm(Conv2D(last, kernel: 1)(x, in: features["\(index).0"]), in: features["\(index).1"]))
    let codeword = Dropout(dropout)(stages[4].globalAverage(), in: scope["classifier.0"])
    return Encoding(stages: stages, codewords: [("pooled", codeword)])
  }

  private func inverted(_ x: Value, to channels: Int, expansion: Int, stride: Int, in scope: Scope) -> Value {
    let norm = BatchNorm(rectifies: true, upTo: 6), hidden = x.shape[1] * expansion
    var y = x, layer = 0
    if expansion != 1 {
      y = norm(Conv2D(hidden, kernel: 1)(y, in: scope["0.0"]), in: scope["0.1"])
      layer = 1
    }
    y = norm(Conv2D(hidden, stride: stride, groups: hidden)(y, in: scope["\(layer).0"]), in: scope["\(layer).1"])
    y = BatchNorm()(Conv2D(channels, kernel: 1)(y, in: scope["\(layer + 1)"]), in: scope["\(layer + 2)"])
    return stride == 1 && x.shape[1] == channels ? x + y : y
  }

  /// The multiple of 8 nearest to `channels`·width/32, but not less than nine tenths of it.
  private func scaled(_ channels: Int) -> Int {
    let exact = Double(channels * width) / 32, near = max(8, Int(exact + 4) / 8 * 8)
    return Double(near) < 0.9 * exact ? near + 8 : near
  }
}
