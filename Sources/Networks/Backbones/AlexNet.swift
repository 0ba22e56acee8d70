import Graphs

/// AlexNet as torchvision has it, the one-column network of 2014: five convolutions, fc6, fc7; 61.1 M numbers with 1000 classes.
/// Parameter names as in torchvision's `alexnet`.
/// Source: Krizhevsky, arXiv:1404.5997, after Krizhevsky, Sutskever and Hinton, 2012.
public struct AlexNet: Backbone {
  public static let name = "alexnet"
  public var inputs = 1
  /// Channels of the first convolution; the others have 3, 6, 4 and 4 times as many. 64 in the paper.
  public var width = 64
  /// Whether fc6 and fc7 exist; without them the codeword is the mean of the last stage.
  public var fullyConnected = true
  /// Numbers in fc6 and in fc7.
  public var hidden = 4096
  /// Share of the inputs of fc6 and fc7 that is dropped in training.
  public var dropout = 0.5

  public init() {}

  public var codewordNames: [String] { fullyConnected ? FullyConnectedPair.codewordNames : ["pooled"] }
  public var classifierName: String { "classifier.6" }
  public var omittedParts: [String] { fullyConnected ? [] : ["classifier."] }
  /// Below, the last pooling has no 3 pixels to choose from.
  public var admittedSides: AdmittedSides { AdmittedSides(from: 63) }

  public func validate() throws(SettingError) {
    try SettingError.require(inputs, in: 1...64, "inputs")
    try SettingError.require(width, in: 1...1024, "width")
    try SettingError.require(hidden, in: 1...8192, "hidden")
    try SettingError.require(rate: dropout, "dropout")
  }

  public func encode(_ image: Value, in scope: Scope) -> Encoding {
    let features = scope["features"]
    func convolved(_ x: Value, _ layer: Conv2D, _ index: Int) -> Value { layer(x, in: features["\(index)"]).relu() }
    func halved(_ x: Value) -> Value { x.pooled(.maximum, kernel: 3, stride: 2) }
    let first = halved(convolved(image, Conv2D(width, kernel: 11, stride: 4, padding: 2, bias: true), 0))
    let second = halved(convolved(first, Conv2D(3 * width, kernel: 5, bias: true), 3))
    let third = convolved(second, Conv2D(6 * width, bias: true), 6)
    let fourth = convolved(third, Conv2D(4 * width, bias: true), 8)
    let stages = [first, second, third, fourth, halved(convolved(fourth, Conv2D(4 * width, bias: true), 10))]
    guard fullyConnected else { return Encoding(stages: stages) }
    let pair = FullyConnectedPair(
      names: ("classifier.1", "classifier.4"), hidden: hidden, dropout: dropout, grid: 6, dropsInputs: true)
    return pair(stages, in: scope)
  }
}
