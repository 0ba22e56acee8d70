import Evaluation
import Foundation
import Tensors
import Testing

private func line(_ values: [Float], _ labels: [Int]) -> Embeddings {
  Embeddings(
    vectors: Tensor([values.count, 1], values), labels: labels, classes: ["a", "b"],
    groups: Array(repeating: 0, count: values.count))
}

@Test func lbfgsFindsTheMinimumOfRosenbrock() {
  // Five variables, no multiple of the library's vector width; the minimum is (1, ..., 1) with value 0.
  let result = LBFGS(tolerance: 1e-9).minimum(from: [-1.2, 1, -1.2, 1, 3]) { x, gradient in
    var value = 0.0
    gradient = [0, 0, 0, 0, 0]
    for i in 0..<4 {
      let a = x[i + 1] - x[i] * x[i], b = 1 - x[i]
      value += 100 * a * a + b * b
      gradient[i] += -400 * x[i] * a - 2 * b
      gradient[i + 1] += 200 * a
    }
    return value
  }
  #expect(result.converged && result.point.allSatisfy { abs($0 - 1) < 1e-7 })
}

@Test func lbfgsThatRunsOutSaysSo() {
  let result = LBFGS(tolerance: 1e-12, maximumIterations: 2).minimum(from: [5, 5, 5]) { x, gradient in
    gradient = [2 * x[0], 200 * x[1], 2e4 * x[2]]
    return x[0] * x[0] + 100 * x[1] * x[1] + 1e4 * x[2] * x[2]
  }
  #expect(!result.converged && result.status == "the iterations ran out")
}

@Test(arguments: [1e-3, 0.1, 2.0]) func aSymmetricLineHasItsAnalyticSlope(_ strength: Double) throws {
  // x = ±1 with label by sign: by symmetry b = 0 and W = (-w, w), and f(w) = log(1 + e^(-2w)) + λw² is least where
  // λw = 1/(1 + e^(2w)), solved here by bisection.
  var low = 0.0, high = 50.0
  for _ in 0..<200 {
    let w = (low + high) / 2
    if strength * w < 1 / (1 + exp(2 * w)) { low = w } else { high = w }
  }
  let data = line([-1, 1, -1, 1], [0, 1, 0, 1])
  let fit = try LogisticRegression(
    fittedTo: data, strength: strength, standardization: Standardization(fittedOn: data.vectors),
    minimizer: LBFGS(tolerance: 1e-11))
  #expect(fit.outcome.converged)
  #expect(abs(fit.weight.elements[1] - low) < 1e-8 && abs(fit.weight.elements[0] + low) < 1e-8)
  #expect(fit.bias.allSatisfy { abs($0) < 1e-8 })
}

@Test func withoutFeaturesTheBiasGivesTheClassShares() throws {
  // A constant feature teaches nothing; unbalanced, the fitted probabilities are the class frequencies 1/4 and 3/4.
  let data = line([2, 2, 2, 2], [0, 1, 1, 1])
  let fit = try LogisticRegression(
    fittedTo: data, strength: 0.1, balanced: false, standardization: Standardization(fittedOn: data.vectors),
    minimizer: LBFGS(tolerance: 1e-10))
  #expect(abs(fit.bias[1] - fit.bias[0] - log(3)) < 1e-7)
  let balanced = try LogisticRegression(
    fittedTo: data, strength: 0.1, standardization: Standardization(fittedOn: data.vectors),
    minimizer: LBFGS(tolerance: 1e-10))
  #expect(abs(balanced.bias[1] - balanced.bias[0]) < 1e-7)
}

