import Foundation
import Graphs
import Networks
import Tensors
import Testing

import Engine

/// A convolution whose three passes have several kernels to choose from.
private func network(_ image: Shape, _ kernel: Shape) -> (program: Program, parameters: [Parameter]) {
  let builder = GraphBuilder()
  let parameters = [("x", image), ("k", kernel)].map { Parameter(path: $0, value: builder.input($0, $1)) }
  let y = parameters[0].value.convolved(with: parameters[1].value, stride: 1, padding: 1)
  let u = builder.input("u", y.shape), loss = (y * u).sum()
  return (Program(inputs: ["u": u], parameters: parameters, outputs: ["y": y], minimizing: loss), parameters)
}

/// Largest |a − b| as a share of the root mean square of b.
private func worstElement(_ a: Tensor<Float>, _ b: Tensor<Double>) -> Double {
  let size = (b.elements.reduce(0) { $0 + $1 * $1 } / Double(b.elements.count)).squareRoot()
  return zip(a.elements, b.elements).map { abs(Double($0) - $1) }.max()! / size
}

/// Winograd's transforms add and subtract before they multiply, so single elements lose bits: every element of all three
/// passes stays within a thousandth of a per cent of the array's size beside the exact values, in nets of usual widths.
@Test(arguments: [14, 7, 9], [UInt64(1), 2])
func winogradElementsStayCloseToExactOnes(side: Int, seed: UInt64) throws {
  let (program, parameters) = network([2, 32, side, side], [48, 32, 3, 3])
  var random = Philox(seed: seed), weights = Weights(parameters), gradients = Weights(parameters)
  weights.storage = weights.storage.map { _ in Float(random.normal()) }
  let u = Tensor<Float>([2, 48, side, side], (0..<2 * 48 * side * side).map { _ in Float(random.normal()) })
  let plan = try Plan(program, precision: .float32)
  let exact = program.interpreted(
    ["u": u.map(Double.init)], ["x": weights["x"].map(Double.init), "k": weights["k"].map(Double.init)])
  let outputs = try plan.run(["u": u], &weights, gradients: &gradients)
  try #require(plan.kernels.contains { $0.kernel.contains("wino") }, "this machine has no Winograd kernel: \(plan.kernels)")
  #expect(worstElement(outputs["y"]!, exact.outputs["y"]!) < 1e-5)
  for path in ["x", "k"] { #expect(worstElement(gradients[path], exact.gradients[path]!) < 1e-5, "\(path)") }
}

@Suite struct TimedKernels {
  let folder = NSTemporaryDirectory() + "kernels-\(UUID().uuidString)"

  /// Few places and many channels: a matrix product competes with the library's own kernels.
  @Test func theChosenKernelComputesTheSameAndIsRemembered() throws {
    let path = folder + "/deep/kernels.json", (program, parameters) = network([2, 64, 4, 4], [32, 64, 3, 3])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var random = Philox(seed: 3), weights = Weights(parameters), gradients = Weights(parameters)
    weights.storage = weights.storage.map { _ in Float(random.normal()) }
    let u = Tensor<Float>([2, 32, 4, 4], (0..<1024).map { _ in Float(random.normal()) })
    let exact = program.interpreted(
      ["u": u.map(Double.init)], ["x": weights["x"].map(Double.init), "k": weights["k"].map(Double.init)])
    let timings = KernelTimings(path: path), plan = try Plan(program, precision: .float32, choice: .timed(timings))
    _ = try plan.run(["u": u], &weights, gradients: &gradients)
    for key in ["x", "k"] { #expect(relativeError(gradients[key], exact.gradients[key]!) < 1e-5, "\(key)") }

    // Another process would read the file and choose the same without timing.
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.contains("kernel gradient float32 [2×64×4×4]") && text.contains("forward float32"))
    let again = try Plan(program, precision: .float32, choice: .timed(KernelTimings(path: path)))
    #expect(again.kernels.map(\.kernel) == plan.kernels.map(\.kernel))
    #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
  }

  @Test(arguments: ["product", "direct", "winograd"]) func everyKernelOfTheKernelGradientAgrees(name: String) throws {
    let (program, parameters) = network([3, 32, 8, 8], [16, 32, 3, 3]), timings = KernelTimings()
    let problem = "kernel gradient float32 [3×32×8×8] [16×32×3×3] stride 1 padding 1 groups 1"
    timings.remember(name, of: "\(timings.machine), \(EngineThreads.count) threads, \(problem)")
    var random = Philox(seed: 4), weights = Weights(parameters), gradients = Weights(parameters)
    weights.storage = weights.storage.map { _ in Float(random.normal()) }
    let u = Tensor<Float>([3, 16, 8, 8], (0..<3072).map { _ in Float(random.normal()) })
    let plan = try Plan(program, precision: .float32, choice: .timed(timings))
    let used = plan.kernels.filter { $0.node.hasPrefix("ConvolutionKernelGradient") }.map(\.kernel)
    #expect(used.contains { $0 == "native" } == (name == "product"))
    #expect(used.contains { $0.contains("wino") } == (name == "winograd"))
    _ = try plan.run(["u": u], &weights, gradients: &gradients)
    let exact = program.interpreted(
      ["u": u.map(Double.init)], ["x": weights["x"].map(Double.init), "k": weights["k"].map(Double.init)])
    #expect(relativeError(gradients["k"], exact.gradients["k"]!) < 1e-5)
  }

  /// Odd and even widths, strides, padding, blocks of rows and of pictures, fewer maps than a tile, and the stem's plain pictures.
  @Test(arguments: [
    ([3, 32, 9, 9], [48, 32, 3, 3], 1, 1), ([2, 16, 10, 11], [80, 16, 3, 3], 2, 1), ([5, 32, 7, 7], [64, 32, 1, 1], 1, 0),
    ([2, 16, 9, 8], [64, 16, 1, 1], 2, 0), ([1, 16, 70, 66], [16, 16, 3, 3], 1, 1), ([2, 32, 33, 40], [16, 32, 5, 5], 2, 2),
    ([40, 16, 4, 4], [32, 16, 3, 3], 1, 1), ([2, 1, 20, 23], [64, 1, 7, 7], 2, 3), ([2, 3, 80, 64], [32, 3, 3, 3], 1, 1),
    ([1, 16, 5, 5], [16, 16, 5, 5], 1, 0), ([2, 16, 13, 13], [16, 16, 3, 3], 3, 1),
  ])
  func kernelGradientsByPairsOfColumnsAgree(image: [Int], kernel: [Int], stride: Int, padding: Int) throws {
    guard runsBFloat16 else { return }
    let processor = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
    let builder = GraphBuilder(), x = builder.input("x", Shape(image)), scope = Scope(builder, mode: .training)
    let k = scope.parameter("k", Shape(kernel), .constant(0))
    let y = x.convolved(with: k, stride: stride, padding: padding)
    // A weighted sum, so that the gradient of the maps is not the same everywhere.
    let u = builder.input("u", y.shape)
    let program = Program(inputs: ["x": x, "u": u], parameters: scope.parameters, outputs: [:], minimizing: (y * u).sum())
    let timings = KernelTimings()
    let problem = "kernel gradient bfloat16 \(Shape(image)) \(Shape(kernel)) stride \(stride) padding \(padding) groups 1"
    timings.remember("pairs", of: "\(timings.machine), \(EngineThreads.count) threads, \(problem)")
    let plan = try Plan(program, precision: .bfloat16, choice: .timed(timings))
    let isOwn = plan.kernels.contains { $0.node.hasPrefix("ConvolutionKernelGradient") && $0.kernel == "native" }
    #expect(isOwn == processor.contains(" avx512_bf16 "), "\(plan.kernels)")
    var random = Philox(seed: 12), weights = Weights(scope.parameters), gradients = Weights(scope.parameters)
    // Numbers that bfloat16 holds exactly, so that only the order of summation differs.
    func drawn(_ shape: Shape) -> Tensor<Float> {
      Tensor(shape, (0..<shape.count).map { _ in Float(Int.random(in: -64...64, using: &random)) / 16 })
    }
    let batch = ["x": drawn(x.shape), "u": drawn(u.shape)]
    let exact = program.interpreted(batch.mapValues { $0.map(Double.init) }, ["k": weights["k"].map(Double.init)])
    for _ in 0..<2 {
      _ = try plan.run(batch, &weights, gradients: &gradients)
      #expect(relativeError(gradients["k"], exact.gradients["k"]!) < 1e-5)
    }
  }

  @Test func aDamagedCacheIsTimedAgain() throws {
    let path = folder + ".json"
    try Data("{\"version\": 1, \"fastest\": [".utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let (program, _) = network([1, 16, 8, 8], [16, 16, 3, 3])
    _ = try Plan(program, precision: .float32, choice: .timed(KernelTimings(path: path)))
    #expect(try String(contentsOfFile: path, encoding: .utf8).contains("image gradient float32"))
  }
}
