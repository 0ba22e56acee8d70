import Foundation
import Graphs
import Networks
import Tensors

/// By how many quarter turns is this view turned? Asked of as many views as wanted of one rich frame, or of a handful.
/// Source: Asano, Rupprecht and Vedaldi, "A critical analysis of self-supervision, or what we can learn from a single image",
/// ICLR 2020; rotation prediction after Gidaris, Singh and Komodakis, ICLR 2018.
///
/// Views are those of `RandomView`, turned by exact quarter turns before contrast, brightness and noise. Pixels are shown only
/// where all four quarter turns of the view are measured: neither the making of a view nor the outline of a mask can tell the
/// answer. What the detector itself does along rows or columns can. Other questions about such views: `simclr`, `prototypes`.
///
/// Without augmenting (the fixed examples of validation) a view is the whole picture, turned.
public struct SingleImage: PretextTask {
  public static let name = "single-image"
  /// The frames of the training split that are used; `count: 0` without records for all.
  public var frames = FrameChoice()
  // The settings of `RandomView`, which recipes have at this level since before there were other tasks with views.
  public var smallestArea = RandomView().smallestArea
  public var largestArea = RandomView().largestArea
  public var aspect = RandomView().aspect
  public var rotation = RandomView().rotation
  public var shear = RandomView().shear
  public var mirrors = RandomView().mirrors
  public var contrast = RandomView().contrast
  public var brightness = RandomView().brightness
  public var noise = RandomView().noise
  public var minimumCoverage = RandomView().minimumCoverage

  public init() {}

  public var frameChoice: FrameChoice? { frames.count > 0 || !frames.records.isEmpty ? frames : nil }
  public var smallestSide: Int { RandomView.smallestSide }
  public var answers: [Symmetry] { Symmetry.rotations }

  var views: RandomView {
    var views = RandomView()
    (views.smallestArea, views.largestArea, views.aspect) = (smallestArea, largestArea, aspect)
    (views.rotation, views.shear, views.mirrors) = (rotation, shear, mirrors)
    (views.contrast, views.brightness, views.noise) = (contrast, brightness, noise)
    views.minimumCoverage = minimumCoverage
    return views
  }

  public func validate() throws(SettingError) {
    try SettingError.require(frames.count >= 0, "frames.count", "0 or more", frames.count)
    try views.validate()
    // A shear by φ turns the picture by as much as atan(tan φ / 2); two degrees beyond half a quarter turn are borne.
    let most = 47 - atan(tan(shear * .pi / 180) / 2) * 180 / .pi
    try SettingError.require(
      rotation <= most, "rotation", String(format: "at most %.0f with a shear of %g: views that are turned by more look like the next answer", most, shear),
      rotation)
  }

  public func centralPiece(of image: MaskedImage) -> MaskedImage? { views.centralPiece(of: image) }

  public func classes(labels: [String]) -> [String] { WhichSymmetry.turns }

  public func fields(side: Int, classes: Int) -> [String: Shape] { ["view": [1, side, side], "turns": [4]] }

  public func makeExample(from shot: Shot, in context: ExampleContext, using random: inout Philox, into batch: inout ExampleBatch, at place: Int) {
    let side = shot.image.width, turns = context.answer(of: 4, using: &random)
    precondition(shot.image.height == side && side >= smallestSide, "single-image needs squares of at least \(smallestSide), got \(shot.image.pixels.shape)")
    let upright = context.isAugmenting
      ? views.piece(of: shot.image, context.scaling, shownUnder: answers, using: &random)
      : shot.image.showingOnlyPixelsMeasured(underAll: answers, minimumWeight: context.scaling.minimumWeight)
    let view = context.augmented(answers[turns](upright), of: shot, panels: nil, using: &random)
    views.write(view, in: context, to: &batch, "view", place, using: &random)
    batch.writeOneHot("turns", place, answer: turns)
  }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    let logits = Linear(4)(backbone.codewords(batch["view"]!, in: scope["backbone"]), in: scope["head"])
    return Objective(loss: logits.crossEntropy(batch["turns"]!).mean(), logits: logits, target: "turns")
  }
}
