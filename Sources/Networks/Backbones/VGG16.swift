import Graphs

/// VGG-16: 13 convolutions of 3×3 in five stages, then fc6 and fc7; 138.4 M numbers with 1000 classes. Parameter names as in
/// torchvision's `vgg16`, and with `batchNorm` as in its `vgg16_bn`.
/// Source: Simonyan and Zisserman, arXiv:1409.1556.
public struct VGG16: Backbone {
  public static let name = "vgg16"
  public var inputs = 1
  /// Channels of the first stage; the others have 2, 4, 8 and 8 times as many. 64 in the paper.
  public var width = 64
  /// Batch normalisation after every convolution, before its rectifier.
  public var batchNorm = false
  /// Whether fc6 and fc7 exist; without them the codeword is the mean of the last stage.
  public var fullyConnected = true
  /// Numbers in fc6 and in fc7.
  public var hidden = 4096
  /// Share of fc6 and fc7 that is dropped in training.
  public var dropout = 0.5

  public init() {}

  public var codewordNames: [String] { fullyConnected ? FullyConnectedPair.codewordNames : ["pooled"] }
  public var classifierName: String { "classifier.6" }
  public var omittedParts: [String] { fullyConnected ? [] : ["classifier."] }
  /// Each of the five stages halves its map.
  public var admittedSides: AdmittedSides { AdmittedSides(from: 32) }

  public func validate() throws(SettingError) {
    try SettingError.require(inputs, in: 1...64, "inputs")
    try SettingError.require(width, in: 1...1024, "width")
    try SettingError.require(hidden, in: 1...8192, "hidden")
    try SettingError.require(rate: dropout, "dropout")
  }

  public func encode(_ image: Value, in scope: Scope) -> Encoding {
    let stages = VGGStages(convolutions: [2, 2, 3, 3, 3], width: width, batchNorm: batchNorm)(image, in: scope["features"])
    guard fullyConnected else { return Encoding(stages: stages) }
    let pair = FullyConnectedPair(names: ("classifier.0", "classifier.3"), hidden: hidden, dropout: dropout, grid: 7)
    return pair(stages, in: scope)
  }
}
