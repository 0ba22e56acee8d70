import Foundation
import Graphs
import Tensors
import Testing

/// `build` on the interpreter.
func evaluated(_ inputs: [Tensor<Double>], _ build: ([Value]) -> Value) -> Tensor<Double> {
  let builder = GraphBuilder(), values = inputs.enumerated().map { builder.input("x\($0)", $1.shape) }
  return interpret([build(values)], feeding: Array(zip(values, inputs)))[0]
}

func expectClose(_ a: Tensor<Double>, _ b: Tensor<Double>, sourceLocation: SourceLocation = #_sourceLocation) {
  #expect(a.shape == b.shape, sourceLocation: sourceLocation)
  #expect(zip(a.elements, b.elements).allSatisfy { abs($0 - $1) <= 1e-12 * max(1, abs($1)) }, sourceLocation: sourceLocation)
}

@Test(arguments: 0..<4) func aConvolutionInGroupsIsOneConvolutionPerGroup(seed: Int) {
  var g = Philox(seed: UInt64(seed))
  let groups = [1, 2, 3, 6][seed], x = random([2, 6, 5, 4], &g), k = random([12, 6 / groups, 3, 3], &g)
  let whole = evaluated([x, k]) { $0[0].convolved(with: $0[1], stride: 2, padding: 1, groups: groups) }
  let parts = evaluated([x, k]) { v in
    .concatenated(
      (0..<groups).map { i in
        v[0].sliced(i * 6 / groups..<(i + 1) * 6 / groups, axis: 1)
          .convolved(with: v[1].rows(i * 12 / groups..<(i + 1) * 12 / groups), stride: 2, padding: 1)
      }, axis: 1)
  }
  expectClose(whole, parts)
}

/// ⟨conv(x), y⟩ = ⟨x, convᵀ(y)⟩, the definition of an adjoint.
@Test(arguments: [(1, 0, 3), (2, 0, 2), (2, 1, 4), (3, 1, 3)]) func aTransposedConvolutionIsTheAdjoint(
  _ geometry: (stride: Int, padding: Int, kernel: Int)
) {
  var g = Philox(seed: 2)
  let y = random([2, 3, 4, 5], &g), kernel = random([3, 2, geometry.kernel, geometry.kernel], &g)
  let up = evaluated([y, kernel]) { $0[0].convolvedTransposed(with: $0[1], stride: geometry.stride, padding: geometry.padding) }
  #expect(up.shape[2] == 3 * geometry.stride - 2 * geometry.padding + geometry.kernel)
  let x = random(up.shape, &g)
  let down = evaluated([x, kernel]) { $0[0].convolved(with: $0[1], stride: geometry.stride, padding: geometry.padding) }
  func dot(_ a: Tensor<Double>, _ b: Tensor<Double>) -> Double { zip(a.elements, b.elements).reduce(0) { $0 + $1.0 * $1.1 } }
  #expect(abs(dot(down, y) - dot(x, up)) < 1e-10)
}

@Test func aTransposedConvolutionStampsItsKernel() {
  let stamped = evaluated([Tensor([1, 1, 1, 2], [2, 3]), Tensor([1, 1, 2, 2], [1, 10, 100, 1000])]) {
    $0[0].convolvedTransposed(with: $0[1], stride: 2)
  }
  #expect(stamped == Tensor([1, 1, 2, 4], [2, 20, 3, 30, 200, 2000, 300, 3000]))
}

@Test func resizingByHand() {
  let x = Tensor<Double>([1, 1, 1, 2], [0, 1])
  #expect(evaluated([x]) { $0[0].resized(to: [2, 4], by: .nearest) }.elements == [0, 0, 1, 1, 0, 0, 1, 1])
  #expect(evaluated([x]) { $0[0].resized(to: [1, 4], by: .bilinear) }.elements == [0, 0.25, 0.75, 1])
  let five = Tensor<Double>([1, 1, 1, 5], [0, 1, 2, 3, 4])
  // Pixel centres at 5/3·(i + ½) = 0.83, 2.5, 4.17.
  #expect(evaluated([five]) { $0[0].resized(to: [1, 3], by: .nearest) }.elements == [0, 2, 4])
  expectClose(evaluated([five]) { $0[0].resized(to: [1, 3], by: .bilinear) }, Tensor([1, 1, 1, 3], [1.0 / 3, 2, 11.0 / 3]))
}

