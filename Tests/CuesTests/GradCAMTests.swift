import Cues
import Pretexts
import Tensors
import Testing

private func random(_ shape: Shape, seed: UInt64) -> Tensor<Float> {
  var generator = Philox(seed: seed)
  return Tensor(shape, (0..<shape.count).map { _ in Float(generator.uniform(-1, 1)) })
}

/// For a logit that is linear in the maps, Σ over places of the local map is the logit itself: nothing is lost or invented.
@Test(arguments: 0..<4) func localEvidenceOfALinearLogitAddsUpToIt(seed: Int) {
  let maps = random([3, 4, 5], seed: UInt64(seed)), weights = random([3, 4, 5], seed: UInt64(seed + 50))
  let logit = zip(maps.elements, weights.elements).reduce(Float(0)) { $0 + $1.0 * $1.1 }
  let evidence = GradCAM.map(maps, gradient: weights, weighting: .local)
  #expect(evidence.shape == [4, 5])
  #expect(abs(evidence.elements.reduce(0, +) - logit) < 1e-5)
}

/// By hand: two channels of 1×2, gradients with means 2 and -1.
@Test func meanWeightingFollowsItsFormula() {
  let maps = Tensor<Float>([2, 1, 2], [1, 3, 5, 7]), gradient = Tensor<Float>([2, 1, 2], [1, 3, -2, 0])
  // 2·(1, 3) − 1·(5, 7), and (1·1 − 2·5, 3·3 + 0·7).
  let mean: [Float] = [-3, -1], local: [Float] = [-9, 9]
  #expect(GradCAM.map(maps, gradient: gradient, weighting: .mean).elements == mean)
  #expect(GradCAM.map(maps, gradient: gradient, weighting: .local).elements == local)
}

@Test(arguments: [(3, 17), (5, 17), (4, 32), (1, 9)]) func enlargingCommutesWithMirroring(_ sizes: (cells: Int, side: Int)) {
  let map = random([sizes.cells, sizes.cells], seed: 3)
  let a = GradCAM.enlarged(Symmetry.mirror(map), to: sizes.side), b = Symmetry.mirror(GradCAM.enlarged(map, to: sizes.side))
  #expect(zip(a.elements, b.elements).allSatisfy { abs($0 - $1) < 1e-5 })
  // A constant stays what it is.
  #expect(GradCAM.enlarged(Tensor(repeating: 2, [sizes.cells, sizes.cells]), to: sizes.side).elements.allSatisfy { abs($0 - 2) < 1e-6 })
}

@Test func thePeakIsTheStrongestOfEitherSign() {
  let peak = GradCAM.peak(Tensor([2, 3], [0, 1, 2, -5, 4, 3]))
  #expect(peak.row == 1 && peak.column == 0)
}
