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
  public private(set) var sources: [String] = []
  /// What was asked together: examples of a batch compete for an answer, and err together.
  private var groups: [Int?] = []
  private var truths: [Int] = []

  public init(_ guess: Guess) { self.guess = guess }
  public init(classes: Int) { self.init(.share(1 / Double(classes))) }

  mutating func append(_ credit: Double, _ example: TaskExaminer.Example) {
    append(credit, picture: example.picture, run: example.run, source: example.source, truth: example.truth, group: example.group)
  }

  public mutating func append(_ credit: Double, picture: Int, run: Int, source: String = "", truth: Int = 0, group: Int? = nil) {
    credits.append(credit)
    pictures.append(picture)
    runs.append(run)
    sources.append(source)
    groups.append(group)
    truths.append(truth)
  }

  mutating func append(_ other: AnswerSheet) {
    credits += other.credits
    pictures += other.pictures
    runs += other.runs
    sources += other.sources
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

  /// What a control is held to: the share of right answers where the task draws them evenly; where the corpus gives them, the mean of the classes'
  /// shares of right answers, which is 1/K for whoever says one and the same of everything, however rare a class is.
  public func controlScore(_ metric: String) -> Score {
    let counts = Dictionary(truths.map { ($0, 1.0) }, uniquingKeysWith: +)
    guard guess == .mostFrequent, counts.count > 1 else { return score(metric) }
    var right: [Int: Double] = [:]
    for (credit, truth) in zip(credits, truths) { right[truth, default: 0] += credit }
    let classes = Double(counts.count), shares = right.map { ($0.key, $0.value / counts[$0.key]!) }.sorted { $0.0 < $1.0 }
    let value = Statistics.mean(shares.map(\.1)), share = Dictionary(uniqueKeysWithValues: shares), n = Double(credits.count)
    // What each answer adds to the mean of shares, in units of the mean over answers.
    let influences = zip(credits, truths).map { ($0 - share[$1]!) * n / (classes * counts[$1]!) }
    // With a class all right or all wrong its error is taken at half an answer from the end.
    let binomial = shares.reduce(0) { sum, own in
      let n = counts[own.0]!, p = min(max(own.1, 0.5 / n), 1 - 0.5 / n)
      return sum + p * (1 - p) / n
    }.squareRoot() / classes
    return Score(
      metric: "balanced " + metric, value: value, standardError: max(binomial, clusteredError(of: influences)), count: credits.count, chance: 1 / classes)
  }

  /// The standard error of the mean credit when examples of a picture, of a batch, or of a run err together: the largest of the three.
  var clusteredError: Double {
    let value = Statistics.mean(credits)
    return clusteredError(of: credits.map { $0 - value })
  }

  /// Of the mean of what each example adds, which is 0 on average.
  private func clusteredError(of deviations: [Double]) -> Double {
    func clustered(_ keys: [Int]) -> Double {
      var sums: [Int: Double] = [:]
      for (deviation, key) in zip(deviations, keys) { sums[key, default: 0] += deviation }
      guard sums.count > 1 else { return 0 }
      let g = Double(sums.count), squares = sums.sorted { $0.key < $1.key }.reduce(0) { $0 + $1.value * $1.value }
      return (g / (g - 1) * squares).squareRoot() / Double(deviations.count)
    }
    let together = groups.compactMap { $0 }
    return max(clustered(pictures), clustered(runs), together.count == deviations.count ? clustered(together) : 0)
  }

  /// What changes from this sheet to another one of the same examples.
  func changes(to other: AnswerSheet) -> AnswerSheet {
    precondition(pictures == other.pictures && groups == other.groups, "\(credits.count) and \(other.credits.count) answers, not to the same examples")
    var result = other
    for i in credits.indices { result.credits[i] = other.credits[i] - credits[i] }
    return result
  }

  /// The answers about pictures of one source.
  func of(source: String) -> AnswerSheet {
    var result = AnswerSheet(guess)
    for i in credits.indices where sources[i] == source {
      result.append(credits[i], picture: pictures[i], run: runs[i], source: source, truth: truths[i], group: groups[i])
    }
    return result
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
