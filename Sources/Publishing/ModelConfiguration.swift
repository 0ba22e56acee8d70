import Corpora
import Graphs
import Host
import Networks
import Pretexts
import Training

/// `config.json`: what timm reads from a local folder, and, under `psimagenet`, what the numbers mean.
///
/// Everything that timm reads is derived from `Meaning`, so the two cannot disagree in a file that is read back.
/// Source of the keys: timm 1.0.31, `local-dir:` loading.
public struct ModelConfiguration: Codable, Hashable, Sendable {
  /// What a user of the weights has to know.
  public struct Meaning: Codable, Hashable, Sendable {
    public static let format = "psimagenet-checkpoint-1"

    public var format: String
    public var name: String
    public var backbone: Choice
    public var task: Choice
    /// The answers of the task, in the order of its logits.
    public var classes: [String]
    /// From tone-mapped value to network input.
    public var scaling: InputScaling
    /// Side of the square pictures, pixels.
    public var side: Int
    /// Training steps behind the weights.
    public var step: Int
    /// SPDX identifier.
    public var license: String
    /// From raw signal to tone-mapped value, for each source of the corpus.
    public var sources: [Source]
  }

  /// How one kind of detector frame became a picture.
  public struct Source: Codable, Hashable, Sendable {
    public var name: String
    public var detector: String
    /// Of the signal before the tone map: ADU, photons, keV.
    public var unit: String
    public var tone: ToneMap
    /// The steps from raw counts to value, in order.
    public var transforms: [String]
  }

  public struct ModelArguments: Codable, Hashable, Sendable {
    public var channels = 1
    enum CodingKeys: String, CodingKey { case channels = "in_chans" }
  }

  public struct Pretrained: Codable, Hashable, Sendable {
    public var tag: String
    public var customLoad = false
    public var inputSize: [Int]
    public var fixedInputSize: Bool
    public var interpolation = "bilinear"
    public var cropShare = 1.0
    public var cropMode = "center"
    public var mean: [Double]
    public var deviation: [Double]
    public var classCount = 0
    public var poolSize: [Int]
    public var firstConvolution = "conv1"
    public var classifier = "fc"
    public var license: String

    enum CodingKeys: String, CodingKey {
      case tag, interpolation, mean, classifier, license
      case customLoad = "custom_load", inputSize = "input_size", fixedInputSize = "fixed_input_size", cropShare = "crop_pct"
      case cropMode = "crop_mode", deviation = "std", classCount = "num_classes", poolSize = "pool_size"
      case firstConvolution = "first_conv"
    }
  }

  /// timm's name of the network where timm was seen to load it; else a name that timm refuses.
  public var architecture: String
  /// 0: the trunk alone.
  public var classCount = 0
  public var featureCount: Int
  public var globalPool = "avg"
  public var modelArguments = ModelArguments()
  public var pretrained: Pretrained
  public var meaning: Meaning

  /// Names that need no addition: timm loads the first, and knows no network of the other names.
  private static let ownNames = ["resnet18", "resnet10", "lenet5"]

  enum CodingKeys: String, CodingKey {
    case architecture, classCount = "num_classes", featureCount = "num_features", globalPool = "global_pool"
    case modelArguments = "model_args", pretrained = "pretrained_cfg", meaning = "psimagenet"
  }

  init(_ meaning: Meaning, _ graph: ModelGraph) {
    self.meaning = meaning
    let name = meaning.backbone.name, inputs = graph.backbone.inputs, map = graph.lastStage
    architecture = !graph.hasUsualShapes ? "\(name)_custom" : Self.ownNames.contains(name) ? name : "\(name)_psimagenet"
    modelArguments = ModelArguments(channels: inputs)
    featureCount = graph.codewordWidth
    pretrained = Pretrained(
      tag: meaning.name, inputSize: [inputs, meaning.side, meaning.side], fixedInputSize: graph.isBoundToSide,
      mean: Array(repeating: meaning.scaling.mean, count: inputs), deviation: Array(repeating: meaning.scaling.deviation, count: inputs),
      poolSize: [map[1], map[2]], firstConvolution: graph.firstConvolution, classifier: graph.backbone.classifierName,
      license: meaning.license)
  }
}

extension ModelConfiguration.Meaning {
  /// The backbone and task that are meant, where no value asks for something that cannot be built.
  ///
  /// The limits keep a file from asking for a network that no machine holds: whole-number settings of at most 8192.
  func graph(path: String) throws(InputError) -> ModelGraph {
    func require(_ holds: Bool, _ place: String, _ expected: String, _ found: Any) throws(InputError) {
      guard holds else { throw InputError(path: path, place: "psimagenet.\(place)", expected: expected, found: "\(found)") }
    }
    try require(format == Self.format, "format", Self.format, format)
    try require((16...8192).contains(side), "side", "16 to 8192", side)
    try require(step >= 0, "step", "0 or more", step)
    try require(scaling.mean.isFinite, "scaling.mean", "a finite number", scaling.mean)
    try require(scaling.deviation > 0 && scaling.deviation.isFinite, "scaling.deviation", "a positive number", scaling.deviation)
    try require((0...1).contains(scaling.minimumWeight), "scaling.minimumWeight", "0 to 1", scaling.minimumWeight)
    try require((1...4096).contains(classes.count), "classes", "1 to 4096 of them", classes.count)
    try require(Set(classes).count == classes.count, "classes", "different names", classes)
    for (place, choice) in [("backbone", backbone), ("task", task)] {
      let numbers = choice.settings.integers
      try require(numbers.allSatisfy { (0...8192).contains($0) }, "\(place).settings", "whole numbers of 0 to 8192", numbers)
    }
    let task = try task.task(path: path)
    if task.label == nil { try require(task.classes(labels: []) == classes, "classes", "\(task.classes(labels: []))", classes) }
    let backbone = try backbone.backbone(path: path)
    try backbone.require(side: side, path: path)
    return ModelGraph(backbone: backbone, task: task, side: side, classes: classes.count)
  }
}

extension JSONValue {
  /// Every whole number in this value.
  fileprivate var integers: [Int] {
    switch self {
    case .integer(let value): [value]
    case .array(let values): values.flatMap(\.integers)
    case .object(let fields): fields.values.flatMap(\.integers)
    case .null, .bool, .number, .string: []
    }
  }
}
