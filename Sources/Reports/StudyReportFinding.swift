import Evaluation
import Tensors

extension StudyReport {
  /// What one downstream task says of each family against random-init features, in numbers and in words.
  public struct Finding: Sendable {
    public let task: String
    /// The headline row of each family, random first.
    public let rows: [TransferProtocol.Row]
    public let comparisons: [Comparison]
    /// Whether pretext trunks beat random-init features, by how much, and what the numbers say about why not.
    public let sentence: String

    public func row(_ family: String) -> TransferProtocol.Row? { rows.first { $0.family == family } }
    public func comparison(_ family: String) -> Comparison? { comparisons.first { $0.family == family } }
  }

  /// One family's score minus that of random-init features.
  public struct Comparison: Sendable {
    public let family: String
    public let role: Role
    public let difference: Double
    /// Over test runs, of the run-by-run difference from random: both judge the same frames, and a run that is hard for one
    /// is hard for both. √(e² + e_random²) of the larger standard errors where the result has no figures by run, or fewer
    /// than 4 runs.
    public let error: Double

    /// More than twice the error above random.
    public var beatsRandom: Bool { difference > 0 && difference > 2 * error }
    public var isWorse: Bool { difference < 0 && -difference > 2 * error }

    init(_ row: TransferProtocol.Row, role: Role, random: TransferProtocol.Row) {
      family = row.family
      self.role = role
      difference = row.test.value - random.test.value
      error = Comparison.paired(row, random) ?? combined(row.test, random.test)
    }

    private static func paired(_ row: TransferProtocol.Row, _ random: TransferProtocol.Row) -> Double? {
      guard let own = row.testByRun, let other = random.testByRun, own.count >= 4, Set(own.keys) == Set(other.keys) else { return nil }
      let differences = own.keys.sorted().map { own[$0]! - other[$0]! }
      // Seeds differ too: whichever of the two spreads is larger.
      let overSeeds = combinedSeedError(row.test, random.test)
      return max(Statistics.standardError(differences), overSeeds)
    }

    private static func combinedSeedError(_ a: Score, _ b: Score) -> Double {
      guard (a.seeds?.count ?? 0) > 1, (b.seeds?.count ?? 0) > 1 else { return 0 }
      return (a.standardError * a.standardError + b.standardError * b.standardError).squareRoot()
    }

    /// `+0.030 ± 0.058`.
    var text: String { "\(signed(difference)) ± \(decimal(error, 3))" }
  }

  /// One finding a task that the linear probe was asked, in the order of the result.
  public var findings: [Finding] {
    guard let transfer else { return [] }
    let linear = transfer.chosen.filter { $0.probe == LinearProbe.name }
    var tasks: [String] = []
    for row in linear where !tasks.contains(row.task) { tasks.append(row.task) }
    return tasks.map { task in
      let asked = linear.filter { $0.task == task }
      let rows = ordered(asked.map(\.family)).compactMap { family in asked.first { $0.family == family } }
      let random = rows.first { role(of: $0.family) == .random }
      let comparisons =
        random.map { random in
          rows.filter { role(of: $0.family) != .random }.map { Comparison($0, role: role(of: $0.family), random: random) }
        } ?? []
      let spoken = [sentence(task, rows: rows, random: random, comparisons), codewordSentence(task)].compactMap { $0 }
      return Finding(task: task, rows: rows, comparisons: comparisons, sentence: spoken.joined(separator: " "))
    }
  }

  private func sentence(
    _ task: String, rows: [TransferProtocol.Row], random: TransferProtocol.Row?, _ comparisons: [Comparison]
  ) -> String {
    guard let random else {
      return "\(task): no random-init trunk was judged, so nothing can be said about what training adds."
    }
    let pretexts = comparisons.filter { $0.role == .pretext }
    let winners = pretexts.filter(\.beatsRandom), worse = pretexts.filter(\.isWorse)
    let undecided = pretexts.filter { !$0.beatsRandom && !$0.isWorse }
    let baseline = "random-init features (\(plain(random.test)))"
    var parts: [String] = []
    if pretexts.isEmpty {
      parts.append("\(task): no pretext trunk was judged beside \(baseline).")
    } else if winners.isEmpty {
      parts.append("\(task): no pretext trunk beats \(baseline).")
    } else {
      parts.append("\(task): \(listed(winners)) \(winners.count == 1 ? "beats" : "beat") \(baseline).")
    }
    if !undecided.isEmpty {
      let them = winners.isEmpty ? "" : " from random-init features"
      parts.append("\(listed(undecided)) cannot be told apart\(them.isEmpty ? " from them" : them).")
    }
    if !worse.isEmpty { parts.append("\(listed(worse)) \(worse.count == 1 ? "is" : "are") worse than random-init features.") }
    let supervised = comparisons.filter { $0.role == .supervised }
    if !supervised.isEmpty {
      parts.append(
        "For comparison, supervised: "
          + supervised.map { "\($0.family) \($0.text)\($0.beatsRandom ? ", better" : $0.isWorse ? ", worse" : ", no difference shown")" }
          .joined(separator: "; ") + ".")
    }
    let reasons = pretexts.count == winners.count ? [] : reasons(rows, random, undecided: undecided, worse: worse)
    if !reasons.isEmpty { parts.append("What the numbers show of the reasons: \(reasons.joined(separator: "; ")).") }
    if rows.allSatisfy({ ($0.test.seeds?.count ?? 0) <= 1 }) {
      parts.append("One training a family: the spread between trainings is not in these errors.")
    }
    return parts.joined(separator: " ")
  }

