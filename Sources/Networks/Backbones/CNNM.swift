import Graphs

/// CNN-M, the medium network of Chatfield et al.: a 7×7 first layer and a 5×5 second layer, both of stride 2,
/// then fc6 and fc7; 102.9 M numbers with 1000 classes. Names as in the authors' Caffe models: `conv1` … `conv5`, `fc6`, `fc7`, `fc8`.
/// Source: Chatfield et al., arXiv:1405.3531.
public struct CNNM: Backbone {
  public static let name = "cnn-m"
  public var inputs = 1
  /// Channels of the first convolution; the others in proportion. 96 in the paper.
  public var width = 96
  /// Whether fc6 and fc7 exist; without them the codeword is the mean of the last stage.
  public var fullyConnected = true
  /// Numbers in fc6 and in fc7.
  public var hidden = 4096
  /// Share of fc6 and fc7 that is dropped in training.
  public var dropout = 0.5

  public init() {}

  public var codewordNames: [String] { fullyConnected ? FullyConnectedPair.codewordNames : ["pooled"] }
  public var classifierName: String { "fc8" }
  public var omittedParts: [String] { fullyConnected ? [] : ["fc6.", "fc7."] }
  /// Below, the last pooling has no 3 pixels to choose from.
  public var admittedSides: AdmittedSides { AdmittedSides(from: 57) }

  public func validate() throws(SettingError) {
    try SettingError.require(inputs, in: 1...64, "inputs")
    try SettingError.require(width, in: 1...1024, "width")
    try SettingError.require(hidden, in: 1...8192, "hidden")
    try SettingError.require(rate: dropout, "dropout")
  }

  public func encode(_ image: Value, in scope: Scope) -> Encoding {
    func scaled(_ channels: Int) -> Int { max(1, channels * width / 96) }
    let stages = ChatfieldStages(layers: [
      .init(convolution: Conv2D(width, kernel: 7, stride: 2, padding: 0, bias: true), normalizes: true, pooling: (3, 2)),
      .init(convolution: Conv2D(scaled(256), kernel: 5, stride: 2, padding: 1, bias: true), normalizes: true, pooling: (3, 2)),
      .init(convolution: Conv2D(scaled(512), bias: true)),
      .init(convolution: Conv2D(scaled(512), bias: true)),
      .init(convolution: Conv2D(scaled(512), bias: true), pooling: (3, 2)),
    ])(image, in: scope)
    guard fullyConnected else { return Encoding(stages: stages) }
    return FullyConnectedPair(names: ("fc6", "fc7"), hidden: hidden, dropout: dropout, grid: 6)(stages, in: scope)
  }
}
