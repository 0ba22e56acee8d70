import Graphs
import Networks
import Tensors

/// A question about images whose answer the program knows without a person: what a backbone is trained on.
///
/// A value of a conforming type is the task's settings and is stored in recipes and checkpoints.
public protocol PretextTask: Codable, Hashable, Sendable {
  /// The name in recipes: `flip`, `crop-position`, `frame-class`.
  static var name: String { get }
  init()
  /// The label of the records that answers the question, where it is not self-made (the supervised trunk).
  var label: String? { get }
  /// The answers, in the order of their indices.
  func classes(labels: [String]) -> [String]
  /// Names and per-example shapes of what `makeExample` yields for pictures of `side`×`side`.
  func fields(side: Int, classes: Int) -> [String: Shape]
  /// Turns one picture into example `place` of a batch, all of whose fields it writes. Draws only from `random`: the same key
  /// gives the same example.
  /// - Parameter answer: the index of the record's label among the classes, for tasks that have one.
  /// - Parameter augmenting: whether nuisances are added; `false` for the fixed examples of validation.
  func makeExample(
    from image: MaskedImage, answer: Int?, scaling: InputScaling, augmenting: Bool, using random: inout Philox,
    into batch: inout ExampleBatch, at place: Int)
  /// Adds head and loss for a batch. Parameters of the backbone go under `backbone`, those of the head under `head`.
  func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective
  /// Throws for settings that no run can have.
  func validate() throws(SettingError)
  /// The smallest picture that can be turned into an example, pixels along a side.
  var smallestSide: Int { get }
  /// Which pictures of the training split are used, where that is part of the task; `nil` for all that the recipe includes.
  var frameChoice: FrameChoice? { get }
}

/// A few pictures out of many.
public struct FrameChoice: Codable, Hashable, Sendable {
  /// The ids of their records; where none are named, the `count` richest pictures are taken.
  public var records: [String]
  public var count: Int

  public init(records: [String] = [], count: Int = 1) { (self.records, self.count) = (records, count) }

  /// How much structure a picture holds: the standard deviation of its measured pixels after an area average to a quarter of
  /// its side, which noise of single pixels does not survive. 0 for a picture without two measured cells.
  public static func richness(of image: MaskedImage) -> Double {
    let small = image.resampled(toHeight: max(1, image.height / 4), width: max(1, image.width / 4))
    return PixelMoments(of: small, minimumWeight: 0.5).variance.squareRoot()
  }
}

extension PretextTask {
  public func validate() throws(SettingError) {}
  public var smallestSide: Int { 1 }
  public var label: String? { nil }
  public var frameChoice: FrameChoice? { nil }
}

/// What a task asks the engine for.
public struct Objective {
  /// A scalar.
  public let loss: Value
  /// One row per example: a logit per class, or for two classes one logit that is positive for class 1.
  public let logits: Value
  /// The field that holds the right answers.
  public let target: String
  public init(loss: Value, logits: Value, target: String) {
    self.loss = loss
    self.logits = logits
    self.target = target
  }

  /// A linear head under `head` that chooses among the classes of field `target`, `[N,K]`, with the mean cross entropy for loss.
  ///
  /// Side branches of the backbone get heads of their own (`head.aux1.fc2`), and in training 0.3 of their losses is added.
  init(classifying encoding: Encoding, _ batch: [String: Value], target field: String, in scope: Scope) {
    let target = batch[field]!, head = scope["head"], classes = target.shape[1]
    let prediction = Prediction(
      logits: Linear(classes)(encoding.codeword, in: head),
      auxiliaryLogits: encoding.auxiliaries.map { Linear(classes)($0.value, in: head[$0.classifier]) }, encoding: encoding)
    let own = prediction.logits.crossEntropy(target).mean()
    self.init(loss: scope.mode == .training ? prediction.loss(target) : own, logits: prediction.logits, target: field)
  }
}

/// Answers of a network beside the right ones.
public enum Answers {
  /// The index of the answer per row: the largest logit of `[N,K]`, or the sign of `[N]`.
  public static func chosen(_ logits: Tensor<Float>) -> [Int] {
    guard logits.shape.rank == 2 else { return logits.elements.map { $0 > 0 ? 1 : 0 } }
    let classes = logits.shape[1]
    return (0..<logits.shape[0]).map { n in (0..<classes).max { logits.elements[n * classes + $0] < logits.elements[n * classes + $1] }! }
  }
}
