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
  /// Turns one shot into example `place` of a batch, all of whose fields it writes. Draws only from `random`: the same key
  /// gives the same example. The answer is drawn first, and all that follows treats the answers alike.
  func makeExample(from shot: Shot, in context: ExampleContext, using random: inout Philox, into batch: inout ExampleBatch, at place: Int)
  /// Adds head and loss for a batch. Parameters of the backbone go under `backbone`, those of the head under `head`.
  func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective
  /// The symmetries of the square between which the task asks to choose; none where it asks for something else.
  var answers: [Symmetry] { get }
  /// What else it asks about: no augmentation of the recipe may change it.
  var asks: Set<Transformation> { get }
  /// What its own jitter varies, of which a recipe may ask for nothing that is among `asks`.
  var jitters: Set<Transformation> { get }
  /// What it must know of a shot besides its pixels.
  var needs: Set<ShotNeed> { get }
  /// Whether it asks for `Shot.panels`, without which equal tiles stand for the detector's panels.
  var usesPanels: Bool { get }
  /// How many fixed examples validation makes of a picture: one of each answer, where that is few; 1 to draw the answer.
  var variants: Int { get }
  /// Share of right answers without looking, and how; `nil` for one of `classes` at random.
  func chance(batch: Int) -> (share: Double, rule: String)?
  /// Throws for settings that no run can have.
  func validate() throws(SettingError)
  /// Throws unless pictures of `side`×`side` can be turned into examples.
  func validate(side: Int) throws(SettingError)
  /// Pixels along a side of what the backbone sees of a picture of `side`×`side`; several where it sees views of several sizes.
  func viewSides(of side: Int) -> [Int]
  /// Throws where the task asks more of a backbone than codewords.
  func validate(backbone: any Backbone) throws(SettingError)
  /// The first augmentation that contains what the task asks about.
  func conflict(with augmentations: [any Augmentation]) -> AnswerConflict?
  /// The smallest picture that can be turned into an example, pixels along a side.
  var smallestSide: Int { get }
  /// How many runs the pictures of a training batch come from, where that is part of the task; `nil` for whichever the shuffle brings.
  var runsABatch: Int? { get }
  /// The middle of a square picture, cut out and resampled as the task does it; `nil` where it shows pictures as they are. By this the audit sees whether
  /// its resampling treats a picture and its mirror image alike.
  func centralPiece(of image: MaskedImage) -> MaskedImage?
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
  public func validate(side: Int) throws(SettingError) {
    try SettingError.require(side >= smallestSide, "image size", "at least \(smallestSide) pixels a side for this task", side)
  }
  public func viewSides(of side: Int) -> [Int] { [side] }
  public func validate(backbone: any Backbone) throws(SettingError) {}
  public var smallestSide: Int { 1 }
  public var label: String? { nil }
  public var frameChoice: FrameChoice? { nil }
  public var runsABatch: Int? { nil }
  public func centralPiece(of image: MaskedImage) -> MaskedImage? { nil }
  public var answers: [Symmetry] { [] }
  public var asks: Set<Transformation> { [] }
  public var jitters: Set<Transformation> { [] }
  public var needs: Set<ShotNeed> { [] }
  public var usesPanels: Bool { false }
  public var variants: Int { 1 }
  public func chance(batch: Int) -> (share: Double, rule: String)? { nil }
}
