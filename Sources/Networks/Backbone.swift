import Graphs

/// An image encoder; a value of a conforming type is the architecture and is stored in checkpoints as JSON.
public protocol Backbone: Codable, Hashable, Sendable {
  /// The name in recipes and in `config.json`, such as `resnet18`.
  static var name: String { get }
  init()
  /// Channels that the first layer sees: 1, or 3 for weights that were made for colour pictures, which then see a grey picture
  /// three times.
  var inputs: Int { get set }
  /// Adds the layers for `image [N,inputs,H,W]`. Callers use `encoding(of:in:)`, which repeats a grey picture where needed.
  func encode(_ image: Value, in scope: Scope) -> Encoding
  /// Adds the layers and the classifier that the network's paper puts on them. Callers use `prediction(of:classes:in:)`.
  func predict(_ image: Value, classes: Int, in scope: Scope) -> Prediction
  /// The names of `Encoding.codewords`, without building a graph.
  var codewordNames: [String] { get }
  /// Where torchvision or timm keeps the last linear layer: `fc`, `classifier.6`.
  var classifierName: String { get }
  /// Beginnings of names that files of other software may have and that these settings do without: `aux1.`.
  var omittedParts: [String] { get }
  /// Picture sizes that the layers can be built for.
  var admittedSides: AdmittedSides { get }
  /// Throws for settings that no network can have.
  func validate() throws(SettingError)
}

/// What a backbone makes of a batch of pictures.
public struct Encoding {
  /// Feature maps `[N,C,H',W']`, shallow to deep.
  public let stages: [Value]
  /// Codewords `[N,D]`, shallow to deep; heads sit on the last one.
  public let codewords: [(name: String, value: Value)]
  /// Codewords `[N,D]` of side branches, and where the classifiers on them keep their numbers (GoogLeNet's `aux1.fc2`).
  public let auxiliaries: [(classifier: String, value: Value)]

  init(stages: [Value], codewords: [(name: String, value: Value)], auxiliaries: [(classifier: String, value: Value)] = []) {
    self.stages = stages
    self.codewords = codewords
    self.auxiliaries = auxiliaries
  }

  /// The mean of the last stage over the picture is the only codeword.
  init(stages: [Value]) { self.init(stages: stages, codewords: [("pooled", stages.last!.globalAverage())]) }

  /// The codeword that heads sit on, `[N,D]`.
  public var codeword: Value { codewords.last!.value }
  public func codeword(named name: String) -> Value? { codewords.first { $0.name == name }?.value }
}

extension Backbone {
  public var codewordNames: [String] { ["pooled"] }
  public var classifierName: String { "fc" }
  public var omittedParts: [String] { [] }

  public func predict(_ image: Value, classes: Int, in scope: Scope) -> Prediction {
    let encoding = encode(image, in: scope)
    return Prediction(
      logits: Linear(classes)(encoding.codeword, in: scope[classifierName]),
      auxiliaryLogits: encoding.auxiliaries.map { Linear(classes)($0.value, in: scope[$0.classifier]) },
      encoding: encoding)
  }

  /// Stages and codewords of `image [N,1,H,W]` or `[N,inputs,H,W]`. Traps on another number of channels.
  public func encoding(of image: Value, in scope: Scope) -> Encoding { encode(presented(image), in: scope) }

  /// What the whole network, with its classifier, says of `image [N,1,H,W]` or `[N,inputs,H,W]`.
  public func prediction(of image: Value, classes: Int, in scope: Scope) -> Prediction {
    predict(presented(image), classes: classes, in: scope)
  }

  /// Feature maps `[N,C,H',W']`, shallow to deep.
  public func stages(_ image: Value, in scope: Scope) -> [Value] { encoding(of: image, in: scope).stages }

  /// The codeword that heads sit on: `[N,1,H,W] -> [N,D]`.
  public func codewords(_ image: Value, in scope: Scope) -> Value { encoding(of: image, in: scope).codeword }

  /// Throws, naming the network and the sizes that it admits, unless pictures of `height`×`width` are among them.
  public func validate(height: Int, width: Int) throws(SettingError) {
    let admitted = admittedSides
    try SettingError.require(
      admitted.contains(height) && admitted.contains(width), "image size", "\(Self.name) admits \(admitted)", "\(height)×\(width)")
  }

  private func presented(_ image: Value) -> Value {
    guard image.shape[1] != inputs else { return image }
    precondition(image.shape[1] == 1, "\(Self.name) sees pictures of 1 or \(inputs) channels, got \(image.shape)")
    return image.concatenated(with: Array(repeating: image, count: inputs - 1), axis: 1)
  }
}

/// Picture sides in pixels that a network can be built for.
public struct AdmittedSides: Hashable, Sendable, CustomStringConvertible {
  public let smallest: Int

  public init(from smallest: Int) { self.smallest = smallest }

  public func contains(_ side: Int) -> Bool { side >= smallest }

  public var description: String { "sides of at least \(smallest) pixel\(smallest == 1 ? "" : "s")" }
}
