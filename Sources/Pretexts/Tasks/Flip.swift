import Graphs
import Networks
import Tensors

/// Is this picture mirrored? Source: Lin et al., "Visual Chirality", CVPR 2020.
///
/// The mirror comes first, every other step after it, and each of them commutes with mirroring, so that no step can
/// tell the classes apart. Only pixels whose mirror twin is measured too are shown: the outline of a mask like CSPAD's
/// pinwheel would otherwise answer the question without a photon (`showsOneSidedPixels` shows them, for comparison).
///
/// By default the head is antisymmetric, `logit(x) = s(x) − s(Fx)`: swapping left and right negates the answer exactly, so
/// nothing that is the same in both can be learnt. Source: the spiral-galaxy chirality networks of jwuphysics.
public struct Flip: PretextTask {
  public static let name = "flip"
  public var antisymmetric = true
  public var showsOneSidedPixels = false
  public var jitter = Jitter()

  public init() {}
  public init(antisymmetric: Bool, showsOneSidedPixels: Bool = false, jitter: Jitter = Jitter()) {
    self.antisymmetric = antisymmetric
    self.showsOneSidedPixels = showsOneSidedPixels
    self.jitter = jitter
  }

  public func validate() throws(SettingError) { try jitter.validate() }

  public func classes(labels: [String]) -> [String] { ["as recorded", "mirrored"] }

  public func fields(side: Int, classes: Int) -> [String: Shape] { ["view": [1, side, side], "mirrored": []] }

  public func makeExample(
    from image: MaskedImage, answer: Int?, classes: Int, scaling: InputScaling, augmenting: Bool, using random: inout Philox
  ) -> [String: Tensor<Float>] {
    let isMirrored = random.next() & 1 == 1
    var view = self.view(isMirrored ? Symmetry.mirror(image) : image, scaling)
    if augmenting { jitter.apply(to: &view, using: &random) }
    return ["view": view, "mirrored": Tensor([], [isMirrored ? 1 : 0])]
  }

  /// The picture as the network sees it: scaled, and without the pixels that have no measured mirror twin.
  public func view(_ image: MaskedImage, _ scaling: InputScaling) -> Tensor<Float> {
    guard !showsOneSidedPixels else { return scaling.channel(image) }
    let measured = scaling.isMeasured(image), width = image.width
    return scaling.channel(image, showing: measured.indices.map { measured[$0 / width * width + (width - 1 - $0 % width)] })
  }

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
    let seen = antisymmetric ? Value.concatenated([view, view.mirrored()]) : view
    let encoding = backbone.encoding(of: seen, in: scope["backbone"]), codewords = encoding.codeword
    // Antisymmetry cancels a bias; without it the head needs one.
    let score = Linear(1, bias: !antisymmetric)(codewords, in: scope["head"]).reshaped(to: [codewords.shape[0]])
    return (antisymmetric ? score.rows(0..<count) - score.rows(count..<2 * count) : score, encoding.stages)
  }
}