/// f and its optimality conditions written down anew, example by example.
@Test(arguments: [0, 1, 2] as [UInt64]) func theGradientVanishesAtTheOptimum(_ seed: UInt64) throws {
  var random = Philox(seed: seed)
  let n = 300, d = 7, k = 3, strength = 0.01
  let labels = (0..<n).map { _ in min(2, Int(random.uniform() * 4)) }
  let elements = (0..<n * d).map { Float(random.normal(Double(labels[$0 / d] % 2) * 0.7, Double($0 % d + 1))) }
  let data = Embeddings(
    vectors: Tensor([n, d], elements), labels: labels, classes: ["a", "b", "c"], groups: Array(repeating: 0, count: n))
  let standardization = Standardization(fittedOn: data.vectors)
  let fit = try LogisticRegression(
    fittedTo: data, strength: strength, standardization: standardization, minimizer: LBFGS(tolerance: 1e-8))
  #expect(fit.outcome.converged)
  var slope = fit.weight.elements.map { strength * $0 }, biasSlope = [Double](repeating: 0, count: k)
  for i in 0..<n {
    let x = (0..<d).map { c in
      let column = (0..<n).map { Double(elements[$0 * d + c]) }
      let mean = column.reduce(0, +) / Double(n)
      let deviation = (column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n)).squareRoot()
      return (Double(elements[i * d + c]) - mean) / deviation
    }
    let e = (0..<k).map { c in exp(fit.bias[c] + (0..<d).reduce(0.0) { $0 + fit.weight.elements[c * d + $1] * x[$1] }) }
    let own = Double(labels.filter { $0 == labels[i] }.count)
    for c in 0..<k {
      let r = (e[c] / e.reduce(0, +) - (labels[i] == c ? 1 : 0)) / (Double(k) * own)
      biasSlope[c] += r
      for j in 0..<d { slope[c * d + j] += r * x[j] }
    }
  }
  #expect((slope + biasSlope).allSatisfy { abs($0) < 1e-7 })
}

@Test func separableDataConvergeUnderAPenalty() throws {
  let data = gaussians(200, width: 5, separation: 40, runs: 4, seed: 1)
  let fit = try LinearProbe().fit(data, seed: 1)
  #expect(fit.model.outcome.converged && fit.model.predictions(data.vectors) == data.labels)
}

@Test(arguments: [1.0, 2.0, 3.0]) func aPlantedCueReachesTheAnalyticAccuracy(_ separation: Double) throws {
  let train = gaussians(4000, width: 8, separation: separation, runs: 10, seed: 11)
  let test = gaussians(8000, width: 8, separation: separation, runs: 10, seed: 12, firstRun: 10)
  let oracle = AnalyticOracle.accuracy(separation: separation)
  let linear = try LinearProbe().score(train: train, test: test, seed: 1)
  #expect(abs(linear.value - oracle) < 0.02, "\(linear) against \(oracle)")
  // Neighbours lose some of it to the seven empty axes, but must see the cue and cannot beat the oracle.
  let near = try NearestNeighbours(neighbours: 50, metric: .euclidean).score(train: train, test: test, seed: 1)
  #expect(near.value < oracle + 3 * near.standardError && near.value > 0.5 + 0.6 * (oracle - 0.5), "\(near) against \(oracle)")
}

@Test(arguments: ProbeCatalog.all.map { $0.name }, [1, 2, 3] as [UInt64])
func shuffledLabelsStayAtChance(_ name: String, _ seed: UInt64) throws {
  let probe = try #require(ProbeCatalog.probe(named: name))
  var random = Philox(seed: seed).keyed("shuffle")
  let train = gaussians(600, width: 10, separation: 4, runs: 6, seed: 2 * seed)
  let test = gaussians(1000, width: 10, separation: 4, runs: 6, seed: 2 * seed + 1, firstRun: 6)
  let shuffled = train.relabelled(train.labels.shuffled(using: &random), classes: train.classes)
  // The true direction is strong, so a shuffled fit follows it up or down by the luck of the shuffle: against shuffled
  // test labels nothing is left.
  let blind = test.relabelled(test.labels.shuffled(using: &random), classes: test.classes)
  let score = try probe.score(train: shuffled, test: blind, seed: seed)
  #expect(abs(score.sigmasAboveChance ?? .infinity) < 3, "\(score)")
}

