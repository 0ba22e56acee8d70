/// A named number array of a network, known by its dotted path such as `layer1.0.conv1.weight`.
public struct Parameter {
  public let path: String
  public let value: Value
  public let role: Role

  public enum Role: String, Codable, Sendable {
    /// Moved by the optimiser.
    case trainable
    /// Moved by the network itself while training: running means and variances.
    case statistic
  }

  public init(path: String, value: Value, role: Role = .trainable) {
    self.path = path
    self.value = value
    self.role = role
  }
}
