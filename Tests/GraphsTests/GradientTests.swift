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

@Test(arguments: [false, true], [false, true])
func aMatrixProductHasItsGradient(left: Bool, right: Bool) {
  let error = gradientError([left ? [5, 3] : [3, 5], right ? [4, 5] : [5, 4]], seed: 4) {
    $0[0].times($0[1], transposingLeft: left, transposingRight: right)
  }
  #expect(error < 1e-8)
}

@Test(arguments: [
  ("add", [[2, 3], [2, 3]]), ("subtract", [[2, 3], [2, 3]]), ("multiply", [[2, 3], [2, 3]]), ("scale", [[4]]),
  ("relu", [[5, 4]]), ("add then relu", [[2, 3, 4, 4], [2, 3, 4, 4]]), ("sum", [[3, 4]]), ("mean", [[3, 4]]),
  ("broadcast", [[]]), ("reshape", [[2, 3, 4]]), ("mirror", [[2, 1, 3, 5]]), ("concatenate", [[2, 3], [4, 3]]),
  ("rows", [[6, 3]]), ("first rows", [[6, 3]]), ("global average", [[2, 3, 4, 5]]), ("bias 2", [[4, 3], [3]]),
  ("bias 4", [[2, 3, 4, 5], [3]]), ("cross entropy", [[4, 5], [4, 5]]), ("binary cross entropy", [[6], [6]]),
  ("running average", [[3], [3]]),
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
    case "concatenate": Value.concatenated([x[0], x[1]])
    case "rows": x[0].rows(2..<5)
    case "first rows": x[0].rows(0..<2)
    case "global average": x[0].globalAverage()
    case "bias 2", "bias 4": x[0].addingBias(x[1])
    // Targets are constants of the loss: no gradient is defined for them, so they are detached here.
    case "cross entropy": x[0].crossEntropy(x[1].scaled(by: 0) + x[0].constant(0.2, [4, 5]))
    case "binary cross entropy": x[0].binaryCrossEntropy(x[1].scaled(by: 0) + x[0].constant(0.7, [6]))
    case "running average": x[0].appended(RunningAverage(momentum: 0.1, correction: 1.2), [x[1]])[0]
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

@Test func addingMismatchedShapesTraps() async {
  await #expect(processExitsWith: .failure) {
    let b = GraphBuilder()
    _ = b.input("a", [2]) + b.input("b", [3])
  }
}
