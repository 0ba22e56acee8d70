import Engine
import Graphs
import Host
import Networks
import Pretexts
import Tensors
import Training

/// A backbone with its numbers, and how a picture becomes its input: what is judged by transfer.
public struct Trunk: Sendable {
  /// What a table calls it, such as `flip` or `random`.
  public let family: String
  public let seed: UInt64
  public let backbone: any Backbone
  /// Laid out for the backbone's parameters under `backbone`.
  public let weights: Weights
  public let scaling: InputScaling
  /// Side of the square pictures, pixels.
  public let side: Int

  public init(family: String, seed: UInt64, backbone: any Backbone, weights: Weights, scaling: InputScaling, side: Int) {
    precondition(weights.slots.allSatisfy { $0.path.hasPrefix("backbone.") }, "a trunk has parameters of the backbone only")
    self.family = family
    self.seed = seed
    self.backbone = backbone
    self.weights = weights
    self.scaling = scaling
    self.side = side
  }

  /// The trunk of a trained network, without its head.
  public init(family: String, _ checkpoint: Checkpoint, path: String) throws(InputError) {
    let description = checkpoint.description, backbone = try description.recipe.backbone.backbone(path: path)
    var weights = Trunk.layout(of: backbone, side: description.side)
    for slot in weights.slots { weights[slot.path] = checkpoint.weights[slot.path] }
    self.init(
      family: family, seed: description.recipe.seed, backbone: backbone, weights: weights, scaling: description.scaling,
      side: description.side)
  }

  /// A trunk that has learnt nothing: fresh weights.
  ///
  /// Its running means and variances are those of `images`, as a trained trunk's are of its own: with the fresh 0 and 1 its
  /// rectifiers would be mostly shut or open, and a pretext would look better than it is. Cost: one pass over `images`.
  public static func random(
    _ backbone: any Backbone, seed: UInt64, scaling: InputScaling, images: [MaskedImage], precision: Precision = .float32
  ) throws -> Trunk {
    precondition(!images.isEmpty, "a trunk needs pictures to fit its running statistics to")
    let side = images[0].height, batch = min(32, images.count)
    let builder = GraphBuilder(), scope = Scope(builder, mode: .training)
    let image = builder.input("image", [batch, 1, side, side])
    let codewords = backbone.codewords(image, in: scope["backbone"])
    let program = Program(
      inputs: ["image": image].merging(scope.inputs) { own, _ in own }, parameters: scope.parameters, outputs: ["codewords": codewords],
      updates: scope.updates)
    let plan = try Plan(program, precision: precision)
    var weights = scope.initialWeights(seed: seed), gradients = Weights(scope.parameters), random = Philox(seed: seed, 7)
    let order = images.indices.shuffled(using: &random)
    // With momentum 0.1, 40 batches leave 1.5 % of the fresh statistics.
    for step in 0..<40 {
      let chosen = (0..<batch).map { images[order[(step * batch + $0) % order.count]] }
      let fields = ["image": Tensor.stacked(chosen.map { scaling.channel($0) })]
      _ = try plan.run(fields.merging(program.maskFields(seed: seed, step: step)) { own, _ in own }, &weights, gradients: &gradients)
    }
    return Trunk(family: "random", seed: seed, backbone: backbone, weights: weights, scaling: scaling, side: side)
  }

  /// A random trunk for each seed of `trunks`, of the backbone and scaling of the first that has it: what each has to beat.
  public static func random(beside trunks: [Trunk], images: [MaskedImage]) throws -> [Trunk] {
    try Set(trunks.map(\.seed)).sorted().map { seed in
      let like = trunks.first { $0.seed == seed }!
      return try random(like.backbone, seed: seed, scaling: like.scaling, images: images)
    }
  }

  /// Zeros for every parameter of `backbone`.
  static func layout(of backbone: any Backbone, side: Int) -> Weights {
    let builder = GraphBuilder(), scope = Scope(builder, mode: .inference)
    _ = backbone.encoding(of: builder.input("image", [1, 1, side, side]), in: scope["backbone"])
    return Weights(scope.parameters)
  }
}
