import Evaluation
import Foundation
import Tensors
import Testing

@Test func accuracyHasTheBinomialError() {
  let score = Score.accuracy(right: 80, of: 100, chance: 0.5, seed: 3)
  #expect(score.value == 0.8 && abs(score.standardError - 0.04) < 1e-12 && score.count == 100 && score.seeds == [3])
  #expect(abs((score.sigmasAboveChance ?? 0) - 7.5) < 1e-9)
  #expect("\(score)" == "0.800 ± 0.040 (n = 100)")
}

@Test(arguments: [0, 50]) func aPerfectCountKeepsAnError(_ right: Int) {
  let score = Score.accuracy(right: right, of: 50)
  #expect(score.standardError > 0.01 && score.standardError < 0.03)
}

@Test func balancedAccuracyIgnoresImbalance() {
  // 90 of class 0 all guessed 0, 10 of class 1 all guessed 0: accuracy 0.9, balanced accuracy 1/2.
  let score = Score.balancedAccuracy(
    predicted: Array(repeating: 0, count: 100), truth: Array(repeating: 0, count: 90) + Array(repeating: 1, count: 10))
  #expect(score.value == 0.5 && score.chance == 0.5)
}

@Test func balancedAccuracyErrorMatchesRepeatedSampling() {
  // Class 0 is recognised with 0.9, class 1 with 0.6; the spread of many test sets is the error each should state.
  var random = Philox(seed: 5), values: [Double] = [], stated: [Double] = []
  for _ in 0..<2000 {
    let truth = Array(repeating: 0, count: 120) + Array(repeating: 1, count: 40)
    let predicted = truth.map { random.uniform() < ($0 == 0 ? 0.9 : 0.6) ? $0 : 1 - $0 }
    let score = Score.balancedAccuracy(predicted: predicted, truth: truth)
    values.append(score.value)
    stated.append(score.standardError)
  }
  #expect(abs(Statistics.mean(values) - 0.75) < 0.005)
  #expect(abs(Statistics.mean(stated) / Statistics.standardDeviation(values) - 1) < 0.06)
}

@Test func runsThatErrTogetherWidenTheError() {
  // Ten runs of 20, each all right or all wrong: ten independent observations, not two hundred.
  let truth: [Int] = (0..<200).map { $0 % 2 }
  let groups: [Int] = (0..<200).map { $0 / 20 }
  let predicted: [Int] = (0..<200).map { i in groups[i] % 5 == 0 ? 1 - truth[i] : truth[i] }
  let naive = Score.balancedAccuracy(predicted: predicted, truth: truth)
  let clustered = Score.balancedAccuracy(predicted: predicted, truth: truth, groups: groups)
  #expect(clustered.value == 0.8 && naive.value == 0.8)
  // √(0.8·0.2/10 · 10/9), the binomial error of ten runs.
  #expect(abs(clustered.standardError - (0.16 / 9).squareRoot()) < 1e-9)
  #expect(clustered.standardError > 4 * naive.standardError)
}

/// Runs with unlike classes and sizes: what each adds to the balanced accuracy gives a difference of two scores and its error by one formula, here against the
/// spread of the difference when the runs are drawn anew, with repetition (bootstrap).
@Test func theErrorOfADifferenceIsThatOfItsRuns() {
  var random = Philox(seed: 5), truth: [Int] = [], groups: [Int] = [], first: [Int] = [], second: [Int] = []
  for run in 0..<12 {
    let share = [0.9, 0.2, 0.5][run % 3], skill = 0.55 + 0.03 * Double(run)
    for _ in 0..<(20 + 10 * (run % 4)) {
      let label = random.uniform() < share ? 1 : 0
      truth.append(label)
      groups.append(run)
      first.append(random.uniform() < skill ? label : 1 - label)
      second.append(random.uniform() < 0.6 ? label : 1 - label)
    }
  }
  func values(_ predicted: [Int]) -> [Int: Double] {
    let score = Score.balancedAccuracy(predicted: predicted, truth: truth).value
    return Score.influences(predicted: predicted, truth: truth, groups: groups).mapValues { score + 12 * $0 }
  }
  let (a, b) = (values(first), values(second)), differences = (0..<12).map { a[$0]! - b[$0]! }
  let difference = Score.balancedAccuracy(predicted: first, truth: truth).value - Score.balancedAccuracy(predicted: second, truth: truth).value
  #expect(abs(Statistics.mean(differences) - difference) < 1e-12)
  let members = Dictionary(grouping: truth.indices) { groups[$0] }
  let drawn = (0..<2000).map { _ -> Double in
    let chosen = (0..<12).flatMap { _ in members[Int.random(in: 0..<12, using: &random)]! }, own = chosen.map { truth[$0] }
    return Score.balancedAccuracy(predicted: chosen.map { first[$0] }, truth: own).value - Score.balancedAccuracy(predicted: chosen.map { second[$0] }, truth: own).value
  }
  let spread = Statistics.standardDeviation(drawn), error = Statistics.standardError(differences)
  #expect(abs(error / spread - 1) < 0.2, "\(error), bootstrap \(spread)")
}

@Test func seedsCombineToBothErrors() throws {
  let scores = [0.7, 0.8, 0.9].enumerated().map {
    Score(metric: "accuracy", value: $1, standardError: 0.02 + 0.01 * Double($0), count: 240, seeds: [UInt64($0)], chance: 0.5)
  }
  let score = Score.combined(scores)
  #expect(abs(score.value - 0.8) < 1e-12)
  #expect(abs(score.standardError - 0.1 / 3.0.squareRoot()) < 1e-12)
  #expect(abs((score.withinSeedStandardError ?? 0) - 0.03) < 1e-12)
  #expect(score.seeds == [0, 1, 2] && "\(score)" == "0.800 ± 0.058 (n = 240, 3 seeds)")
  #expect(try JSONDecoder().decode(Score.self, from: JSONEncoder().encode(score)) == score)
}

@Test func theSameSeedTwiceTraps() async {
  await #expect(processExitsWith: .failure) {
    let score = Score.accuracy(right: 1, of: 2, seed: 1)
    _ = Score.combined([score, score])
  }
}
