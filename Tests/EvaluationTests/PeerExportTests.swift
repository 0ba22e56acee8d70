import Evaluation
import Foundation
import Tensors
import Testing

private let folder = ProcessInfo.processInfo.environment["PSIMAGENET_PEER_FOLDER"]

/// What Tests/Peers/compare_sklearn.py reads.
private struct Case: Codable {
  let width: Int, strength: Double
  let train: [Float], labels: [Int], test: [Float], truth: [Int]
  let weight: [Double], bias: [Double], linear: [Int], balancedAccuracy: Double, nearest: [Int]
}

@Test(.enabled(if: folder != nil, "PSIMAGENET_PEER_FOLDER is not set"), arguments: [2, 3, 5])
func fitsAreExportedForScikitLearn(_ classes: Int) throws {
  let folder = try #require(folder)
  var random = Philox(seed: UInt64(classes))
  func sample(_ count: Int, _ run: Int) -> Embeddings {
    // Unequal classes, correlated features of very different scales.
    let labels = (0..<count).map { _ in min(classes - 1, Int(random.exponential(1) * 2)) }
    let elements = labels.flatMap { label in
      let common = random.normal()
      return (0..<12).map { d in Float((random.normal() + common + (d == label ? 2 : 0)) * pow(4, Double(d) - 6) + Double(d)) }
    }
    return Embeddings(
      vectors: Tensor([count, 12], elements), labels: labels, classes: (0..<classes).map { "class \($0)" },
      groups: Array(repeating: run, count: count))
  }
  let train = sample(500, 0), test = sample(400, 1)
  let probe = LinearProbe(strengths: [0.003], minimizer: LBFGS(tolerance: 1e-8))
  let fit = try probe.fit(train, seed: 0)
  let labels = fit.model.predictions(test.vectors)
  let near = NearestNeighbours(neighbours: 1, metric: .euclidean)
  let export = Case(
    width: 12, strength: 0.003, train: train.vectors.elements, labels: train.labels, test: test.vectors.elements,
    truth: test.labels, weight: fit.model.weight.elements, bias: fit.model.bias, linear: labels,
    balancedAccuracy: try probe.score(train: train, test: test, seed: 0).value,
    nearest: try near.predictions(train: train, test: test, seed: 0).labels)
  try JSONEncoder().encode(export).write(to: URL(fileURLWithPath: folder + "/case-\(classes).json"))
}
