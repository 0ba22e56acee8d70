import Tensors

/// Orders of nine tiles that differ from each other as much as possible: what a jigsaw network chooses among.
///
/// Greedy after Noroozi and Favaro, ECCV 2016: the first one is drawn; each next one has the largest Hamming distance to the nearest of
/// those before, of these the largest sum of distances, and of these one is drawn. The set for a smaller count is the beginning of the
/// set for a larger one. `Datasets/jigsaw-permutations.txt` is the same list for other software.
public enum JigsawPermutations {
  public static let tiles = 9
  public static let count = 64
  /// The first 64 of seed 1. Made at first use, some tenths of a second.
  public static let standard = greedy(count: count, seed: 1)

  /// `[k][slot]` is the tile that order k shows in a slot.
  public static func greedy(count: Int, seed: UInt64) -> [[Int]] {
    let all = everyOrder(), total = all.count / tiles
    var random = Philox(seed: seed).keyed("jigsaw permutations")
    var nearest = [UInt8](repeating: UInt8(tiles), count: total), sums = [UInt16](repeating: 0, count: total)
    var chosen = [Int.random(in: 0..<total, using: &random)]
    while chosen.count < count {
      let last = Array(all[chosen.last! * tiles..<(chosen.last! + 1) * tiles])
      var best = -1, bestKey = -1, ties = 0
      for index in 0..<total {
        var distance: UInt8 = 0
        for slot in 0..<tiles where all[index * tiles + slot] != last[slot] { distance += 1 }
        nearest[index] = min(nearest[index], distance)
        sums[index] += UInt16(distance)
        let key = Int(nearest[index]) << 16 + Int(sums[index])
        if key > bestKey { (best, bestKey, ties) = (index, key, 1) } else if key == bestKey {
          // Each of n equals is kept with probability 1/n.
          ties += 1
          if Int.random(in: 0..<ties, using: &random) == 0 { best = index }
        }
      }
      chosen.append(best)
    }
    return chosen.map { index in all[index * tiles..<(index + 1) * tiles].map(Int.init) }
  }

  /// All 9! orders in lexicographic order, one after the other.
  private static func everyOrder() -> [UInt8] {
    var order = (0..<UInt8(tiles)).map { $0 }, all = order
    while let pivot = order.indices.dropLast().last(where: { order[$0] < order[$0 + 1] }) {
      order.swapAt(pivot, order.indices.last { order[$0] > order[pivot] }!)
      order[(pivot + 1)...].reverse()
      all += order
    }
    return all
  }
}
