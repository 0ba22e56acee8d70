import Graphs
import Networks
import Tensors

/// In which order were nine tiles laid? Source: Noroozi and Favaro, "Unsupervised learning of visual representations by solving jigsaw
/// puzzles", ECCV 2016. The orders are `JigsawPermutations`.
///
/// Each tile is a part of its cell of a 3×3 grid at a random place, so that edges do not go on from one to the next, and is normalised by
/// itself. One network sees the tiles one by one; only the head sees them together.
public struct Jigsaw: PretextTask {
  public static let name = "jigsaw"
  /// Orders to choose among, the first ones of the published list.
  public var permutations = 64
  /// Side of a tile as a share of its cell.
  public var share = 0.75
  public var margin = 0.03
  /// Numbers that the head keeps of each tile, and of all.
  public var reduced = 32
  public var hidden = 128
  /// σ of independent noise, in units of the tile's own deviation.
  public var noise = 0.05

  public init() {}

  public var asks: Set<Transformation> { [.tileOrder] }
  public var smallestSide: Int { (10...8192).first { tileSide(of: $0) >= 6 } ?? 8192 }
  public func viewSides(of side: Int) -> [Int] { [tileSide(of: side)] }

  public func validate() throws(SettingError) {
    try SettingError.require((2...JigsawPermutations.count).contains(permutations), "permutations", "2 to \(JigsawPermutations.count)", permutations)
    try SettingError.require((0.25...1).contains(share), "share", "0.25 to 1", share)
    try SettingError.require((0...0.25).contains(margin), "margin", "0 to 0.25", margin)
    try SettingError.require((1...4096).contains(reduced), "reduced", "1 to 4096", reduced)
    try SettingError.require((1...4096).contains(hidden), "hidden", "1 to 4096", hidden)
    try SettingError.require(noise >= 0 && noise.isFinite, "noise", "0 or more", noise)
  }

  /// The tiles in reading order, counted from 0.
  public func classes(labels: [String]) -> [String] {
    JigsawPermutations.standard.prefix(permutations).map { $0.map(String.init).joined() }
  }

  private func edge(of side: Int) -> Int { Int((margin * Double(side)).rounded()) }
  private func cellSide(of side: Int) -> Int { (side - 2 * edge(of: side)) / 3 }
  private func tileSide(of side: Int) -> Int { Int(share * Double(cellSide(of: side))) }

  public func fields(side: Int, classes: Int) -> [String: Shape] {
    let tile = tileSide(of: side)
    return ["tiles": [9, 1, tile, tile], "order": [permutations]]
  }

  public func makeExample(from shot: Shot, in context: ExampleContext, using random: inout Philox, into batch: inout ExampleBatch, at place: Int) {
    let answer = Int.random(in: 0..<permutations, using: &random), order = JigsawPermutations.standard[answer], side = shot.image.width
    precondition(shot.image.height == side && side >= smallestSide, "tiles are cut out of squares of at least \(smallestSide), got \(shot.image.pixels.shape)")
    let cell = cellSide(of: side), tile = tileSide(of: side)
    let places = (0..<9).map { _ in (Int.random(in: 0...cell - tile, using: &random), Int.random(in: 0...cell - tile, using: &random)) }
    batch.write("tiles", place) { tiles in
      for (slot, shown) in order.enumerated() {
        let row = edge(of: side) + shown / 3 * cell + places[shown].0, column = edge(of: side) + shown % 3 * cell + places[shown].1
        let pixels = context.patch(of: shot, row: row, column: column, side: tile, using: &random)
        for i in pixels.indices { tiles[slot * tile * tile + i] = pixels[i] }
      }
      if context.isAugmenting { Jitter.addNoise(Float(noise), to: &tiles, using: &random) }
    }
    batch.writeOneHot("order", place, answer: answer)
  }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    let codewords = backbone.codewords(ofEach: batch["tiles"]!, in: scope["backbone"]), target = batch["order"]!
    let (count, width) = (codewords.shape[0], codewords.shape[2])
    let tiles = Linear(reduced)(codewords.reshaped(to: [count * 9, width]), in: scope["head"]["0"]).relu()
    let all = Linear(hidden)(tiles.reshaped(to: [count, 9 * reduced]), in: scope["head"]["1"]).relu()
    let logits = Linear(permutations)(all, in: scope["head"]["2"])
    return Objective(loss: logits.crossEntropy(target).mean(), logits: logits, target: "order")
  }
}
