import Engine
import Tensors
import Testing

/// A matrix of small integers, whose products are exact in either precision.
private func matrix(_ rows: Int, _ columns: Int, _ seed: UInt64) -> Tensor<Double> {
  var random = Philox(seed: seed)
  return Tensor([rows, columns], (0..<rows * columns).map { _ in Double(Int.random(in: -8...8, using: &random)) })
}

@Test(arguments: [(1, 1, 1), (3, 5, 7), (64, 33, 17), (2, 1, 300), (5, 4, 0), (0, 4, 3)], [false, true])
func productsEqualTheDefinition(_ extents: (Int, Int, Int), _ transposed: Bool) {
  let (m, n, k) = extents
  for (tA, tB) in [(transposed, false), (false, transposed), (transposed, transposed)] {
    let a = matrix(tA ? k : m, tA ? m : k, 1), b = matrix(tB ? n : k, tB ? k : n, 2)
    var expected = [Double](repeating: 0, count: m * n)
    for i in 0..<m {
      for j in 0..<n {
        for l in 0..<k {
          expected[i * n + j] += a.elements[tA ? l * m + i : i * k + l] * b.elements[tB ? j * k + l : l * n + j]
        }
      }
    }
    #expect(BLAS.product(a, transposingA: tA, b, transposingB: tB) == Tensor([m, n], expected))
    let single = BLAS.product(a.map(Float.init), transposingA: tA, b.map(Float.init), transposingB: tB)
    #expect(single == Tensor([m, n], expected.map(Float.init)))
  }
}

@Test func alphaAndBetaScaleProductAndTarget() {
  let a: [Double] = [1, 2, 3, 4], b: [Double] = [5, 6, 7, 8]
  var c: [Double] = [100, 200, 300, 400]
  BLAS.gemm(rows: 2, columns: 2, inner: 2, alpha: 2, a.span, b.span, beta: 0.5, into: &c)
  // A·B = [19, 22, 43, 50].
  #expect(c == [88.0, 144.0, 236.0, 300.0] as [Double])
  // A target of not-a-numbers is overwritten, not added to, when beta is 0.
  var empty = [Double](repeating: .nan, count: 4)
  BLAS.gemm(rows: 2, columns: 2, inner: 2, a.span, b.span, into: &empty)
  #expect(empty == [19.0, 22.0, 43.0, 50.0] as [Double])
}

@Test func theLibrarySaysWhatItIs() {
  #expect(BLAS.threadCount >= 1)
  #expect(BLAS.configuration.contains("OpenBLAS") && BLAS.configuration.contains("kernels"))
}

@Test func unequalInnerExtentsTrap() async {
  await #expect(processExitsWith: .failure) {
    _ = BLAS.product(Tensor<Float>(repeating: 1, [2, 3]), Tensor<Float>(repeating: 1, [2, 3]))
  }
}
