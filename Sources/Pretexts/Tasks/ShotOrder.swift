import Graphs
import Networks
import Tensors

/// Which of two neighbouring shots came later? After Misra, Zitnick and Hebert, "Shuffle and learn", ECCV 2016.
///
/// The head is antisymmetric: `logit(a, b) = s(a, b) − s(b, a)`, so exchanging the shots negates the answer. Pixels are shown where both
/// shots are measured. What remains is drift: of the beam, of pedestals, of a sample that burns; chance where shots are independent.
public struct ShotOrder: PretextTask {
  public static let name = "shot-order"
  /// Width of the layer that sees both codewords.
  public var hidden = 64
  /// Drawn for each shot by itself.
  public var jitter = Jitter()

  public init() {}

  public var asks: Set<Transformation> { [.shotOrder] }
  public var needs: Set<ShotNeed> { [.neighbour] }
  public var variants: Int { 2 }

  public func validate() throws(SettingError) {
    try SettingError.require((1...4096).contains(hidden), "hidden", "1 to 4096", hidden)
    try jitter.validate()
  }

  public func classes(labels: [String]) -> [String] { ["the first is later", "the second is later"] }

  public func fields(side: Int, classes: Int) -> [String: Shape] {
    ["shot.1": [1, side, side], "shot.2": [1, side, side], "second": []]
  }

  public func makeExample(from shot: Shot, in context: ExampleContext, using random: inout Philox, into batch: inout ExampleBatch, at place: Int) {
    guard let neighbour = shot.neighbour else { preconditionFailure("shot-order needs a neighbouring shot") }
    let secondIsLater = context.answer(of: 2, using: &random) == 1, limit = Float(context.scaling.minimumWeight)
    let shown = zip(shot.image.weight.elements, neighbour.image.weight.elements).map { $0 >= limit && $1 >= limit }
    let images = [shot.image.masked(to: shown), neighbour.image.masked(to: shown)]
    for (name, image) in zip(["shot.1", "shot.2"], secondIsLater == neighbour.isLater ? images : images.reversed()) {
      context.write(image, of: shot, panels: shot.panels, jitter, to: &batch, name, place, using: &random)
    }
    batch.write("second", place) { $0[0] = secondIsLater ? 1 : 0 }
  }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    let seen = Value.concatenated([batch["shot.1"]!, batch["shot.2"]!]), count = seen.shape[0] / 2, head = scope["head"]
    let codewords = backbone.codewords(seen, in: scope["backbone"])
    let first = codewords.rows(0..<count), second = codewords.rows(count..<2 * count)
    func score(_ a: Value, _ b: Value) -> Value {
      Linear(1, bias: false)(Linear(hidden)(a.concatenated(with: [b], axis: 1), in: head["0"]).relu(), in: head["1"]).reshaped(to: [count])
    }
    let logits = score(first, second) - score(second, first), target = batch["second"]!
    return Objective(loss: logits.binaryCrossEntropy(target).mean(), logits: logits, target: "second")
  }
}
