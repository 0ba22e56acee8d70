import Graphs

/// LeNet-5 with ReLU and maximum pooling, with the names of the PyTorch tutorial (`conv1 conv2 fc1 fc2`).
///
/// The fully connected layers depend on the image size, so a checkpoint holds for one size; 32×32 in the paper, at least 16×16.
/// Source: LeCun et al., Proc. IEEE 86, 1998.
public struct LeNet5: Backbone {
  public static let name = "lenet5"
  public var inputs = 1
  public init() {}

  public var classifierName: String { "fc3" }
  public var admittedSides: AdmittedSides { AdmittedSides(from: 16) }

  public func validate() throws(SettingError) { try SettingError.require(inputs, in: 1...64, "inputs") }

  /// The fully connected layers are stages of one pixel, and the codeword is the last of them.
  public func encode(_ image: Value, in scope: Scope) -> Encoding {
    let first = Conv2D(6, kernel: 5, padding: 0, bias: true)(image, in: scope["conv1"]).relu()
      .pooled(.maximum, kernel: 2, stride: 2)
    let second = Conv2D(16, kernel: 5, padding: 0, bias: true)(first, in: scope["conv2"]).relu()
      .pooled(.maximum, kernel: 2, stride: 2)
    let third = Linear(120)(second.flattened(), in: scope["fc1"]).relu()
    let fourth = Linear(84)(third, in: scope["fc2"]).relu()
    return Encoding(stages: [first, second] + [third, fourth].map { $0.reshaped(to: [$0.shape[0], $0.shape[1], 1, 1]) })
  }
}
