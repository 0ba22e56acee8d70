/// A simple reader of frozen features: how much of a label a trunk has laid open.
///
/// To add one: a file in `Probes/` and a line in `Probes/ProbeCatalog.swift`.
public protocol Probe: Codable, Hashable, Sendable {
  /// The name in recipes and reports.
  static var name: String { get }
  init()

  /// Fits on `train` alone and guesses the class of each example of `test`; an index into `classes` each.
  func predictions(train: Embeddings, test: Embeddings, seed: UInt64) throws -> Predictions
}

/// What a probe guessed, and what has to be known about how.
public struct Predictions: Sendable {
  public let labels: [Int]
  public let notes: [String]

  public init(labels: [Int], notes: [String] = []) {
    self.labels = labels
    self.notes = notes
  }
}

extension Probe {
  /// Balanced accuracy on `test`, with groups considered in its standard error. Throws `ProbeError`.
  public func score(train: Embeddings, test: Embeddings, seed: UInt64) throws -> Score {
    try judged(train: train, test: test, seed: seed).score
  }

  /// The score together with a value for each group of `test`: their mean is the score, and the standard error of their mean is its cluster-robust one, also
  /// for differences of two scores on the same test part. (Score + G·u_g, see `Score.balancedAccuracy`; it may lie outside of 0 to 1.) Throws `ProbeError`.
  public func judged(train: Embeddings, test: Embeddings, seed: UInt64) throws -> (score: Score, byGroup: [Int: Double]) {
    try judged(train: train, tests: [test], seed: seed)[0]
  }

  /// The same of several test parts by one fit. Throws `ProbeError`.
  public func judged(train: Embeddings, tests: [Embeddings], seed: UInt64) throws -> [(score: Score, byGroup: [Int: Double])] {
    try train.checkFinite("train")
    for test in tests {
      precondition(
        train.classes == test.classes && train.width == test.width,
        "train and test differ: \(train.width) and \(test.width) features, classes \(train.classes) and \(test.classes)")
      guard test.count > 0 else { throw ProbeError.tooFew(part: "test", count: 0, needed: 1) }
      try test.checkFinite("test")
    }
    guard let first = tests.first else { return [] }
    let guess = try predictions(train: train, test: tests.dropFirst().reduce(first) { $0.joined(with: $1) }, seed: seed)
    var start = 0
    return tests.map { test in
      let own = Array(guess.labels[start..<start + test.count])
      start += test.count
      let score = Score.balancedAccuracy(predicted: own, truth: test.labels, groups: test.groups, seed: seed)
      let influences = Score.influences(predicted: own, truth: test.labels, groups: test.groups)
      let byGroup = influences.mapValues { score.value + Double(influences.count) * $0 }
      return (guess.notes.reduce(score) { $0.noting($1) }, byGroup)
    }
  }
}

/// Why a probe cannot give a score.
public enum ProbeError: Error, Hashable, Sendable, CustomStringConvertible {
  case notFinite(part: String, row: Int, column: Int)
  case oneClass(String)
  case tooFew(part: String, count: Int, needed: Int)
  case notConverged(strength: Double, gradientNorm: Double, status: String)

  public var description: String {
    switch self {
    case .notFinite(let part, let row, let column):
      "\(part) embeddings: row \(row), feature \(column): expected a finite number, found infinity or not-a-number"
    case .oneClass(let name): "train embeddings: expected at least two classes, found only \(name)"
    case .tooFew(let part, let count, let needed): "\(part) embeddings: expected at least \(needed) examples, found \(count)"
    case .notConverged(let strength, let norm, let status):
      "logistic regression with L2 strength \(strength): expected convergence, found gradient norm \(norm) (\(status))"
    }
  }
}
