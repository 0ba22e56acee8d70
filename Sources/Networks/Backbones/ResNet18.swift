import Graphs

/// ResNet-18: two basic blocks a stage; 11.2 M numbers at width 64, one channel. Parameter names as in torchvision and timm.
public struct ResNet18: Backbone {
  public static let name = "resnet18"
  public var inputs = 1
  /// Channels of the first stage; 64 in the paper.
  public var width = 64
  /// Stochastic depth: share of examples that skip the last block's branch in training; less in proportion for earlier blocks.
  /// Source: Huang et al., arXiv:1603.09382.
  public var dropPath = 0.0

  public init() {}
  public init(width: Int) { self.width = width }

  public var admittedSides: AdmittedSides { AdmittedSides(from: 1) }

  public func validate() throws(SettingError) {
    try SettingError.require(inputs, in: 1...64, "inputs")
    try SettingError.require(width, in: 1...1024, "width")
    try SettingError.require(rate: dropPath, "dropPath")
  }

  public func encode(_ image: Value, in scope: Scope) -> Encoding {
    Encoding(stages: ResidualNetwork.resnet18.stages(width: width, dropPath: dropPath)(image, in: scope))
  }
}
