import Graphs
import Tensors
import Testing

func random(_ shape: Shape, _ generator: inout Philox) -> Tensor<Double> {
  Tensor(shape, (0..<shape.count).map { _ in generator.uniform(-1, 1) })
}

/// Compares ⟨u, J v⟩ by central differences with ⟨Jᵀu, v⟩ by the graph, for random u and v: one projection tests every entry.
/// `build` may return several values; each is weighted by a random tensor before summing, so that no entry can cancel.
func gradientError(_ shapes: [Shape], seed: UInt64, _ build: ([Value]) -> Value) -> Double {
  var g = Philox(seed: seed)
  let builder = GraphBuilder()
  let inputs = shapes.enumerated().map { builder.input("x\($0)", $1) }
  let output = build(inputs)
  let weight = builder.input("u", output.shape)
  let loss = (output * weight).sum()
  let grads = gradients(of: loss, withRespectTo: inputs)
  let x = shapes.map { random($0, &g) }, v = shapes.map { random($0, &g) }, u = random(output.shape, &g)
  let feeds = { (values: [Tensor<Double>]) in Array(zip(inputs, values)) + [(weight, u)] }
  let exact = zip(interpret(grads, feeding: feeds(x)), v)
    .map { zip($0.elements, $1.elements).map(*).reduce(0, +) }.reduce(0, +)
  func f(_ step: Double) -> Double {
    let moved = zip(x, v).map { p, d in Tensor(p.shape, zip(p.elements, d.elements).map { $0 + step * $1 }) }
    return interpret([loss], feeding: feeds(moved))[0].elements[0]
  }
  let numeric = (f(1e-6) - f(-1e-6)) / 2e-6
  return abs(numeric - exact) / max(1, abs(exact))
}

@Test(arguments: [(1, 0, 3), (1, 1, 3), (2, 1, 3), (2, 0, 1), (3, 2, 5)], 0..<3)
func aConvolutionHasItsGradient(_ geometry: (stride: Int, padding: Int, kernel: Int), seed: Int) {
  let error = gradientError([[2, 3, 6, 5], [4, 3, geometry.kernel, geometry.kernel]], seed: UInt64(seed)) {
    $0[0].convolved(with: $0[1], stride: geometry.stride, padding: geometry.padding)
  }
  #expect(error < 1e-7)
}

@Test(arguments: [(4, 6, 2), (3, 3, 3), (3, 6, 3), (4, 4, 4)], [(1, 1, 3), (2, 1, 3), (1, 0, 2), (2, 0, 1)])
func aGroupedConvolutionHasItsGradient(
  _ channels: (image: Int, maps: Int, groups: Int), _ geometry: (stride: Int, padding: Int, kernel: Int)
) {
  let kernel: Shape = [channels.maps, channels.image / channels.groups, geometry.kernel, geometry.kernel]
  for seed in 0..<2 as Range<UInt64> {
    let error = gradientError([[2, channels.image, 5, 6], kernel], seed: seed) {
      $0[0].convolved(with: $0[1], stride: geometry.stride, padding: geometry.padding, groups: channels.groups)
    }
    #expect(error < 1e-7)
  }
}

@Test(arguments: [(1, 0, 3), (2, 0, 2), (2, 1, 4), (3, 1, 3), (1, 1, 1), (3, 0, 2)], 0..<3)
func aTransposedConvolutionHasItsGradient(_ geometry: (stride: Int, padding: Int, kernel: Int), seed: Int) {
  let error = gradientError([[2, 3, 4, 3], [3, 2, geometry.kernel, geometry.kernel]], seed: UInt64(seed)) {
    $0[0].convolvedTransposed(with: $0[1], stride: geometry.stride, padding: geometry.padding)
  }
  #expect(error < 1e-7)
}

@Test(arguments: [Resize.Sampling.nearest, .bilinear], [[8, 6], [4, 3], [7, 11], [1, 1], [2, 5], [12, 3]])
func aResizingHasItsGradient(sampling: Resize.Sampling, size: [Int]) {
  for seed in 0..<3 as Range<UInt64> {
    #expect(gradientError([[2, 3, 4, 3]], seed: seed) { $0[0].resized(to: size, by: sampling) } < 1e-7)
  }
}

