import Graphs
import Networks
import Tensors

/// In which of eight directions does the second patch lie from the first? Source: Doersch, Gupta and Efros, "Unsupervised visual
/// representation learning by context prediction", ICCV 2015.
///
/// Between the patches lies a gap, and both are jittered, so that lines that go on from one to the other do not answer; each patch
/// is normalised by itself. The first patch lies anywhere where all eight neighbours fit, so its place does not answer; patches are smaller than they
/// could be, so that this is a wide place: were it always the middle, the second patch's place in the frame alone would answer.
public struct PatchDirection: PretextTask {
  public static let name = "patch-direction"
  /// Between neighbouring patches, in sides of a patch.
  public var gap = 0.5
  /// The farthest shift of a patch along each axis, in sides of a patch.
  public var jitter = 0.15
  /// Share of the side that is cut off all around.
  public var margin = 0.03
  /// Side of a patch as a share of the largest one that fits with its neighbours. The first patch then has 1 − `share` of the frame to lie in.
  public var share = 0.75
  /// Width of the layer that sees both codewords.
  public var hidden = 128
  /// σ of independent noise, in units of the patch's own deviation.
  public var noise = 0.05

  public init() {}

  public var asks: Set<Transformation> { [.tileOrder] }
  public var variants: Int { 8 }
  public var smallestSide: Int { (10...8192).first { patchSide(of: $0) >= 6 } ?? 8192 }
  public func viewSides(of side: Int) -> [Int] { [patchSide(of: side)] }

  public func validate() throws(SettingError) {
    try SettingError.require((0...2).contains(gap), "gap", "0 to 2", gap)
    try SettingError.require(jitter >= 0 && jitter <= gap / 2, "jitter", "0 to half the gap", jitter)
    try SettingError.require((0...0.25).contains(margin), "margin", "0 to 0.25", margin)
    try SettingError.require(share > 0 && share <= 0.9, "share", "above 0, at most 0.9, so that the first patch has where to lie", share)
    try SettingError.require((1...4096).contains(hidden), "hidden", "1 to 4096", hidden)
    try SettingError.require(noise >= 0 && noise.isFinite, "noise", "0 or more", noise)
  }

  /// Row by row around the first patch.
  public func classes(labels: [String]) -> [String] {
    ["above left", "above", "above right", "left", "right", "below left", "below", "below right"]
  }

  /// Three patches, two gaps and the jitter on both ends have to fit beside each other.
  private func patchSide(of side: Int) -> Int { max(0, Int(share * Double(side - 2 * edge(of: side)) / (3 + 2 * gap + 2 * jitter))) }
  private func edge(of side: Int) -> Int { Int((margin * Double(side)).rounded()) }

  public func fields(side: Int, classes: Int) -> [String: Shape] {
    let patch = patchSide(of: side)
    return ["patches": [2, 1, patch, patch], "direction": [8]]
  }

  public func makeExample(from shot: Shot, in context: ExampleContext, using random: inout Philox, into batch: inout ExampleBatch, at place: Int) {
    let answer = context.answer(of: 8, using: &random), side = shot.image.width
    precondition(shot.image.height == side && side >= smallestSide, "patches are cut out of squares of at least \(smallestSide), got \(shot.image.pixels.shape)")
    let patch = patchSide(of: side), reach = Int(jitter * Double(patch)), step = patch + Int((gap * Double(patch)).rounded(.down))
    let cell = answer < 4 ? answer : answer + 1, down = cell / 3 - 1, right = cell % 3 - 1
    // The first patch's place, so that every neighbour with its jitter lies within the margin.
    let low = edge(of: side) + step + reach, high = side - edge(of: side) - patch - step - reach
    let row = Int.random(in: low...max(low, high), using: &random), column = Int.random(in: low...max(low, high), using: &random)
    func shift() -> Int { Int.random(in: -reach...reach, using: &random) }
    let places = [(row + shift(), column + shift()), (row + down * step + shift(), column + right * step + shift())]
    batch.write("patches", place) { patches in
      for (index, (top, left)) in places.enumerated() {
        let pixels = context.patch(of: shot, row: top, column: left, side: patch, using: &random)
        for i in pixels.indices { patches[index * patch * patch + i] = pixels[i] }
      }
      if context.isAugmenting { Jitter.addNoise(Float(noise), to: &patches, using: &random) }
    }
    batch.writeOneHot("direction", place, answer: answer)
  }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    let codewords = backbone.codewords(ofEach: batch["patches"]!, in: scope["backbone"]), target = batch["direction"]!
    let pair = Linear(hidden)(codewords.flattened(), in: scope["head"]["0"]).relu()
    let logits = Linear(8)(pair, in: scope["head"]["1"])
    return Objective(loss: logits.crossEntropy(target).mean(), logits: logits, target: "direction")
  }
}

extension Backbone {
  /// Codewords of several views an example, all by the same network: `[N,V,1,H,W] -> [N,V,D]`.
  func codewords(ofEach views: Value, in scope: Scope) -> Value {
    let shape = views.shape, (count, each) = (shape[0], shape[1])
    let codewords = self.codewords(views.reshaped(to: [count * each, 1, shape[3], shape[4]]), in: scope)
    return codewords.reshaped(to: [count, each, codewords.shape[1]])
  }
}