  /// The same comparison at the last stage alone: the codeword, which is what a published checkpoint gives by itself.
  private func codewordSentence(_ task: String) -> String? {
    guard let transfer else { return nil }
    let asked = transfer.rows.filter { $0.task == task && $0.probe == LinearProbe.name }
    guard let last = asked.map(\.stage).max(by: TransferProtocol.isShallower), Set(asked.map(\.stage)).count > 1 else { return nil }
    let rows = asked.filter { $0.stage == last }
    guard let random = rows.first(where: { role(of: $0.family) == .random }) else { return nil }
    let comparisons = ordered(rows.map(\.family)).compactMap { family in rows.first { $0.family == family } }
      .filter { role(of: $0.family) == .pretext }.map { Comparison($0, role: .pretext, random: random) }
    guard !comparisons.isEmpty else { return nil }
    let words = comparisons.map { "\($0.family) \($0.text), \($0.beatsRandom ? "better" : $0.isWorse ? "worse" : "no difference shown")" }
    return "As codewords (\(last), what a published checkpoint gives; random \(plain(random.test))): \(words.joined(separator: "; "))."
  }

  private func listed(_ comparisons: [Comparison]) -> String {
    comparisons.map { "\($0.family) (\($0.text))" }.joined(separator: comparisons.count == 2 ? " and " : ", ")
  }

  /// Why pretext trunks gain nothing, as far as the numbers tell.
  private func reasons(
    _ rows: [TransferProtocol.Row], _ random: TransferProtocol.Row, undecided: [Comparison], worse: [Comparison]
  ) -> [String] {
    let count = rows.reduce(random.test.count) { min($0, $1.test.count) }
    var reasons: [String] = []
    func isAtChance(_ score: Score) -> Bool { score.chance.map { score.value - $0 <= 2 * score.largerStandardError } ?? false }
    if rows.allSatisfy({ isAtChance($0.test) }), let chance = random.test.chance {
      let size = corpus.map { " of \($0.manifest.height)×\($0.manifest.width) pixels" } ?? ""
      reasons.append(
        "every trunk is within 2 standard errors of chance (\(decimal(chance, 3))), so nothing shows that the label can be seen in pictures\(size), "
          + "or n = \(count) test frames are too few to show it")
    } else if random.test.value + 2 * random.test.largerStandardError >= 1 {
      reasons.append(
        "random-init features are already at the ceiling (\(decimal(random.test.value, 3)) ± \(decimal(random.test.largerStandardError, 3)))")
    }
    if let smallest = undecided.map(\.error).min() {
      reasons.append("with n = \(count) test frames only a difference above 2 × \(decimal(smallest, 3)) could be told from none")
    }
    for loser in undecided + worse {
      guard let row = rows.first(where: { $0.family == loser.family }) else { continue }
      if let gap = generalization(of: loser.family), gap.train - gap.validation.value > 0.1 {
        // What is withheld is not told in other words.
        let figures = familyAudit(loser.family).standing == .withheld
          ? "" : " (pretext accuracy \(decimal(gap.train, 3)) in training, \(plain(gap.validation)) in validation)"
        reasons.append("\(loser.family) fits its training pictures better than new ones\(figures)")
      }
      if row.validation.value - row.test.value > 2 * combined(row.validation, row.test) {
        reasons.append(
          "\(loser.family)'s stage was chosen at \(decimal(row.validation.value, 3)) ± \(decimal(row.validation.largerStandardError, 3)) on validation runs, which the test runs do not repeat")
      }
      if let own = row.run, let other = random.run, own.value - other.value > 2 * combined(own, other) {
        reasons.append(
          "\(loser.family) features name the run better than random ones do (\(decimal(own.value, 3)) ± \(decimal(own.largerStandardError, 3)) against \(decimal(other.value, 3)) ± \(decimal(other.largerStandardError, 3)))")
      }
    }
    return reasons
  }

  /// A family's own pretext accuracy at the end, in training and in validation, averaged over its runs.
  private func generalization(of family: String) -> (train: Double, validation: Score)? {
    var train: [Double] = [], right = 0.0, count = 0
    for run in runs where run.family == family {
      guard let last = run.metrics.last(where: { $0.split == "train" }),
        let held = run.metrics.last(where: { $0.split == "validation" })
      else { return nil }
      train.append(last.accuracy)
      right += held.accuracy * Double(held.count)
      count += held.count
    }
    guard count > 0 else { return nil }
    return (
      train.reduce(0, +) / Double(train.count), Score.accuracy(right: min(count, Int(right.rounded())), of: count)
    )
  }
}

/// `0.808 ± 0.043, n = 120`, for use in brackets.
func plain(_ score: Score) -> String { "\(decimal(score.value, 3)) ± \(decimal(score.largerStandardError, 3)), n = \(score.count)" }

/// √(a² + b²) of the larger standard errors.
func combined(_ a: Score, _ b: Score) -> Double {
  (a.largerStandardError * a.largerStandardError + b.largerStandardError * b.largerStandardError).squareRoot()
}

/// With its sign, and a true minus; three places.
func signed(_ value: Double) -> String { (value < 0 ? "−" : "+") + decimal(abs(value), 3) }
