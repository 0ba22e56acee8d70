import Graphs
import Tensors
import Testing
import Training

private func weights(_ matrix: Float, _ bias: Float, _ mean: Float) -> Weights {
  var weights = Weights([("w", [1, 1], .trainable), ("b", [1], .trainable), ("m", [1], .statistic)])
  weights.storage = [matrix, bias, mean]
  return weights
}

/// Two steps by hand: v₁ = 0.5 + 0.1·2 = 0.7, w₁ = 2 − 0.1·0.7 = 1.93; v₂ = 0.9·0.7 + 0.5 + 0.1·1.93 = 1.323, w₂ = 1.7977.
/// The bias does not decay: v₁ = 0.5, b₁ = 1.95; v₂ = 0.95, b₂ = 1.855. A statistic stays.
@Test func momentumDescentFollowsItsFormula() {
  var sgd = SGD(), w = weights(2, 2, 7), state = OptimizerState(moments: SGD.moments, count: 3)
  sgd.weightDecay = 0.1
  for _ in 0..<2 { sgd.update(&w, weights(0.5, 0.5, 9), &state, learningRate: 0.1) }
  #expect(abs(w.storage[0] - 1.7977) < 1e-6 && abs(w.storage[1] - 1.855) < 1e-6 && w.storage[2] == 7)
  #expect(state.step == 2)
}

/// torch.optim.AdamW: p ← p(1 − ηλ), then p ← p − η·m̂/(√v̂ + ε), in double precision.
@Test(arguments: [0.5, -3, 1e-3] as [Float]) func adamCorrectsBiasAndDecaysApart(gradient: Float) {
  var adam = AdamW(), w = weights(2, 2, 7), state = OptimizerState(moments: AdamW.moments, count: 3)
  adam.weightDecay = 0.1
  var expected = [2.0, 2.0], m = 0.0, v = 0.0
  for t in 1...5 {
    let g = Double(gradient) * Double(t), factor: (Double) -> Double = { x in (0..<t).reduce(1) { power, _ in power * x } }
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g * g
    let direction = (m / (1 - factor(0.9))) / ((v / (1 - factor(0.999))).squareRoot() + 1e-8)
    expected = [expected[0] * (1 - 0.01 * 0.1) - 0.01 * direction, expected[1] - 0.01 * direction]
    adam.update(&w, weights(Float(g), Float(g), 9), &state, learningRate: 0.01)
  }
  #expect(abs(Double(w.storage[0]) - expected[0]) < 2e-6 && abs(Double(w.storage[1]) - expected[1]) < 2e-6)
  #expect(w.storage[2] == 7)
}

@Test func schedulesWarmUpAndEndAsTheySay() {
  let cosine = Schedule(.cosine, warmupSteps: 4)
  #expect((0..<4).map { cosine.factor(step: $0, total: 104) } == [0.25, 0.5, 0.75, 1])
  #expect(cosine.factor(step: 4, total: 104) == 1 && abs(cosine.factor(step: 54, total: 104) - 0.5) < 1e-12)
  #expect(cosine.factor(step: 103, total: 104) < 3e-4 && cosine.factor(step: 103, total: 104) > 0)
  let stairs = Schedule(.step)
  #expect([0, 29, 31, 61, 89].map { stairs.factor(step: $0, total: 90) }.map { ($0 * 1e6).rounded() } == [1e6, 1e6, 1e5, 1e4, 1e4])
  #expect(Schedule(.constant).factor(step: 7, total: 9) == 1)
}
