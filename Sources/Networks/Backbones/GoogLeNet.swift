import Graphs

/// GoogLeNet (Inception v1) with batch normalisation as torchvision has it; 6.6 M numbers with 1000 classes. Parameter names as in
/// torchvision's `googlenet`, whose "5×5" branch is 3×3, whose poolings round up, and whose normalisation has ε 10⁻³.
/// Source: Szegedy et al., arXiv:1409.4842.
public struct GoogLeNet: Backbone {
  public static let name = "googlenet"
  public var inputs = 1
  /// Channels of the stem; all others in proportion. 64 in the paper.
  public var width = 64
  /// Whether the two auxiliary classifiers of the paper exist. They help in training and are not used in inference.
  public var auxiliary = false
  /// Share of the codeword that is dropped in training.
  public var dropout = 0.2
  /// The same for the codewords of the auxiliary classifiers.
  public var auxiliaryDropout = 0.7

  /// Channels of the branches 1×1; 1×1 and 3×3; 1×1 and "5×5"; after pooling.
  private typealias Widths = (Int, (Int, Int), (Int, Int), Int)

  public init() {}

  public var omittedParts: [String] { auxiliary ? [] : ["aux1.", "aux2."] }
  /// Below, the last pooling has no two pixels to choose from.
  public var admittedSides: AdmittedSides { AdmittedSides(from: 31) }

  public func validate() throws(SettingError) {
    try SettingError.require(inputs, in: 1...64, "inputs")
    try SettingError.require(width, in: 1...1024, "width")
    try SettingError.require(rate: dropout, "dropout")
    try SettingError.require(rate: auxiliaryDropout, "auxiliaryDropout")
  }

  /// Five stages: the stem's two maps, and the ends of inception 3, 4 and 5.
  public func encode(_ image: Value, in scope: Scope) -> Encoding {
    let first = halved(convolved(image, 64, kernel: 7, stride: 2, in: scope["conv1"]))
    let narrow = convolved(first, 64, kernel: 1, in: scope["conv2"])
    let second = halved(convolved(narrow, 192, kernel: 3, in: scope["conv3"]))
    func inception(_ x: Value, _ name: String, _ widths: Widths) -> Value { self.inception(x, widths, in: scope["inception\(name)"]) }

    var x = inception(second, "3a", (64, (96, 128), (16, 32), 32))
    let third = inception(x, "3b", (128, (128, 192), (32, 96), 64))
    let early = inception(halved(third), "4a", (192, (96, 208), (16, 48), 64))
    x = inception(early, "4b", (160, (112, 224), (24, 64), 64))
    x = inception(x, "4c", (128, (128, 256), (24, 64), 64))
    let late = inception(x, "4d", (112, (144, 288), (32, 64), 64))
    let fourth = inception(late, "4e", (256, (160, 320), (32, 128), 128))
    x = inception(fourth.pooled(.maximum, kernel: 2, stride: 2, roundsUp: true), "5a", (256, (160, 320), (32, 128), 128))
    let fifth = inception(x, "5b", (384, (192, 384), (48, 128), 128))

    let codeword = Dropout(dropout)(fifth.globalAverage(), in: scope["dropout"])
    return Encoding(
      stages: [first, second, third, fourth, fifth], codewords: [("pooled", codeword)],
      auxiliaries: auxiliary ? [side(early, "aux1", in: scope), side(late, "aux2", in: scope)] : [])
  }

  private func scaled(_ channels: Int) -> Int { max(1, channels * width / 64) }

  private func convolved(_ x: Value, _ channels: Int, kernel: Int, stride: Int = 1, in scope: Scope) -> Value {
    let y = Conv2D(scaled(channels), kernel: kernel, stride: stride)(x, in: scope["conv"])
    return BatchNorm(rectifies: true, epsilon: 1e-3)(y, in: scope["bn"])
  }

  private func halved(_ x: Value) -> Value { x.pooled(.maximum, kernel: 3, stride: 2, roundsUp: true) }

  private func inception(_ x: Value, _ widths: Widths, in scope: Scope) -> Value {
    func pair(_ widths: (Int, Int), _ branch: Scope) -> Value {
      convolved(convolved(x, widths.0, kernel: 1, in: branch["0"]), widths.1, kernel: 3, in: branch["1"])
    }
    let pooled = x.pooled(.maximum, kernel: 3, stride: 1, padding: 1)
    return convolved(x, widths.0, kernel: 1, in: scope["branch1"]).concatenated(
      with: [
        pair(widths.1, scope["branch2"]), pair(widths.2, scope["branch3"]),
        convolved(pooled, widths.3, kernel: 1, in: scope["branch4.1"]),
      ], axis: 1)
  }

  /// The codeword of an auxiliary classifier, `[N,1024]`.
  private func side(_ x: Value, _ name: String, in scope: Scope) -> (classifier: String, value: Value) {
    let fits = x.shape[2] == 4 && x.shape[3] == 4, place = scope[name]
    let y = convolved(fits ? x : x.adaptiveAverage(to: [4, 4]), 128, kernel: 1, in: place["conv"]).flattened()
    let codeword = Linear(scaled(1024))(y, in: place["fc1"]).relu()
    return ("\(name).fc2", Dropout(auxiliaryDropout)(codeword, in: place["dropout"]))
  }
}
