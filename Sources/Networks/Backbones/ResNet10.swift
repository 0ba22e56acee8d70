import Graphs

/// ResNet-10: one basic block a stage; 4.9 M numbers at width 64. Parameter names as in torchvision and timm (`resnet10t` differs).
public struct ResNet10: Backbone {
  public static let name = "resnet10"
  /// Channels of the first stage.
  public var width = 64
  public init() {}
  public init(width: Int) { self.width = width }
  public func validate() throws(SettingError) { try SettingError.require((1...1024).contains(width), "width", "1 to 1024", width) }
  public func stages(_ image: Value, in scope: Scope) -> [Value] {
    ResidualStages(blocks: [1, 1, 1, 1], width: width)(image, in: scope)
  }
}
