import Foundation
import Tensors

/// A measured figure with its uncertainty; never a bare number.
public struct Score: Codable, Hashable, Sendable, CustomStringConvertible {
  /// What was measured, such as `balanced accuracy`.
  public let metric: String
  public let value: Double
  /// For one seed: the sampling error of a test set of `count` examples.
  /// For several seeds: the standard error of the mean over seeds (their standard deviation / √seeds).
  public let standardError: Double
  /// Test examples behind each seed.
  public let count: Int
  /// The seeds that were averaged, in order; `nil` where no random number was drawn.
  public let seeds: [UInt64]?
  /// For several seeds: the mean of the seeds' own sampling errors. All seeds share one test set, whose error
  /// averaging does not remove: a claim has to exceed both. `nil` for one seed.
  public let withinSeedStandardError: Double?
  /// What a detector without information reaches.
  public let chance: Double?
  /// Whatever a reader has to know before using the value.
  public let notes: [String]

  public init(
    metric: String, value: Double, standardError: Double, count: Int, seeds: [UInt64]? = nil,
    withinSeedStandardError: Double? = nil, chance: Double? = nil, notes: [String] = []
  ) {
    self.metric = metric
    self.value = value
    self.standardError = standardError
    self.count = count
    self.seeds = seeds
    self.withinSeedStandardError = withinSeedStandardError
    self.chance = chance
    self.notes = notes
  }

  /// The larger of the two standard errors: the one to compare a difference with.
  public var largerStandardError: Double { max(standardError, withinSeedStandardError ?? 0) }

  /// (value − chance) / `largerStandardError`; `nil` where no chance level is known.
  public var sigmasAboveChance: Double? { chance.map { (value - $0) / largerStandardError } }

  /// `0.873 ± 0.021 (n = 240, 3 seeds)`, with the larger of the two standard errors.
  public var description: String {
    var facts = ["n = \(count)"]
    if let seeds, seeds.count > 1 { facts.append("\(seeds.count) seeds") }
    return String(format: "%.3f ± %.3f", value, largerStandardError) + " (" + facts.joined(separator: ", ") + ")"
  }
}

extension Score {
  /// Accuracy from a count: p = right/count with binomial standard error √(p(1-p)/n).
  ///
  /// With nothing or everything right that formula gives 0, which no finite test set can promise; there p is replaced
  /// by (right + ½)/(n + 1), the mean under Jeffreys' prior, in the error only. Traps unless 0 ≤ right ≤ count, count > 0.
  public static func accuracy(
    right: Int, of count: Int, chance: Double? = nil, seed: UInt64? = nil, metric: String = "accuracy"
  ) -> Score {
    Score(
      metric: metric, value: Double(right) / Double(count), standardError: binomialVariance(right, count).squareRoot(),
      count: count, seeds: seed.map { [$0] }, chance: chance)
  }

  /// The mean over classes of the share of each class that was recognised; chance is 1/classes, whatever the imbalance.
  ///
  /// Standard error: √(Σ var(recall_c))/C. Where `groups` (runs) are given and more than one, examples of a group may err
  /// together: the error is the larger of that and the cluster-robust one, √(G/(G-1) Σ_g u_g²) with
  /// u_g = Σ_{i in g} (right_i − recall_{c(i)})/(C·n_{c(i)}). Classes without a test example do not count.
  /// Traps on unequal or empty arrays.
  public static func balancedAccuracy(predicted: [Int], truth: [Int], groups: [Int]? = nil, seed: UInt64? = nil) -> Score {
    precondition(predicted.count == truth.count && !truth.isEmpty, "\(predicted.count) predictions for \(truth.count) labels")
    var totals: [Int: Int] = [:], rights: [Int: Int] = [:]
    for (guess, label) in zip(predicted, truth) {
      totals[label, default: 0] += 1
      if guess == label { rights[label, default: 0] += 1 }
    }
    let classes = totals.keys.sorted(), share = 1 / Double(classes.count)
    var value = 0.0, variance = 0.0
    for label in classes {
      value += share * Double(rights[label, default: 0]) / Double(totals[label, default: 0])
      variance += share * share * binomialVariance(rights[label, default: 0], totals[label, default: 0])
    }
    if let groups {
      let influence = influences(predicted: predicted, truth: truth, groups: groups)
      if influence.count > 1 {
        let g = Double(influence.count), sum = influence.sorted { $0.key < $1.key }.reduce(0) { $0 + $1.value * $1.value }
        variance = max(variance, g / (g - 1) * sum)
      }
    }
    return Score(
      metric: "balanced accuracy", value: value, standardError: variance.squareRoot(), count: truth.count,
      seeds: seed.map { [$0] }, chance: share)
  }

  /// What each group adds to the balanced accuracy: the u_g of `balancedAccuracy`, which sum to 0. Traps on unequal arrays.
  package static func influences(predicted: [Int], truth: [Int], groups: [Int]) -> [Int: Double] {
    precondition(groups.count == truth.count && predicted.count == truth.count, "\(predicted.count) predictions and \(groups.count) groups for \(truth.count) labels")
    let members = Dictionary(grouping: truth.indices) { truth[$0] }
    var influence: [Int: Double] = [:]
    for (label, own) in members.sorted(by: { $0.key < $1.key }) {
      let n = Double(own.count), recall = Double(own.count { predicted[$0] == label }) / n
      for i in own { influence[groups[i], default: 0] += ((predicted[i] == label ? 1 : 0) - recall) / (Double(members.count) * n) }
    }
    return influence
  }

  /// The mean of one metric over seeds, with the standard error over seeds and, beside it, the mean within-seed error.
  ///
  /// `count` is the smallest count of any seed; notes are joined, each once. One score is returned as it is.
  /// Traps when there is none, when the metrics or chance levels differ, or when a seed is unknown.
  public static func combined(_ scores: [Score]) -> Score {
    guard let first = scores.first else { preconditionFailure("no scores to combine") }
    guard scores.count > 1 else { return first }
    var notes: [String] = [], seeds: [UInt64] = []
    for score in scores {
      precondition(score.metric == first.metric, "cannot average \(score.metric) with \(first.metric)")
      precondition(score.chance == first.chance, "cannot average scores of different chance levels")
      guard let own = score.seeds else { preconditionFailure("a score without a seed cannot be averaged over seeds") }
      seeds += own
      notes += score.notes.filter { !notes.contains($0) }
    }
    precondition(Set(seeds).count == seeds.count, "a seed appears twice: \(seeds)")
    return Score(
      metric: first.metric, value: Statistics.mean(scores.map(\.value)),
      standardError: Statistics.standardError(scores.map(\.value)),
      count: scores.reduce(first.count) { min($0, $1.count) }, seeds: seeds,
      withinSeedStandardError: Statistics.mean(scores.map { $0.withinSeedStandardError ?? $0.standardError }),
      chance: first.chance, notes: notes)
  }

  /// The same score with a note added.
  public func noting(_ note: String) -> Score {
    Score(
      metric: metric, value: value, standardError: standardError, count: count, seeds: seeds,
      withinSeedStandardError: withinSeedStandardError, chance: chance, notes: notes + [note])
  }

  private static func binomialVariance(_ right: Int, _ count: Int) -> Double {
    precondition(count > 0 && (0...count).contains(right), "\(right) right of \(count)")
    let p = right == 0 || right == count ? (Double(right) + 0.5) / (Double(count) + 1) : Double(right) / Double(count)
    return p * (1 - p) / Double(count)
  }
}