@Test func imbalanceDoesNotWin() throws {
  // 19 to 1: guessing the majority is right in 95 % and worth nothing.
  let all = gaussians(4000, width: 4, separation: 2, runs: 5, seed: 21)
  let train = all.subset((0..<4000).filter { all.labels[$0] == 0 || $0 % 38 == 1 })
  let test = gaussians(4000, width: 4, separation: 2, runs: 5, seed: 22, firstRun: 5)
  let score = try LinearProbe().score(train: train, test: test, seed: 1)
  #expect(abs(score.value - AnalyticOracle.accuracy(separation: 2)) < 0.03, "\(score)")
}

@Test func aFitThatDoesNotConvergeIsAnError() {
  let train = gaussians(200, width: 20, separation: 1, runs: 1, seed: 31)
  let probe = LinearProbe(strengths: [1e-5], minimizer: LBFGS(tolerance: 1e-12, maximumIterations: 2))
  #expect { try probe.fit(train, seed: 1) } throws: {
    if case ProbeError.notConverged = $0 { true } else { false }
  }
}

@Test func aClassInOneRunOnlyIsNoted() throws {
  // The label is the run: no run-disjoint choice of λ is possible, and the score says so.
  let data = gaussians(100, width: 3, separation: 2, runs: 1, seed: 41)
  let byRun = Embeddings(vectors: data.vectors, labels: data.labels, classes: data.classes, groups: data.labels)
  let score = try LinearProbe().score(train: byRun, test: byRun, seed: 1)
  #expect(score.notes.contains { $0.contains("within runs") })
  #expect(try LinearProbe().score(train: data, test: data, seed: 1).notes.isEmpty)
}

@Test(arguments: ProbeCatalog.all.map { $0.name }) func aCollapsedTrunkIsWorthNothing(_ name: String) throws {
  // One vector for every image, as a dead network gives.
  let probe = try #require(ProbeCatalog.probe(named: name))
  let labels = (0..<90).map { $0 % 3 }
  let dead = Embeddings(
    vectors: Tensor(repeating: 0.7, [90, 5]), labels: labels, classes: ["a", "b", "c"], groups: (0..<90).map { $0 / 9 })
  let score = try probe.score(train: dead, test: dead, seed: 1)
  #expect(abs(score.value - 1.0 / 3) < 1e-12 && score.standardError > 0)
}

@Test func badEmbeddingsAreNamed() {
  var vectors = Tensor<Float>(repeating: 1, [4, 3])
  vectors.elements[7] = .nan
  let bad = Embeddings(vectors: vectors, labels: [0, 1, 0, 1], classes: ["a", "b"], groups: [0, 0, 0, 0])
  #expect(throws: ProbeError.notFinite(part: "train", row: 2, column: 1)) {
    try LinearProbe().score(train: bad, test: bad, seed: 1)
  }
  let single = line([1, 2, 3], [1, 1, 1])
  #expect(throws: ProbeError.oneClass("b")) { try LinearProbe().score(train: single, test: single, seed: 1) }
}

@Test func theSameSeedGivesTheSameFit() throws {
  let train = gaussians(400, width: 6, separation: 1, runs: 5, seed: 51)
  let a = try LinearProbe().fit(train, seed: 9), b = try LinearProbe().fit(train, seed: 9)
  #expect(a.model.weight == b.model.weight && a.candidates == b.candidates && a.candidates.count == 6)
}

@Test func theTestPartCannotLeakIntoStandardisation() throws {
  let train = gaussians(300, width: 3, separation: 2, runs: 3, seed: 61)
  let test = gaussians(300, width: 3, separation: 2, runs: 3, seed: 62, firstRun: 3)
  let far = Tensor<Float>(repeating: 1e6, [1, 3])
  let widened = Embeddings(
    vectors: Tensor([301, 3], test.vectors.elements + far.elements), labels: test.labels + [0], classes: test.classes,
    groups: test.groups + [9])
  let plain = try LinearProbe().predictions(train: train, test: test, seed: 1).labels
  #expect(try LinearProbe().predictions(train: train, test: widened, seed: 1).labels.dropLast() == plain[...])
}