@Test(arguments: [1, 3, 5, 7], [1, 2, 6])
func aLocalResponseNormalizationHasItsGradient(size: Int, channels: Int) {
  for seed in 0..<3 as Range<UInt64> {
    let error = gradientError([[2, channels, 3, 2]], seed: seed) {
      $0[0].normalizedAcrossChannels(size: size, alpha: 0.5, beta: 0.75, k: 1.5)
    }
    #expect(error < 1e-7)
  }
}

@Test(arguments: [[1, 1], [2, 3], [3, 4], [7, 7], [5, 6]]) func anAdaptiveAverageHasItsGradient(size: [Int]) {
  for seed in 0..<3 as Range<UInt64> {
    #expect(gradientError([[2, 2, 5, 6]], seed: seed) { $0[0].adaptiveAverage(to: size) } < 1e-7)
  }
}

@Test(arguments: 0..<3) func aNormalizationWithALimitHasItsGradient(seed: Int) {
  let operation = Normalization(rectifies: true, upTo: 0.5)
  #expect(gradientError([[3, 2, 4, 3], [2], [2]], seed: UInt64(seed)) { $0[0].appended(operation, [$0[1], $0[2]])[0] } < 1e-6)
}

@Test(arguments: [false, true], 0..<3)
func aNormalizationHasItsGradient(rectifies: Bool, seed: Int) {
  let operation = Normalization(rectifies: rectifies)
  #expect(gradientError([[3, 2, 4, 3], [2], [2]], seed: UInt64(seed)) { $0[0].appended(operation, [$0[1], $0[2]])[0] } < 1e-6)
  let given = gradientError([[3, 2, 4, 3], [2], [2]], seed: UInt64(seed)) {
    let mean = $0[0].constant(0.3, [2]), variance = $0[0].constant(0.8, [2])
    return $0[0].appended(operation, [$0[1], $0[2], mean, variance])[0]
  }
  #expect(given < 1e-6)
}

@Test(arguments: [Pooling.Kind.maximum, .average], [(3, 2, 1), (2, 2, 0), (3, 1, 0)])
func aPoolingHasItsGradient(kind: Pooling.Kind, _ window: (kernel: Int, stride: Int, padding: Int)) {
  let error = gradientError([[2, 3, 7, 6]], seed: 3) {
    $0[0].pooled(kind, kernel: window.kernel, stride: window.stride, padding: window.padding)
  }
  #expect(error < 1e-7)
}

@Test(arguments: [Pooling.Kind.maximum, .average], [(3, 2, 0), (2, 2, 0), (3, 2, 1), (3, 3, 1), (2, 3, 0)])
func aPoolingThatRoundsUpHasItsGradient(kind: Pooling.Kind, _ window: (kernel: Int, stride: Int, padding: Int)) {
  for shape in [[2, 3, 7, 6], [1, 2, 8, 5], [1, 1, 4, 3]] as [Shape] {
    let error = gradientError([shape], seed: 4) {
      $0[0].pooled(kind, kernel: window.kernel, stride: window.stride, padding: window.padding, roundsUp: true)
    }
    #expect(error < 1e-7)
  }
  #expect(gradientError([[2, 3, 7, 6]], seed: 5) { $0[0].pooled(.average, kernel: 3, stride: 2, padding: 1, countsPadding: true) } < 1e-7)
}

@Test(arguments: [false, true], [false, true])
func aMatrixProductHasItsGradient(left: Bool, right: Bool) {
  let error = gradientError([left ? [5, 3] : [3, 5], right ? [4, 5] : [5, 4]], seed: 4) {
    $0[0].times($0[1], transposingLeft: left, transposingRight: right)
  }
  #expect(error < 1e-8)
}

func masked(_ x: Value, _ rate: Double, _ unit: BernoulliMask.Unit, _ stream: UInt64) -> Value {
  x.appended(BernoulliMask(rate: rate, stream: stream, per: unit), [x.constant(3, [2])])[0]
}

