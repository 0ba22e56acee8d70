import Evaluation
import Foundation
import Tensors

/// Which examples were answered right, and what they have in common.
public struct AnswerSheet: Sendable {
  /// What guessing reaches.
  public enum Guess: Hashable, Sendable {
    case share(Double)
    /// The share of the most frequent answer: of answers that the corpus gives, and not evenly.
    case mostFrequent
  }

  public let guess: Guess
  /// 1 for right, 0 for wrong, between for a tie.
  public private(set) var credits: [Double] = []
  public private(set) var pictures: [Int] = []
  public private(set) var runs: [Int] = []
  /// What was asked together: examples of a batch compete for an answer, and err together.
  private var groups: [Int?] = []
  private var truths: [Int] = []

  public init(_ guess: Guess) { self.guess = guess }
  public init(classes: Int) { self.init(.share(1 / Double(classes))) }

  mutating func append(_ credit: Double, _ example: TaskExaminer.Example) {
    append(credit, picture: example.picture, run: example.run, truth: example.truth, group: example.group)
  }

  public mutating func append(_ credit: Double, picture: Int, run: Int, truth: Int = 0, group: Int? = nil) {
    credits.append(credit)
    pictures.append(picture)
    runs.append(run)
    groups.append(group)
    truths.append(truth)
  }

  mutating func append(_ other: AnswerSheet) {
    credits += other.credits
    pictures += other.pictures
    runs += other.runs
    groups += other.groups
    truths += other.truths
  }

  public var chance: Double {
    switch guess {
    case .share(let share): share
    case .mostFrequent: Double(Dictionary(truths.map { ($0, 1) }, uniquingKeysWith: +).values.max() ?? 0) / Double(max(1, truths.count))
    }
  }

  /// The share of right answers. Its standard error is the largest of four: of independent examples, of clusters by picture (several
  /// looks at one picture err together), by batch where examples compete and, where there are several, by run (frames of a run share beam
  /// and constants).
  public func score(_ metric: String) -> Score {
    let n = Double(credits.count), value = Statistics.mean(credits)
    // With nothing or everything right the binomial error is taken at half an example from the end.
    let p = min(max(value, 0.5 / n), 1 - 0.5 / n), isUndecided = credits.allSatisfy { $0 == credits[0] } && value > 0 && value < 1
    // A network that never answers errs without chance.
    let binomial = isUndecided ? 0 : (p * (1 - p) / n).squareRoot()
    return Score(metric: metric, value: value, standardError: max(binomial, clusteredError), count: credits.count, chance: chance)
  }

  /// The standard error of the mean credit when examples of a picture, of a batch, or of a run err together: the largest of the three.
  var clusteredError: Double {
    let n = Double(credits.count), value = Statistics.mean(credits)
    func clustered(_ keys: [Int]) -> Double {
      var sums: [Int: Double] = [:]
      for (credit, key) in zip(credits, keys) { sums[key, default: 0] += credit - value }
      guard sums.count > 1 else { return 0 }
      let g = Double(sums.count), squares = sums.sorted { $0.key < $1.key }.reduce(0) { $0 + $1.value * $1.value }
      return (g / (g - 1) * squares).squareRoot() / n
    }
    let together = groups.compactMap { $0 }
    return max(clustered(pictures), clustered(runs), together.count == credits.count ? clustered(together) : 0)
  }

  /// The share of right answers in each run.
  public var byRun: [Int: Double] {
    Dictionary(grouping: credits.indices) { runs[$0] }.mapValues { members in Statistics.mean(members.map { credits[$0] }) }
  }
}

/// A 95 % interval of an accuracy.
public struct AccuracyInterval: Codable, Hashable, Sendable {
  public var lower: Double
  public var upper: Double

  /// Wilson's score interval with z = 1.96, for as many independent examples as the score's standard error stands for: p(1 − p)/σ².
  ///
  /// Source: Wilson, Journal of the American Statistical Association 22, 1927.
  public init(_ score: Score) {
    let p = score.value, n = Double(max(1, score.count)), variance = score.largerStandardError * score.largerStandardError
    guard variance > 0 else {
      (lower, upper) = (p, p)
      return
    }
    let bounded = min(max(p, 0.5 / n), 1 - 0.5 / n), effective = min(n, bounded * (1 - bounded) / variance), z = 1.959964
    let centre = (p + z * z / (2 * effective)) / (1 + z * z / effective)
    let half = z / (1 + z * z / effective) * (p * (1 - p) / effective + z * z / (4 * effective * effective)).squareRoot()
    (lower, upper) = (max(0, centre - half), min(1, centre + half))
  }

  public var description: String { String(format: "%.3f to %.3f", lower, upper) }
}
