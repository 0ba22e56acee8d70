import Graphs
import Host
import Networks
import Tensors

/// Is this picture mirrored? Source: Lin et al., "Visual Chirality", CVPR 2020.
///
/// The mirror comes first, every other step after it, and each of them commutes with mirroring, so that no step can
/// tell the classes apart. Only pixels whose mirror twin is measured too are shown: the outline of a mask like CSPAD's
/// pinwheel would otherwise answer the question without a photon (`showsOneSidedPixels` shows them, for comparison).
///
/// By default the head is antisymmetric, `logit(x) = s(x) − s(Fx)`: mirroring negates the answer exactly, so nothing that is the
/// same in both can be learnt. Source: the spiral-galaxy chirality networks of jwuphysics.
///
/// Validation asks about every picture in both versions.
public struct Flip: PretextTask {
  /// What a mirror exchanges.
  public enum Axis: String, NamedChoice, Hashable, Sendable {
    case leftRight = "left-right"
    case upDown = "up-down"

    public var symmetry: Symmetry { self == .leftRight ? .mirror : .upsideDown }
  }

  public static let name = "flip"
  public var antisymmetric = true
  public var showsOneSidedPixels = false
  public var axis = Axis.leftRight
  /// Equal tiles along each axis that are mirrored in place, one by one: panels of a frame whose map is not known, so that their
  /// arrangement says nothing. 1 mirrors the whole picture, which in a corpus of one picture a panel is a panel.
  public var tiles = 1
  public var jitter = Jitter()

  public init() {}
  public init(
    antisymmetric: Bool, showsOneSidedPixels: Bool = false, axis: Axis = .leftRight, tiles: Int = 1, jitter: Jitter = Jitter()
  ) {
    self.antisymmetric = antisymmetric
    self.showsOneSidedPixels = showsOneSidedPixels
    self.axis = axis
    self.tiles = tiles
    self.jitter = jitter
  }

  public var answers: [Symmetry] { [.identity, axis.symmetry] }
  public var variants: Int { 2 }

  /// Tiles that do not lie where the head mirrors them are no tiles, so with tiles nothing may move pixels.
  public func conflict(with augmentations: [any Augmentation]) -> AnswerConflict? {
    if tiles > 1, let index = augmentations.firstIndex(where: \.movesPixels) {
      return AnswerConflict(index: index, augmentation: type(of: augmentations[index]).name, about: "where tiles lie")
    }
    return answerConflict(with: augmentations)
  }

  public func validate() throws(SettingError) {
    try SettingError.require((1...16).contains(tiles), "tiles", "1 to 16", tiles)
    try jitter.validate()
    try SettingError.require(tiles == 1 || jitter.shift == 0, "jitter.shift", "0 with tiles, which would no longer lie in their places", jitter.shift)
  }

  public func validate(side: Int) throws(SettingError) {
    try SettingError.require(side % tiles == 0, "image size", "a side that \(tiles) tiles divide", side)
  }

  public func classes(labels: [String]) -> [String] { ["as recorded", "mirrored"] }

  public func fields(side: Int, classes: Int) -> [String: Shape] { ["view": [1, side, side], "mirrored": []] }

  public func makeExample(from shot: Shot, in context: ExampleContext, using random: inout Philox, into batch: inout ExampleBatch, at place: Int) {
    let isMirrored = context.answer(of: 2, using: &random) == 1
    let shown = showing(isMirrored ? mirrored(shot.image) : shot.image, context.scaling)
    // Gains of chips draw the outline of the detector, which has a handedness, into every picture: of either hand, whatever the answer.
    let panels = tiles > 1 ? nil : PanelMap.turned(shot.panels, byAnyOf: answers, using: &random)
    context.write(shown, of: shot, panels: panels, jitter, to: &batch, "view", place, using: &random)
    batch.write("mirrored", place) { $0[0] = isMirrored ? 1 : 0 }
  }

  /// The picture as the network sees it: scaled, and without the pixels that have no measured mirror twin.
  public func view(_ image: MaskedImage, _ scaling: InputScaling) -> Tensor<Float> { scaling.channel(showing(image, scaling)) }

  private func showing(_ image: MaskedImage, _ scaling: InputScaling) -> MaskedImage {
    guard !showsOneSidedPixels else { return image }
    guard tiles > 1 else { return image.showingOnlyPixelsMeasured(underAll: answers, minimumWeight: scaling.minimumWeight) }
    let limit = Float(scaling.minimumWeight), twin = mirrored(image.weight)
    return image.masked(to: zip(image.weight.elements, twin.elements).map { $0 >= limit && $1 >= limit })
  }

  /// The mirror image, tile by tile where there are several.
  public func mirrored(_ image: MaskedImage) -> MaskedImage {
    MaskedImage(pixels: mirrored(image.pixels), weight: mirrored(image.weight))
  }

  /// `[H,W] -> [H,W]`; traps where tiles do not divide the sides.
  public func mirrored<Element>(_ image: Tensor<Element>) -> Tensor<Element> { axis.symmetry(image, tiles: tiles) }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    let target = batch["mirrored"]!
    let logits = self.logits(batch["view"]!, backbone: backbone, in: scope)
    return Objective(loss: logits.binaryCrossEntropy(target).mean(), logits: logits, target: "mirrored")
  }

  /// `[N,1,H,W] -> [N]`.
  public func logits(_ view: Value, backbone: some Backbone, in scope: Scope) -> Value {
    judged(view, backbone: backbone, in: scope).logits
  }

  /// The logits `[N]` together with the stages they come from; those hold `2N` maps when the head is antisymmetric: of the
  /// views, then of their mirror images.
  public func judged(_ view: Value, backbone: some Backbone, in scope: Scope) -> (logits: Value, stages: [Value]) {
    let count = view.shape[0]
    let seen = antisymmetric ? Value.concatenated([view, mirrored(view)]) : view
    let encoding = backbone.encoding(of: seen, in: scope["backbone"]), codewords = encoding.codeword
    // Antisymmetry cancels a bias; without it the head needs one.
    let score = Linear(1, bias: !antisymmetric)(codewords, in: scope["head"]).reshaped(to: [codewords.shape[0]])
    return (antisymmetric ? score.rows(0..<count) - score.rows(count..<2 * count) : score, encoding.stages)
  }

  /// `[N,1,H,W] -> [N,1,H,W]`.
  private func mirrored(_ view: Value) -> Value {
    let (count, height, width) = (view.shape[0], view.shape[2], view.shape[3])
    guard tiles > 1 else { return view.mirrored(axis: axis == .leftRight ? 3 : 2) }
    // A tile's rows or columns as an axis of their own.
    return axis == .leftRight
      ? view.reshaped(to: [count, height * tiles, width / tiles]).mirrored(axis: 2).reshaped(to: view.shape)
      : view.reshaped(to: [count * tiles, height / tiles, width]).mirrored(axis: 1).reshaped(to: view.shape)
  }
}