@Test(arguments: [
  ("add", [[2, 3], [2, 3]]), ("subtract", [[2, 3], [2, 3]]), ("multiply", [[2, 3], [2, 3]]), ("scale", [[4]]),
  ("relu", [[5, 4]]), ("add then relu", [[2, 3, 4, 4], [2, 3, 4, 4]]), ("sum", [[3, 4]]), ("mean", [[3, 4]]),
  ("broadcast", [[]]), ("reshape", [[2, 3, 4]]), ("mirror", [[2, 1, 3, 5]]), ("mirror rows", [[2, 1, 3, 5]]), ("mirror examples", [[3, 4]]), ("concatenate", [[2, 3], [4, 3]]),
  ("rows", [[6, 3]]), ("first rows", [[6, 3]]), ("global average", [[2, 3, 4, 5]]), ("bias 2", [[4, 3], [3]]),
  ("bias 4", [[2, 3, 4, 5], [3]]), ("cross entropy", [[4, 5], [4, 5]]), ("binary cross entropy", [[6], [6]]),
  ("running average", [[3], [3]]), ("concatenate channels", [[2, 3, 2, 2], [2, 1, 2, 2], [2, 4, 2, 2]]),
  ("concatenate columns", [[2, 3, 2], [2, 3, 4]]), ("channels", [[2, 6, 2, 3]]), ("last channels", [[2, 6, 2, 3]]),
  ("relu to 0.4", [[5, 4, 2, 2]]), ("add then relu to 0.4", [[5, 4], [5, 4]]), ("dropout", [[3, 5, 4]]),
  ("drop path", [[6, 2, 3, 1]]), ("cross entropy of pixels", [[2, 3, 4, 2]]), ("smoothed cross entropy", [[4, 5]]),
  ("binary cross entropy of pixels", [[2, 1, 4, 3]]), ("masked mean", [[3, 2, 4, 3]]),
  ("power", [[3, 4]]), ("square root", [[3, 4]]), ("normalized rows", [[3, 4]]), ("times a literal", [[2, 3]]), ("mean over nothing", [[3, 2, 4, 3]]),
] as [(String, [Shape])], 0..<3)
func anOperationHasItsGradient(_ sample: (name: String, shapes: [Shape]), seed: Int) {
  let build: ([Value]) -> Value = { x in
    switch sample.name {
    case "add": x[0] + x[1]
    case "subtract": x[0] - x[1]
    case "multiply": x[0] * x[1]
    case "scale": x[0].scaled(by: -2.5)
    case "relu": x[0].relu()
    case "add then relu": x[0].addedReLU(x[1])
    case "sum": x[0].sum()
    case "mean": x[0].mean()
    case "broadcast": x[0].appended(Broadcast(to: [3, 2]))[0]
    case "reshape": x[0].reshaped(to: [4, 6])
    case "mirror": x[0].mirrored()
    case "mirror rows": x[0].mirrored(axis: 2)
    case "mirror examples": x[0].mirrored(axis: 0)
    case "concatenate": Value.concatenated([x[0], x[1]])
    case "rows": x[0].rows(2..<5)
    case "first rows": x[0].rows(0..<2)
    case "global average": x[0].globalAverage()
    case "bias 2", "bias 4": x[0].addingBias(x[1])
    // Targets are constants of the loss: no gradient is defined for them, so they are detached here.
    case "cross entropy": x[0].crossEntropy(x[1].scaled(by: 0) + x[0].constant(0.2, [4, 5]))
    case "binary cross entropy": x[0].binaryCrossEntropy(x[1].scaled(by: 0) + x[0].constant(0.7, [6]))
    case "running average": x[0].appended(RunningAverage(momentum: 0.1, correction: 1.2), [x[1]])[0]
    case "concatenate channels": x[0].concatenated(with: [x[1], x[2]], axis: 1)
    case "concatenate columns": x[0].concatenated(with: [x[1]], axis: 2)
    case "channels": x[0].sliced(2..<5, axis: 1)
    case "last channels": x[0].sliced(4..<6, axis: 1)
    case "relu to 0.4": x[0].relu(upTo: 0.4)
    case "add then relu to 0.4": x[0].appended(ReLU(upTo: 0.4), [x[1]])[0]
    case "dropout": masked(x[0], 0.4, .element, UInt64(seed))
    case "drop path": masked(x[0], 0.4, .example, UInt64(seed))
    case "cross entropy of pixels": x[0].crossEntropy(x[0].constant(0.3, [2, 3, 4, 2]))
    case "smoothed cross entropy": x[0].crossEntropy(masked(x[0].constant(0.3, [4, 5]), 0.5, .element, 1), smoothing: 0.1)
    case "binary cross entropy of pixels": x[0].binaryCrossEntropy(x[0].constant(0.7, [2, 1, 4, 3]))
    case "masked mean": x[0].mean(over: masked(x[0].constant(1, [3, 1, 4, 3]), 0.5, .element, UInt64(seed)))
    case "power": (x[0] * x[0] + x[0].constant(0.5, [3, 4])).power(-1.5)
    case "square root": (x[0] * x[0] + x[0].constant(0.5, [3, 4])).squareRoot()
    case "normalized rows": x[0].normalizedRows()
    case "times a literal": x[0] * x[0].constant(Tensor([2, 3], [1, -2, 0, 0.5, 3, 4]))
    case "mean over nothing": x[0].mean(over: x[0].constant(0, [3, 1, 4, 3]))
    default: preconditionFailure("no operation \(sample.name)")
    }
  }
  #expect(gradientError(sample.shapes, seed: UInt64(seed), build) < 1e-7)
}

