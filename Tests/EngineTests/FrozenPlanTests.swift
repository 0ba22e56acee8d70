import Engine
import Graphs
import Networks
import Tensors
import Testing

/// A residual block with a projection, stages that leave the graph, and convolutions with bias.
private func block(_ image: Value, in scope: Scope) -> [Value] {
  var x = BatchNorm(rectifies: true)(Conv2D(16, kernel: 5, stride: 2)(image, in: scope["stem"]), in: scope["bn"])
  var stages = [x]
  for (index, width) in [16, 32].enumerated() {
    let s = scope["block\(index)"], stride = index + 1
    var y = BatchNorm(rectifies: true)(Conv2D(width, stride: stride)(x, in: s["conv1"]), in: s["bn1"])
    y = BatchNorm()(Conv2D(width)(y, in: s["conv2"]), in: s["bn2"])
    let skip = stride == 1 ? x : BatchNorm()(Conv2D(width, kernel: 1, stride: stride)(x, in: s["down"]), in: s["bn3"])
    // Once in each order of the two branches.
    x = index == 0 ? y.addedReLU(skip) : skip.addedReLU(y)
    stages.append(x)
  }
  stages.append(Conv2D(8, kernel: 3, bias: true)(x, in: scope["last"]).relu())
  stages.append(Conv2D(8, kernel: 1, bias: true)(x, in: scope["linear"]))
  return stages
}

/// Weights whose statistics are not those of a fresh network, so that folding has something to do.
private func randomWeights(_ parameters: [Parameter], seed: UInt64) -> Weights {
  var random = Philox(seed: seed), weights = Weights(parameters)
  for slot in weights.slots {
    let positive = slot.path.hasSuffix("running_var") || slot.shape.rank == 1 && slot.path.hasSuffix("weight")
    weights[slot.path] = Tensor(
      slot.shape, (0..<slot.shape.count).map { _ in positive ? Float(random.uniform(0.5, 2)) : Float(random.normal(0, 0.3)) })
  }
  return weights
}

@Test(arguments: [Precision.float32, .bfloat16], [17, 24])
func foldedInferenceAgreesWithTheInterpreter(precision: Precision, side: Int) throws {
  guard precision == .float32 || runsBFloat16 else { return }
  let builder = GraphBuilder(), scope = Scope(builder, mode: .inference), image = builder.input("image", [2, 1, side, side])
  let stages = block(image, in: scope)
  let outputs = Dictionary(uniqueKeysWithValues: stages.enumerated().map { ("stage \($0)", $1) })
  let program = Program(inputs: ["image": image], parameters: scope.parameters, outputs: outputs)
  let weights = randomWeights(scope.parameters, seed: 7)
  let plan = try FrozenPlan(program, weights, precision: precision)
  #expect(!plan.kernels.contains { $0.node.hasPrefix("Normalization") }, "a normalisation was not folded: \(plan.kernels)")
  var random = Philox(seed: 8)
  for pass in 0..<3 {
    // What is prepared in the first run must serve the later ones.
    let x = Tensor<Float>(image.shape, (0..<image.shape.count).map { _ in Float(random.normal()) })
    let exact = program.interpreted(
      ["image": x.map(Double.init)], Dictionary(uniqueKeysWithValues: weights.slots.map { ($0.path, weights[$0.path].map(Double.init)) }))
    let results = try plan.evaluate(["image": x])
    for name in outputs.keys {
      let error = relativeError(results[name]!, exact.outputs[name]!)
      let limit = precision == .float32 ? 1e-5 : 3e-2
      #expect(error < limit, "\(name), pass \(pass): \(error)")
    }
  }
}

/// Bias and rectifier are part of a convolution in training too; the gradients must not notice.
@Test(arguments: Precision.allCases) func rectifiedConvolutionsWithBiasAgree(precision: Precision) throws {
  try compare([[3, 16, 12, 12], [32, 16, 3, 3], [32], [16, 32, 1, 1], [16]], precision, seed: 11) {
    $0[0].convolved(with: $0[1], padding: 1).addingBias($0[2]).relu().convolved(with: $0[3]).addingBias($0[4])
  }
}

/// A residual may be added in place, but not into memory that a reshaped value still names.
@Test(arguments: [3, 16]) func aReshapedValueOutlivesTheResidualThatSharesItsMemory(channels: Int) throws {
  let builder = GraphBuilder(), scope = Scope(builder, mode: .inference), image = builder.input("image", [2, channels, 6, 6])
  let early = Conv2D(channels, bias: true)(image, in: scope["early"]).relu()
  let flat = early.reshaped(to: [2, channels * 36])
  let sum = Conv2D(channels, bias: true)(image, in: scope["late"]).addedReLU(early)
  let both = Linear(4)(flat, in: scope["head"])
  let program = Program(inputs: ["image": image], parameters: scope.parameters, outputs: ["sum": sum, "both": both])
  let weights = randomWeights(scope.parameters, seed: 3), plan = try FrozenPlan(program, weights, precision: .float32)
  var random = Philox(seed: 4)
  let x = Tensor<Float>(image.shape, (0..<image.shape.count).map { _ in Float(random.normal()) })
  let exact = program.interpreted(
    ["image": x.map(Double.init)], Dictionary(uniqueKeysWithValues: weights.slots.map { ($0.path, weights[$0.path].map(Double.init)) }))
  let results = try plan.evaluate(["image": x])
  for name in ["sum", "both"] { #expect(relativeError(results[name]!, exact.outputs[name]!) < 1e-5, "\(name)") }
}
