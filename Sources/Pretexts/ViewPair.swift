import Graphs
import Networks
import Tensors

/// Two random views of one picture, for tasks that ask which views belong together.
public struct ViewPair: Codable, Hashable, Sendable {
  /// The frames of the training split that are used; `count: 0` without records for all.
  public var frames = FrameChoice(count: 0)
  /// Of a handful of frames, random pieces are the pictures that are told apart: made anew at every step. Not used with all frames.
  public var pieces = RandomView()
  /// How either view differs from the picture.
  public var views: RandomView
  /// The second view is one of the shot beside it in its run: what changes from shot to shot shall not count. Order of shots is the
  /// question of `shot-order`; here it is the nuisance.
  public var neighbour = false

  public init() {
    views = RandomView()
    (views.smallestArea, views.rotation, views.shear) = (0.3, 15, 0)
    // A piece has its contrast and noise from its views.
    (pieces.contrast, pieces.brightness, pieces.noise) = (0, 0, 0)
  }

  var frameChoice: FrameChoice? { isHandful ? frames : nil }
  private var isHandful: Bool { frames.count > 0 || !frames.records.isEmpty }

  func validate() throws(SettingError) {
    try SettingError.require(frames.count >= 0, "pair.frames.count", "0 or more", frames.count)
    try SettingError.require(!(neighbour && isHandful), "pair.neighbour", "false with a handful of frames", neighbour)
    try pieces.validate(at: "pair.pieces.")
    try views.validate(at: "pair.views.")
  }

  func fields(side: Int) -> [String: Shape] { ["view.1": [1, side, side], "view.2": [1, side, side]] }

  /// Pieces and views are drawn for fixed examples, too; there they have no contrast, brightness and noise.
  ///
  /// A view is cut out of the augmented picture: what a detector does to its pixels and chips it has done before anything is enlarged. Pieces of a
  /// handful of frames are pictures themselves, whose pixels no panel map knows.
  func write(_ shot: Shot, in context: ExampleContext, using random: inout Philox, into batch: inout ExampleBatch, at place: Int) {
    let image = shot.image
    precondition(
      image.height == image.width && image.width >= RandomView.smallestSide,
      "views are cut out of squares of at least \(RandomView.smallestSide), got \(image.pixels.shape)")
    let isPiece = isHandful && context.isAugmenting
    let picture = isPiece ? pieces.piece(of: image, context.scaling, using: &random) : image
    guard !neighbour || shot.neighbour != nil else { preconditionFailure("the pair needs a neighbouring shot") }
    for (name, picture) in [("view.1", picture), ("view.2", neighbour ? shot.neighbour!.image : picture)] {
      let seen = context.augmented(picture, of: shot, panels: isPiece ? nil : shot.panels, using: &random)
      views.write(views.piece(of: seen, context.scaling, using: &random), in: context, to: &batch, name, place, using: &random)
    }
  }

  /// Codewords of both views by one pass of the network, `[N,D]` each.
  static func codewords(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Value {
    backbone.codewords(Value.concatenated([batch["view.1"]!, batch["view.2"]!]), in: scope["backbone"])
  }
}

/// A task that compares two views of a picture and is judged by finding each picture's other view among the batch.
///
/// Its figure depends on the batch, in which chance is one.
public protocol ViewPairTask: PretextTask {
  var pair: ViewPair { get }
}

extension ViewPairTask {
  public var frameChoice: FrameChoice? { pair.frameChoice }
  public var needs: Set<ShotNeed> { pair.neighbour ? [.neighbour] : [] }
  public var smallestSide: Int { RandomView.smallestSide }
  public func centralPiece(of image: MaskedImage) -> MaskedImage? { pair.views.centralPiece(of: image) }
  public func classes(labels: [String]) -> [String] { ["its other view", "a view of another picture"] }
  public func fields(side: Int, classes: Int) -> [String: Shape] { pair.fields(side: side) }
  public func chance(batch: Int) -> (share: Double, rule: String)? { (1 / Double(batch), "one of \(batch) pictures of a batch") }

  public func makeExample(from shot: Shot, in context: ExampleContext, using random: inout Philox, into batch: inout ExampleBatch, at place: Int) {
    pair.write(shot, in: context, using: &random, into: &batch, at: place)
  }

  /// `codes [2N,D]`, first views and then second views, are what is compared.
  func objective(loss: Value, codes: Value) -> Objective {
    let count = codes.shape[0] / 2, pairs = codes.rows(0..<count).concatenated(with: [codes.rows(count..<2 * count)], axis: 1)
    return Objective(loss: loss, judged: [(Question(rule: .retrieval, target: nil), pairs)])
  }
}
