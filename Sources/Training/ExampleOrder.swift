import Tensors

/// Which picture each example is of, and which examples are asked together: by themselves in a shuffled order, so that a few examples are of all
/// sources and runs; or, where the answer is looked for among a batch, in batches as training composes them. What audits ask, and what validation asks among a batch.
package struct ExampleOrder: Sendable {
  package struct Place: Sendable, Hashable {
    package var picture: Int
    /// Another one of the same picture is another example.
    package var look: Int
    package var variant: Int?
    package var group: Int?
  }

  private let count: Int
  private let variants: Int
  /// Examples that are asked together; `nil` where each is asked by itself. No picture is among them twice.
  package let group: Int?
  /// The pictures of each run, and of how many runs a batch is, where that is part of the task.
  private let runs: [[Int]]
  private let runsABatch: Int?

  /// - Parameters:
  ///   - runs: of each picture.
  ///   - batch: how many are asked together, if there are so many; `nil` where each is asked by itself.
  ///   - runsABatch: of as many runs, if there are so many; batches are as small as the smallest of the largest runs asks for.
  package init(runs pictureRuns: [Int], variants: Int, batch: Int?, runsABatch: Int?) {
    (count, self.variants) = (pictureRuns.count, variants)
    let byRun = Dictionary(grouping: pictureRuns.indices) { pictureRuns[$0] }.sorted { $0.key < $1.key }.map(\.value)
    guard let batch else {
      (group, runs, self.runsABatch) = (nil, [], nil)
      return
    }
    guard let wanted = runsABatch, !byRun.isEmpty else {
      (group, runs, self.runsABatch) = (min(batch, count), [], nil)
      return
    }
    let several = min(wanted, byRun.count), sizes = byRun.map(\.count).sorted(by: >)
    (group, runs, self.runsABatch) = (min(batch, several * sizes[several - 1]), byRun, several)
  }

  /// Examples that are asked, or belong, together.
  package var unit: Int { max(1, group ?? variants) }

  /// Examples `range`, which begins with a whole batch where there are batches.
  package func places(_ range: Range<Int>, seed: UInt64) -> [Place] {
    guard let group, group > 0 else {
      var random = Philox(seed: seed, 73)
      let order = Array(0..<count).shuffled(using: &random)
      return range.map { number in
        let look = number / variants
        return Place(picture: order[look % count], look: look / count, variant: variants > 1 ? number % variants : nil)
      }
    }
    precondition(range.lowerBound % group == 0, "examples from \(range.lowerBound) on begin within a batch of \(group)")
    var places: [Place] = [], epoch = -1, shuffled: [Int] = []
    for block in range.lowerBound / group..<(range.upperBound + group - 1) / group {
      var random = Philox(seed: seed, 71, UInt64(block))
      let pictures: [Int]
      if let runsABatch {
        // There are as many such runs: the batch was made that small.
        do { pictures = try RunDraw.pictures(group, ofRuns: runsABatch, among: runs, using: &random) } catch {
          preconditionFailure("batches of \(group) from \(runsABatch) runs that have less than \(error.size) pictures")
        }
      } else {
        let perEpoch = max(1, count / group)
        if block / perEpoch != epoch {
          epoch = block / perEpoch
          var random = Philox(seed: seed, 72, UInt64(epoch))
          shuffled = Array(0..<count).shuffled(using: &random)
        }
        pictures = Array(shuffled[block % perEpoch * group..<(block % perEpoch + 1) * group])
      }
      places += pictures.map { Place(picture: $0, look: block, variant: nil, group: block) }
    }
    return Array(places.prefix(range.count))
  }
}
