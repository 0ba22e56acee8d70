/// Which pictures go into which shard: fixed by the survey, so that every shard can be made by itself, on any machine.
///
/// The units of a split fill its shards in the order of the survey, each with as many as give `length` pictures. Pictures that are
/// refused later make their shard shorter and move no other one.
struct ShardPlan: Sendable {
  /// Global unit -> shard of its split.
  let shards: [Int32]
  /// Shards of each split.
  let counts: [Split: Int]

  init(_ survey: Survey, length: Int) {
    var shards: [Int32] = [], counts: [Split: Int] = [:], filled: [Split: Int] = [:]
    shards.reserveCapacity(survey.unitCount)
    for source in survey.sources {
      for file in source.files {
        for unit in source.units[file.units] {
          let split = unit.split
          if filled[split] == nil {
            filled[split] = 0
            counts[split, default: 0] += 1
          }
          shards.append(Int32(counts[split, default: 1] - 1))
          filled[split, default: 0] += file.picturesPerUnit
          if filled[split, default: 0] >= length { filled[split] = nil }
        }
      }
    }
    (self.shards, self.counts) = (shards, counts)
  }

  func key(ofUnit index: Int, _ split: Split) -> ShardKey { ShardKey(split: split, number: Int(shards[index])) }

  /// Every shard, split by split.
  var all: [ShardKey] {
    Split.allCases.flatMap { split in (0..<counts[split, default: 0]).map { ShardKey(split: split, number: $0) } }
  }

  /// What process `rank` of several makes: a stretch of `all`, so that it reads neighbouring raw files.
  func share(of rank: BuildRank) -> Set<ShardKey> {
    let all = all
    return Set(all[all.count * rank.number / rank.count..<all.count * (rank.number + 1) / rank.count])
  }
}

struct ShardKey: Hashable, Sendable {
  let split: Split
  let number: Int

  /// `train-00003`
  var name: String {
    let digits = String(number)
    return "\(split.rawValue)-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }

  var file: String { "shards/\(name).h5" }
}
