import Graphs

/// ResNet-18 for one-channel images; 11.2 M numbers at width 64. Parameter names as in torchvision.
public struct ResNet18: Backbone {
  public static let name = "resnet18"
  /// Channels of the first stage; 64 in the paper.
  public var width = 64
  public init() {}
  public init(width: Int) { self.width = width }
  public func validate() throws(SettingError) { try SettingError.require((1...1024).contains(width), "width", "1 to 1024", width) }
  public func stages(_ image: Value, in scope: Scope) -> [Value] {
    ResidualStages(blocks: [2, 2, 2, 2], width: width)(image, in: scope)
  }
}