@Test(arguments: [Resize.Sampling.nearest, .bilinear], [1, 2, 3, 5, 8, 13])
func resizingAndMirroringCommute(sampling: Resize.Sampling, width: Int) {
  var g = Philox(seed: 7)
  let x = random([1, 2, 3, 5], &g)
  // No nearest point of these widths lies exactly between two pixels, where left and right would differ.
  expectClose(
    evaluated([x]) { $0[0].mirrored().resized(to: [4, width], by: sampling) },
    evaluated([x]) { $0[0].resized(to: [4, width], by: sampling).mirrored() })
}

@Test func localResponseNormalizationByHand() {
  let ones = Tensor<Double>(repeating: 1, [1, 3, 1, 1])
  let y = evaluated([ones]) { $0[0].normalizedAcrossChannels(size: 3, alpha: 0.3, beta: 0.75, k: 2) }
  expectClose(y, Tensor([1, 3, 1, 1], [pow(2.2, -0.75), pow(2.3, -0.75), pow(2.2, -0.75)]))
  let two = Tensor<Double>([1, 2, 1, 2], [1, 2, 3, 4])
  let alone = evaluated([two]) { $0[0].normalizedAcrossChannels(size: 1, alpha: 0.5, beta: 1, k: 1) }
  expectClose(alone, Tensor([1, 2, 1, 2], [1 / 1.5, 2 / 3.0, 3 / 5.5, 4 / 9.0]))
}

@Test func rectifiersStopAtTheirLimit() {
  let x = Tensor<Double>([5], [-1, 0, 3, 6, 9])
  #expect(evaluated([x]) { $0[0].relu(upTo: 6) }.elements == [0, 0, 3, 6, 6])
  let slope = evaluated([x]) { v in gradients(of: v[0].relu(upTo: 6).sum(), withRespectTo: [v[0]])[0] }
  #expect(slope.elements == [0, 0, 1, 0, 0])
}

@Test func poolingsCountWindowsAsPyTorchDoes() throws {
  func count(_ extent: Int, _ kernel: Int, _ stride: Int, _ padding: Int) throws -> Int {
    try Pooling(.maximum, kernel: kernel, stride: stride, padding: padding, roundsUp: true).outputShapes([[1, 1, extent, 9]])[0][2]
  }
  // GoogLeNet's maximum pooling halves 112 to 56; the floor would be 55.
  #expect(try count(112, 3, 2, 0) == 56)
  #expect(try count(4, 3, 2, 0) == 2)
  #expect(try count(5, 3, 2, 0) == 2)
  // A third window would begin at 3, which is right padding.
  #expect(try count(3, 2, 2, 1) == 2)
  #expect(try count(5, 2, 3, 0) == 2)
  #expect(try count(4, 1, 3, 0) == 2)
}

@Test func poolingsByHand() {
  let overhanging = evaluated([Tensor([1, 1, 3, 3], (1...9).map(Double.init))]) {
    $0[0].pooled(.average, kernel: 2, stride: 2, roundsUp: true)
  }
  #expect(overhanging.elements == [3, 4.5, 7.5, 9])
  let ones = Tensor<Double>(repeating: 1, [1, 1, 2, 2])
  #expect(evaluated([ones]) { $0[0].pooled(.average, kernel: 3, stride: 1, padding: 1) }.elements == [1, 1, 1, 1])
  expectClose(
    evaluated([ones]) { $0[0].pooled(.average, kernel: 3, stride: 1, padding: 1, countsPadding: true) },
    Tensor(repeating: 4.0 / 9, [1, 1, 2, 2]))
  // Windows of 5 pixels in three: 0..<2, 1..<4, 3..<5.
  #expect(evaluated([Tensor([1, 1, 1, 5], [0, 2, 4, 6, 8])]) { $0[0].adaptiveAverage(to: [1, 3]) }.elements == [1, 4, 7])
  #expect(evaluated([Tensor([1, 1, 1, 2], [0, 2])]) { $0[0].adaptiveAverage(to: [2, 4]) }.elements == [0, 0, 2, 2, 0, 0, 2, 2])
}

