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
    from image: MaskedImage, answer: Int?, scaling: InputScaling, augmenting: Bool, using random: inout Philox,
    into batch: inout ExampleBatch, at place: Int
  ) {
    let isMirrored = random.next() & 1 == 1, shown = isMirrored ? Symmetry.mirror(image) : image
    batch.write("view", place) { view in
      write(shown, scaling, into: &view)
      if augmenting { jitter.apply(to: &view, height: image.height, width: image.width, using: &random) }
    }
    batch.write("mirrored", place) { $0[0] = isMirrored ? 1 : 0 }
  }

  /// The picture as the network sees it: scaled, and without the pixels that have no measured mirror twin.
  public func view(_ image: MaskedImage, _ scaling: InputScaling) -> Tensor<Float> {
    var view = Tensor<Float>(repeating: 0, [1, image.height, image.width])
    var span = view.elements.mutableSpan
    write(image, scaling, into: &span)
    return view
  }

  private func write(_ image: MaskedImage, _ scaling: InputScaling, into view: inout MutableSpan<Float>) {
    scaling.write(image, into: &view)
    guard !showsOneSidedPixels else { return }
    let limit = Float(scaling.minimumWeight), weight = image.weight.elements.span, width = image.width
    for row in stride(from: 0, to: view.count, by: width) {
      for column in 0..<width where weight[row + width - 1 - column] < limit { view[row + column] = 0 }
    }
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
