import Graphs
import Tensors
import Testing

/// Counts by loops over every tap, padding included, as the definition says.
@Test(arguments: [(3, 1, 1), (3, 2, 1), (1, 1, 0), (5, 3, 2), (7, 2, 3)])
func aConvolutionCountsOncePerTap(kernel: Int, step: Int, padding: Int) {
  let builder = GraphBuilder()
  let image = builder.input("x", [2, 3, 11, 9]), weights = builder.input("w", [4, 3, kernel, kernel])
  let y = image.convolved(with: weights, stride: step, padding: padding)
  var taps = 0
  for _ in 0..<2 * 4 {
    for _ in stride(from: -padding, through: 11 + padding - kernel, by: step) {
      for _ in stride(from: -padding, through: 9 + padding - kernel, by: step) { taps += 3 * kernel * kernel }
    }
  }
  #expect(Program(inputs: ["x": image], parameters: [], outputs: ["y": y]).multiplyAdds == taps)
  // Both gradients visit the same taps once each; nothing else counts.
  let training = Program(
    inputs: [:], parameters: [Parameter(path: "x", value: image), Parameter(path: "w", value: weights)],
    outputs: ["y": y], minimizing: (y * y).globalAverage().crossEntropy(builder.input("t", [2, 4])).mean())
  #expect(training.multiplyAdds == 3 * taps && training.floatingPointOperations == 6 * taps)
}

@Test(arguments: [(false, false), (true, false), (false, true), (true, true)])
func aMatrixProductCountsItsThreeExtents(left: Bool, right: Bool) {
  let builder = GraphBuilder()
  let a = builder.input("a", left ? [5, 3] : [3, 5]), b = builder.input("b", right ? [7, 5] : [5, 7])
  let c = a.times(b, transposingLeft: left, transposingRight: right)
  #expect(Program(inputs: ["a": a, "b": b], parameters: [], outputs: ["c": c]).multiplyAdds == 3 * 5 * 7)
}

@Test func whatIsNotNeededDoesNotCount() {
  let builder = GraphBuilder()
  let a = builder.input("a", [3, 5]), b = builder.input("b", [5, 7])
  _ = a.times(b)
  #expect(Program(inputs: ["a": a], parameters: [], outputs: ["y": a.relu()]).multiplyAdds == 0)
}
