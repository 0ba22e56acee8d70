import Graphs

/// An image encoder; a value of a conforming type is the architecture and is stored in checkpoints as JSON.
public protocol Backbone: Codable, Hashable, Sendable {
  /// The name in recipes and in `config.json`, such as `resnet18`.
  static var name: String { get }
  init()
  /// Maps `image [N,1,H,W]` to feature maps `[N,C,H',W']`, shallow to deep. The last one is pooled into the codeword.
  func stages(_ image: Value, in scope: Scope) -> [Value]
  /// Throws for settings that no network can have.
  func validate() throws(SettingError)
}

extension Backbone {
  public func validate() throws(SettingError) {}

  /// The mean of the last stage over the picture: `[N,1,H,W] -> [N,D]`.
  public func codewords(_ image: Value, in scope: Scope) -> Value {
    stages(image, in: scope).last!.globalAverage()
  }
}