@Test func aVariableUsedTwiceCollectsBothGradients() {
  #expect(gradientError([[3, 3]], seed: 9) { $0[0] * $0[0] + $0[0].times($0[0]) } < 1e-8)
}

@Test func mismatchedShapesTrapWithBothShapes() {
  #expect { try Add().outputShapes([[2], [3]]) } throws: { "\($0)" == "cannot add [2] and [3]" }
}

@Test func everyOperationNamesShapesThatDoNotFit() {
  func message(_ operation: some Operation, _ shapes: [Shape]) -> String {
    do {
      _ = try operation.outputShapes(shapes)
      return "accepted"
    } catch { return "\(error)" }
  }
  #expect(message(Convolution(groups: 2), [[1, 4, 5, 5], [4, 4, 3, 3]]) == "kernel [4×4×3×3] does not fit image [1×4×5×5] in 2 groups")
  #expect(message(Convolution(groups: 2), [[1, 4, 5, 5], [3, 2, 3, 3]]).contains("in 2 groups"))
  #expect(message(TransposedConvolution(), [[1, 4, 5, 5], [3, 4, 3, 3]]) == "transposed kernel [3×4×3×3] does not fit image [1×4×5×5]")
  #expect(message(TransposedConvolution(padding: 2), [[1, 4, 1, 5], [4, 4, 3, 3]]).contains("leaves nothing"))
  #expect(message(Concatenate(axis: 1), [[1, 4, 5, 5], [1, 4, 5, 6]]).contains("[1×4×5×6]"))
  #expect(message(Concatenate(axis: 2), [[1, 4], [1, 4]]).contains("axis 2"))
  #expect(message(Slice(axis: 1, range: 2..<5), [[6, 4]]) == "range 2..<5 of axis 1 does not lie in [[6×4]]")
  #expect(message(Resize(to: [2, 2], .nearest), [[6, 4]]).contains("[6×4]"))
  #expect(message(AdaptiveAverage(to: [2, 2]), [[6, 4]]).contains("[6×4]"))
  #expect(message(LocalResponseNormalization(size: 5), [[6, 4]]).contains("[6×4]"))
  #expect(message(BernoulliMask(rate: 0.5, stream: 1, per: .element), [[6, 4], [3]]) == "a counter holds seed and step, got [3]")
  #expect(message(CrossEntropy(), [[6, 4, 2], [6, 4, 2]]).contains("[6×4×2]"))
  #expect(message(BinaryCrossEntropy(), [[6, 1, 2, 2], [6, 2, 2, 2]]).contains("[6×2×2×2]"))
  #expect(message(MaskedMean(), [[6, 3, 2, 2], [6, 3, 2, 2]]) == "mask [6×3×2×2] does not fit [6×3×2×2]")
}

@Test func addingMismatchedShapesTraps() async {
  await #expect(processExitsWith: .failure) {
    let b = GraphBuilder()
    _ = b.input("a", [2]) + b.input("b", [3])
  }
}

/// f = x·sg(x): the derivative is x, not 2x; and none flows through an assignment.
@Test func noGradientFlowsThroughDetachedValues() {
  let builder = GraphBuilder(), x = builder.input("x", [2, 3]), numbers = Tensor<Double>([2, 3], [1, -2, 3, 0.5, 4, -1])
  let gradient = gradients(of: (x * x.detached()).sum(), withRespectTo: [x])
  #expect(interpret(gradient, feeding: [(x, numbers)])[0] == numbers)
  let none = gradients(of: x.balancedAssignment(epsilon: 1).sum(), withRespectTo: [x])
  #expect(interpret(none, feeding: [(x, numbers)])[0] == Tensor(repeating: 0, [2, 3]))
}
