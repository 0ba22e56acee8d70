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

/// A depthwise convolution has one channel per kernel; a transposed one counts as the convolution that undoes it.
@Test func groupsAndTranspositionsCountTheirOwnTaps() {
  let builder = GraphBuilder(), image = builder.input("x", [2, 6, 5, 5])
  let depthwise = image.convolved(with: builder.input("d", [6, 1, 3, 3]), padding: 1, groups: 6)
  #expect(Program(inputs: [:], parameters: [], outputs: ["y": depthwise]).multiplyAdds == 2 * 6 * 5 * 5 * 9)
  let grown = image.convolvedTransposed(with: builder.input("t", [6, 4, 2, 2]), stride: 2)
  #expect(grown.shape == [2, 4, 10, 10])
  #expect(Program(inputs: [:], parameters: [], outputs: ["y": grown]).multiplyAdds == 2 * 6 * 25 * 4 * 4)
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
