import Evaluation
import Tensors
import Testing

/// The share of mirrored and unmirrored noisy pictures that the optimal linear detector, the sign of ⟨x, P − FP⟩, gets right.
private func detectedShare(_ pattern: [Double], width: Int, noise: Double, frames: Int, _ random: inout Philox) -> Double {
  let mirrored = pattern.indices.map { pattern[$0 / width * width + width - 1 - $0 % width] }
  var right = 0
  for frame in 0..<frames {
    let truth = frame % 2 == 0 ? pattern : mirrored
    var product = 0.0
    for i in truth.indices where pattern[i] != mirrored[i] {
      product += (truth[i] + random.normal(0, noise)) * (pattern[i] - mirrored[i])
    }
    if (product > 0) == (frame % 2 == 0) { right += 1 }
  }
  return Double(right) / Double(frames)
}

@Test(arguments: [(0.5, 0.638), (1, 0.760), (2, 0.921), (3, 0.983)])
func oneHotPixelGivesItsAccuracy(_ amplitude: Double, _ tabulated: Double) {
  let oracle = AnalyticOracle.flipAccuracy(pixelAmplitude: amplitude)
  #expect(abs(oracle - tabulated) < 6e-4)
  var pattern = [Double](repeating: 0, count: 64), random = Philox(seed: 1)
  pattern[10] = amplitude * 1.7
  let measured = detectedShare(pattern, width: 8, noise: 1.7, frames: 40000, &random)
  #expect(abs(measured - oracle) < 4 * (oracle * (1 - oracle) / 40000).squareRoot())
}

@Test(arguments: [0.02, 0.05, 0.1]) func aFixedPatternGivesItsAccuracy(_ ratio: Double) {
  let side = 32, patterns = 40, frames = 400
  let oracle = AnalyticOracle.flipAccuracy(patternToNoise: ratio, pixels: side * side)
  var measured: [Double] = [], known: [Double] = []
  for seed in 0..<patterns {
    var random = Philox(seed: UInt64(seed), 7)
    let pattern = (0..<side * side).map { _ in random.normal(0, ratio * 3) }
    measured.append(detectedShare(pattern, width: side, noise: 3, frames: frames, &random))
    known.append(AnalyticOracle.flipAccuracy(pattern: Tensor([side, side], pattern.map(Float.init)), noise: 3))
  }
  #expect(abs(Statistics.mean(measured) - oracle) < 0.01, "\(Statistics.mean(measured)) against \(oracle)")
  #expect(abs(Statistics.mean(known) - oracle) < 0.005)
}

@Test func onePerCentOfPatternSolvesTheFlip() {
  // 224² pixels: .001 -> 56 %, .005 -> 79 %, .01 -> 94 %, .02 -> 99.9 %.
  let accuracies = [0.001, 0.005, 0.01, 0.02].map { AnalyticOracle.flipAccuracy(patternToNoise: $0, pixels: 224 * 224) }
  #expect(zip(accuracies, [0.563, 0.786, 0.943, 0.9992]).allSatisfy { abs($0 - $1) < 1e-3 })
  #expect(AnalyticOracle.flipAccuracy(pattern: Tensor(repeating: 3, [4, 6]), noise: 1) == 0.5)
}
