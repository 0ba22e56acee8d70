import Evaluation
import Foundation
import Tensors
import Testing

/// All distances term by term, sorted with the index as second key.
private func bruteForce(_ train: Tensor<Float>, _ test: Tensor<Float>, _ k: Int, _ metric: NearestNeighbours.Metric) -> [[Int]]
{
  func row(_ t: Tensor<Float>, _ i: Int) -> [Double] {
    let x = t[first: i].elements.map(Double.init), length = x.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return metric == .cosine && length > 0 ? x.map { $0 / length } : x
  }
  return (0..<test.shape[0]).map { q in
    let query = row(test, q)
    let distances = (0..<train.shape[0]).map { i in
      var sum = 0.0
      for (a, b) in zip(query, row(train, i)) { sum += (a - b) * (a - b) }
      return sum
    }
    return Array(distances.indices.sorted { (distances[$0], $0) < (distances[$1], $1) }.prefix(k))
  }
}

@Test(arguments: NearestNeighbours.Metric.allCases, [1, 2, 3, 4] as [UInt64])
func neighboursEqualBruteForce(_ metric: NearestNeighbours.Metric, _ seed: UInt64) throws {
  var random = Philox(seed: seed)
  for (n, m, d, k) in [(1, 3, 2, 1), (40, 20, 3, 40), (301, 270, 16, 5), (150, 7, 65, 20)] {
    // Every fourth row repeats an earlier one, and seeds above 2 lie on a coarse grid: many exact ties.
    var rows: [[Float]] = []
    for i in 0..<n {
      if i % 4 == 3 {
        rows.append(rows[i / 2])
      } else if seed > 2 {
        rows.append((0..<d).map { _ in Float(Int.random(in: -1...1, using: &random)) })
      } else {
        rows.append((0..<d).map { _ in Float(random.normal(5, 1)) })
      }
    }
    let train = Tensor<Float>([n, d], Array(rows.joined()))
    var queries: [Float] = []
    for i in 0..<m { queries += i % 2 == 0 ? rows[i % n] : rows[(i * 7) % n].map { (x: Float) in x + 1 } }
    let test = Tensor<Float>([m, d], queries)
    let found = try NearestNeighbours(neighbours: k, metric: metric, standardizes: false).indices(train: train, test: test)
    #expect(found == bruteForce(train, test, k, metric))
  }
}

@Test func votesAreBrokenByTheNearest() throws {
  // Two votes each; the nearest neighbour of 0.1 is the one at 0, of class b.
  let train = Embeddings(
    vectors: Tensor([4, 1], [1, 0, 1.5, 2]), labels: [0, 1, 0, 1], classes: ["a", "b"], groups: [0, 0, 0, 0])
  let test = Embeddings(vectors: Tensor([1, 1], [0.1]), labels: [1], classes: ["a", "b"], groups: [1])
  let probe = NearestNeighbours(neighbours: 4, metric: .euclidean, standardizes: false)
  #expect(try probe.predictions(train: train, test: test, seed: 0).labels == [1])
}

@Test func moreNeighboursThanExamplesIsAnError() {
  let data = gaussians(10, width: 2, separation: 1, runs: 1, seed: 1)
  #expect(throws: ProbeError.tooFew(part: "train", count: 10, needed: 20)) {
    try NearestNeighbours().score(train: data, test: data, seed: 0)
  }
}

@Test func everyProbeFileIsInTheCatalogue() throws {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Sources/Evaluation/Probes").path
  let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
    $0 != "ProbeCatalog.swift" && $0.hasSuffix(".swift")
  }
  #expect(Set(files) == Set(ProbeCatalog.all.map { "\($0).swift" }))
  #expect(Set(ProbeCatalog.all.map { $0.name }).count == ProbeCatalog.all.count)
  #expect(ProbeCatalog.probe(named: "nothing") == nil)
}

@Test func probesSurviveJSON() throws {
  #expect(try JSONDecoder().decode(LinearProbe.self, from: JSONEncoder().encode(LinearProbe())) == LinearProbe())
  let near = NearestNeighbours(neighbours: 3, metric: .euclidean)
  #expect(try JSONDecoder().decode(NearestNeighbours.self, from: JSONEncoder().encode(near)) == near)
}
