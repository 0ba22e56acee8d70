import Instruments
import Tensors
import Testing

private func blobs(_ centres: [(Double, Double)], each: Int, sigma: Double, seed: UInt64) -> [[Double]] {
  var random = Philox(seed: seed)
  return centres.flatMap { centre in (0..<each).map { _ in [centre.0 + random.normal(0, sigma), centre.1 + random.normal(0, sigma)] } }
}

/// Sum of squared distances from the cluster means.
private func dispersion(_ points: [[Double]], _ clusters: [Int]) -> Double {
  Set(clusters).reduce(0) { sum, cluster in
    let members = points.indices.filter { clusters[$0] == cluster }.map { points[$0] }
    let mean = points[0].indices.map { axis in Statistics.mean(members.map { $0[axis] }) }
    return sum + members.reduce(0) { $0 + zip($1, mean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
  }
}

@Suite struct WardClusteringTests {
  @Test(arguments: [UInt64(1), 2, 3])
  func chainsOfNearestNeighboursMergeAsTheDefinitionDoes(_ seed: UInt64) {
    var random = Philox(seed: seed)
    let points = (0..<24).map { _ in (0..<3).map { _ in random.normal() } }
    let clustering = WardClustering(points)
    // The definition: of all pairs of clusters, merge the one that raises the dispersion least.
    var clusters = Array(points.indices)
    for left in stride(from: 23, through: 1, by: -1) {
      let names = Set(clusters).sorted()
      let pairs = names.flatMap { a in names.filter { $0 > a }.map { (a, $0) } }
      let best = pairs.min { cost(points, clusters, $0) < cost(points, clusters, $1) }!
      clusters = clusters.map { $0 == best.1 ? best.0 : $0 }
      let assigned = clustering.assignments(clusters: left)
      for i in points.indices { for j in points.indices { #expect((assigned[i] == assigned[j]) == (clusters[i] == clusters[j])) } }
      #expect(abs(clustering.dispersion(upTo: 24)[left - 1] - dispersion(points, clusters)) < 1e-9)
    }
  }

  private func cost(_ points: [[Double]], _ clusters: [Int], _ pair: (Int, Int)) -> Double {
    dispersion(points, clusters.map { $0 == pair.1 ? pair.0 : $0 })
  }

  @Test(arguments: [(2, UInt64(5)), (3, 6), (5, 7), (4, 8), (5, 11)])
  func theGapStatisticCountsSeparateBlobs(_ count: Int, _ seed: UInt64) {
    let centres = [(0.0, 0.0), (10, 0), (0, 10), (10, 10), (20, 5)].prefix(count)
    let points = blobs(Array(centres), each: 30, sigma: 1, seed: seed)
    #expect(GapStatistic().clusters(points, upTo: 12, random: Philox(seed: seed)) == count)
    let clusters = WardClustering(points).assignments(clusters: count)
    for blob in 0..<count { #expect(Set(clusters[blob * 30..<(blob + 1) * 30]).count == 1) }
  }

  @Test(arguments: [UInt64(9), 10, 11])
  func oneCloudIsOneCluster(_ seed: UInt64) {
    var random = Philox(seed: seed)
    let points = (0..<80).map { _ in [random.uniform(), random.uniform()] }
    #expect(GapStatistic().clusters(points, upTo: 12, random: Philox(seed: 1)) == 1)
  }
}