@Test func crossEntropyOfPixelsIsThatOfTheirRows() {
  var g = Philox(seed: 12)
  let z = random([2, 3, 2, 4], &g), t = random([2, 3, 2, 4], &g).map { abs($0) }
  func rows(_ x: Tensor<Double>) -> Tensor<Double> {
    var elements: [Double] = []
    for pixel in 0..<16 {
      for channel in 0..<3 { elements.append(x.elements[(pixel / 8 * 3 + channel) * 8 + pixel % 8]) }
    }
    return Tensor([16, 3], elements)
  }
  let pixels = evaluated([z, t]) { $0[0].crossEntropy($0[1]) }
  #expect(pixels.shape == [2, 1, 2, 4])
  expectClose(pixels.reshaped(to: [16]), evaluated([rows(z), rows(t)]) { $0[0].crossEntropy($0[1]) })
}

@Test func labelSmoothingByHand() {
  // softmax of (log 2, log 1, log 1) is (½, ¼, ¼).
  let z = Tensor<Double>([1, 3], [log(2), 0, 0]), t = Tensor<Double>([1, 3], [1, 0, 0])
  expectClose(
    evaluated([z, t]) { $0[0].crossEntropy($0[1], smoothing: 0.3) },
    Tensor([1], [(0.7 + 0.1) * log(2) + 0.2 * log(4)]))
}

@Test func pixelsWithoutAMeasurementDoNotCount() {
  let x = Tensor<Double>([2, 2, 1, 2], [1, 2, 3, 4, 5, 6, 7, 8]), m = Tensor<Double>([2, 1, 1, 2], [1, 0, 0, 1])
  // Pixel 0 of the first example (1 and 3), pixel 1 of the second (6 and 8).
  #expect(evaluated([x, m]) { $0[0].mean(over: $0[1]) }.elements == [4.5])
  #expect(evaluated([x, m.map { _ in 0 }]) { $0[0].mean(over: $0[1]) }.elements == [0])
  let ones = m.map { _ in 1.0 }
  #expect(evaluated([x, ones]) { $0[0].mean(over: $0[1]) } == evaluated([x]) { $0[0].mean() })
}

/// Rows sum to 1 and, after enough rounds, columns to N/K; the ratios of ratios are those of the scores, which scaling rows and columns
/// leaves alone.
@Test func aBalancedAssignmentUsesAllClustersAlike() {
  let builder = GraphBuilder(), x = builder.input("x", [4, 2]), scores = Tensor<Double>([4, 2], [3, 0, 2, 1, 2.5, -1, 0.5, 0])
  let shares = interpret([x.balancedAssignment(epsilon: 0.5, rounds: 200)], feeding: [(x, scores)])[0].elements
  for row in 0..<4 { #expect(abs(shares[2 * row] + shares[2 * row + 1] - 1) < 1e-9) }
  for column in 0..<2 { #expect(abs(stride(from: column, to: 8, by: 2).reduce(0) { $0 + shares[$1] } - 2) < 1e-9) }
  let crossed = shares[0] * shares[3] / (shares[1] * shares[2]), expected = exp((3 + 1 - 0 - 2) / 0.5)
  #expect(abs(crossed / expected - 1) < 1e-9)
}

@Test func rowsAreNormalizedByHand() {
  let builder = GraphBuilder(), x = builder.input("x", [2, 2])
  let found = interpret([x.normalizedRows()], feeding: [(x, Tensor([2, 2], [3, -4, 0, 2]))])[0].elements
  #expect(zip(found, [0.6, -0.8, 0, 1]).allSatisfy { abs($0 - $1) < 1e-12 })
}
