import Engine
import Graphs
import Networks
import Tensors
import Testing

/// ‖a − b‖ / ‖b‖ over all elements.
func relativeError(_ a: Tensor<Float>, _ b: Tensor<Double>) -> Double {
  var difference = 0.0, size = 0.0
  for (x, y) in zip(a.elements, b.elements) {
    difference += (Double(x) - y) * (Double(x) - y)
    size += y * y
  }
  return (difference / max(size, 1e-12)).squareRoot()
}

/// Whether this CPU runs bfloat16 convolutions at all (oneDNN needs AVX-512).
let runsBFloat16: Bool = {
  let builder = GraphBuilder(), x = builder.input("x", [1, 1, 8, 8]), k = builder.input("k", [16, 1, 3, 3])
  let program = Program(inputs: ["x": x, "k": k], parameters: [], outputs: ["y": x.convolved(with: k)])
  do {
    _ = try Plan(program, precision: .bfloat16)
    return true
  } catch { return false }
}()

/// The relative error a path may have: rounding of float32, or of bfloat16 with its 8 bits of mantissa.
let tolerance: [Precision: Double] = [.float32: 3e-5, .bfloat16: 2.5e-2]

/// Runs output and input gradients of `build` on the plan and on the interpreter and compares every array.
func compare(
  _ shapes: [Shape], _ precision: Precision, seed: UInt64, sourceLocation: SourceLocation = #_sourceLocation,
  _ build: ([Value]) -> Value
) throws {
  guard precision == .float32 || runsBFloat16 else { return }
  var random = Philox(seed: seed)
  let builder = GraphBuilder()
  let parameters = shapes.enumerated().map { Parameter(path: "x\($0)", value: builder.input("x\($0)", $1)) }
  let output = build(parameters.map(\.value)), weight = builder.input("u", output.shape)
  let loss = (output * weight).sum()
  let program = Program(inputs: ["u": weight], parameters: parameters, outputs: ["y": output, "loss": loss], minimizing: loss)
  // Numbers that bfloat16 holds exactly, so that both sides start from the same ones: otherwise a pooling would pick
  // another of two nearly equal pixels.
  func draw(_ shape: Shape) -> Tensor<Float> {
    Tensor(shape, (0..<shape.count).map { _ in Float(bitPattern: Float(random.uniform(-1, 1)).bitPattern & 0xFFFF_0000) })
  }
  var weights = Weights(parameters), gradients = Weights(parameters)
  for parameter in parameters { weights[parameter.path] = draw(parameter.value.shape) }
  let u = draw(output.shape)
  let exact = program.interpreted(
    ["u": u.map(Double.init)], Dictionary(uniqueKeysWithValues: parameters.map { ($0.path, weights[$0.path].map(Double.init)) }))
  let plan = try Plan(program, precision: precision)
  for pass in 0..<2 {
    // The second pass must not see anything of the first.
    let results = try plan.run(["u": u], &weights, gradients: &gradients)
    let limit = tolerance[precision]!
    #expect(relativeError(results["y"]!, exact.outputs["y"]!) < limit, "y, pass \(pass)", sourceLocation: sourceLocation)
    for parameter in parameters where exact.gradients[parameter.path]!.elements.contains(where: { $0 != 0 }) {
      let error = relativeError(gradients[parameter.path], exact.gradients[parameter.path]!)
      #expect(error < limit, "gradient of \(parameter.path), pass \(pass)", sourceLocation: sourceLocation)
    }
  }
}

@Test(arguments: Precision.allCases, 0..<8)
func convolutionsOfRandomShapesAgree(precision: Precision, seed: Int) throws {
  var random = Philox(seed: UInt64(seed), 1)
  func pick(_ numbers: [Int]) -> Int { numbers.randomElement(using: &random)! }
  let kernel = pick([1, 3, 5, 7]), stride = pick([1, 2]), channels = pick([1, 3, 16, 24])
  let height = pick([9, 12, 17]), width = pick([8, 15, 17])
  try compare([[pick([1, 2, 5]), channels, height, width], [pick([1, 8, 16, 33]), channels, kernel, kernel]], precision, seed: UInt64(seed)) {
    $0[0].convolved(with: $0[1], stride: stride, padding: kernel / 2)
  }
}

@Test(arguments: Precision.allCases, 0..<8)
func normalizationsOfRandomShapesAgree(precision: Precision, seed: Int) throws {
  var random = Philox(seed: UInt64(seed), 2)
  let rectifies = seed % 2 == 0
  let channels = [1, 3, 16, 20].randomElement(using: &random)!, side = Int.random(in: 3...9, using: &random)
  let operation = Normalization(rectifies: rectifies)
  try compare([[4, channels, side, side + 1], [channels], [channels]], precision, seed: UInt64(seed)) {
    $0[0].appended(operation, [$0[1], $0[2]])[0]
  }
  try compare([[4, channels, side, side + 1], [channels], [channels]], precision, seed: UInt64(seed)) {
    $0[0].appended(operation, [$0[1], $0[2], $0[0].constant(0.1, [channels]), $0[0].constant(0.7, [channels])])[0]
  }
}

@Test(arguments: Precision.allCases, [(3, 2, 1), (2, 2, 0), (3, 1, 0)])
func poolingsAgree(precision: Precision, window: (kernel: Int, stride: Int, padding: Int)) throws {
  for kind in [Pooling.Kind.maximum, .average] {
    for (channels, height, width) in [(3, 7, 6), (16, 9, 9), (17, 8, 5)] {
      try compare([[2, channels, height, width]], precision, seed: 5) {
        $0[0].pooled(kind, kernel: window.kernel, stride: window.stride, padding: window.padding)
      }
    }
  }
}

@Test(arguments: Precision.allCases, 0..<3) func everythingElseAgrees(precision: Precision, seed: Int) throws {
  let s = UInt64(seed)
  try compare([[3, 16, 4, 5], [3, 16, 4, 5]], precision, seed: s) { ($0[0] + $0[1]).relu() }
  try compare([[3, 5, 4, 5], [3, 5, 4, 5]], precision, seed: s) { $0[0].addedReLU($0[1]) }
  try compare([[4, 3], [4, 3]], precision, seed: s) { $0[0] * $0[1] - $0[0].scaled(by: 0.3) }
  try compare([[3, 17, 5, 4]], precision, seed: s) { $0[0].globalAverage() }
  try compare([[3, 17, 1, 1]], precision, seed: s) { $0[0].globalAverage() }
  for (left, right) in [(false, false), (false, true), (true, false), (true, true)] {
    try compare([left ? [7, 3] : [3, 7], right ? [5, 7] : [7, 5]], precision, seed: s) {
      $0[0].times($0[1], transposingLeft: left, transposingRight: right)
    }
  }
  try compare([[4, 3], [3]], precision, seed: s) { $0[0].addingBias($0[1]) }
  try compare([[4, 3, 5, 6], [3]], precision, seed: s) { $0[0].addingBias($0[1]) }
  try compare([[4, 6]], precision, seed: s) { $0[0].reshaped(to: [2, 12]) }
  for axis in 0..<4 { try compare([[2, 2, 3, 5]], precision, seed: s) { $0[0].mirrored(axis: axis) } }
  try compare([[5, 4]], precision, seed: s) { $0[0].normalizedRows() }
  try compare([[5, 4]], precision, seed: s) { ($0[0] * $0[0] + $0[0].constant(0.5, [5, 4])).power(-0.5) }
  try compare([[5, 4]], precision, seed: s) { $0[0] * $0[0].detached() + $0[0].constant(Tensor([5, 4], (0..<20).map { Double($0 % 3) })) }
  try compare([[5, 4]], precision, seed: s) { $0[0] * $0[0].balancedAssignment(epsilon: 0.5) }
  try compare([[2, 3], [4, 3]], precision, seed: s) { Value.concatenated([$0[0], $0[1]]).rows(1..<5) }
  try compare([[4, 5]], precision, seed: s) { $0[0].crossEntropy($0[0].constant(0.2, [4, 5])) }
  try compare([[6]], precision, seed: s) { $0[0].binaryCrossEntropy($0[0].constant(1, [6])) }
  try compare([[3], [3]], precision, seed: s) { $0[0].appended(RunningAverage(momentum: 0.1, correction: 1.5), [$0[1]])[0] }
  try compare([[2, 3]], precision, seed: s) { $0[0].mean().appended(Broadcast(to: [3]))[0] }
}

/// A small residual network with the antisymmetric flip head: everything that training uses, wired as training wires it.
func network(mode: Scope.Mode) -> (scope: Scope, program: Program) {
  let builder = GraphBuilder(), scope = Scope(builder, mode: mode)
  let image = builder.input("image", [4, 1, 33, 33]), target = builder.input("target", [4])
  let codewords = ResNet10(width: 8).codewords(Value.concatenated([image, image.mirrored()]), in: scope["backbone"])
  let score = Linear(1, bias: false)(codewords, in: scope["head"]).reshaped(to: [8])
  let logit = score.rows(0..<4) - score.rows(4..<8), loss = logit.binaryCrossEntropy(target).mean()
  return (scope, Program(
    inputs: ["image": image, "target": target], parameters: scope.parameters, outputs: ["loss": loss, "logit": logit],
    minimizing: loss, updates: scope.updates))
}

/// Ten steps of gradient descent on the plan follow the same ten steps in double precision on the interpreter.
@Test(arguments: Precision.allCases) func tenStepsOfTrainingFollowTheInterpreter(precision: Precision) throws {
  guard precision == .float32 || runsBFloat16 else { return }
  let (scope, program) = network(mode: .training), plan = try Plan(program, precision: precision)
  var weights = scope.initialWeights(seed: 3), gradients = Weights(program.parameters), random = Philox(seed: 8)
  var exact = Dictionary(uniqueKeysWithValues: weights.slots.map { ($0.path, weights[$0.path].map(Double.init)) })
  let batch = [
    "image": Tensor<Float>([4, 1, 33, 33], (0..<4 * 1089).map { _ in Float(random.normal()) }),
    "target": Tensor<Float>([4], [1, 0, 0, 1]),
  ]
  var losses: [Double] = []
  for step in 0..<10 {
    let results = try plan.run(batch, &weights, gradients: &gradients)
    let reference = program.interpreted(batch.mapValues { $0.map(Double.init) }, exact)
    let expected = reference.outputs["loss"]!.elements[0], found = Double(results["loss"]!.elements[0])
    losses.append(expected)
    #expect(abs(found - expected) < (precision == .float32 ? 2e-3 : 6e-2) * max(1, expected), "step \(step)")
    for slot in weights.slots {
      if slot.role == .trainable {
        for (i, j) in zip(slot.range, 0..<slot.shape.count) {
          weights.storage[i] -= 0.02 * gradients.storage[i]
          exact[slot.path]!.elements[j] -= 0.02 * reference.gradients[slot.path]!.elements[j]
        }
      } else {
        exact[slot.path] = reference.updates[slot.path]!
        #expect(relativeError(weights[slot.path], exact[slot.path]!) < (precision == .float32 ? 2e-2 : 0.2), "\(slot.path)")
      }
    }
  }
  #expect(losses[9] < 0.7 * losses[0])
}

@Test func theSameProgramGivesTheSameBitsTwice() throws {
  let (scope, program) = network(mode: .training)
  var random = Philox(seed: 9)
  let batch = [
    "image": Tensor<Float>([4, 1, 33, 33], (0..<4 * 1089).map { _ in Float(random.normal()) }),
    "target": Tensor<Float>([4], [1, 0, 0, 1]),
  ]
  func step() throws -> (Weights, Weights) {
    var weights = scope.initialWeights(seed: 1), gradients = Weights(program.parameters)
    _ = try Plan(program, precision: .float32).run(batch, &weights, gradients: &gradients)
    return (weights, gradients)
  }
  let a = try step(), b = try step()
  #expect(a.0 == b.0 && a.1 == b.1)
}

@Test func aWrongBatchIsNamed() throws {
  let (scope, program) = network(mode: .inference), plan = try Plan(program, precision: .float32)
  let weights = scope.initialWeights(seed: 1)
  #expect { try plan.evaluate(["target": Tensor(repeating: 0, [4])], weights) } throws: { "\($0)".contains("image") }
  let small = ["target": Tensor<Float>(repeating: 0, [4]), "image": Tensor<Float>(repeating: 0, [4, 1, 32, 33])]
  #expect { try plan.evaluate(small, weights) } throws: { "\($0)" == "image: expected [4×1×33×33], found [4×1×32×33]" }
}

/// Pictures narrower than a stride, at which oneDNN's own bfloat16 kernel gradient reads memory that nobody wrote: every buffer
/// that the plan shares holds large numbers before.
@Test(arguments: Precision.allCases, [(7, 1, 3, 2, 1), (1, 1, 3, 2, 1), (5, 2, 3, 3, 1), (5, 2, 5, 3, 2)])
func convolutionsOfNarrowPicturesAgree(precision: Precision, _ c: (height: Int, width: Int, kernel: Int, stride: Int, padding: Int)) throws {
  for channels in [16, 20] {
    try compare([[2, channels, c.height, c.width], [32, channels, c.kernel, c.kernel], [2, 32, 8, 8]], precision, seed: 3) {
      let large = ($0[2] * $0[2]).scaled(by: 1e30).sum().scaled(by: 1e-33)
      let y = $0[0].convolved(with: $0[1], stride: c.stride, padding: c.padding)
      return y + large.appended(Broadcast(to: y.shape))[0]
    }
  }
}

/// Channels that do not fill their last block of sixteen.
@Test(arguments: Precision.allCases, [(24, 24), (24, 144), (17, 33), (40, 20), (16, 2), (48, 7)])
func convolutionsOfUnfilledBlocksAgree(precision: Precision, _ channels: (image: Int, maps: Int)) throws {
  for (kernel, stride) in [(1, 1), (3, 1), (3, 2)] {
    try compare([[2, channels.image, 9, 7], [channels.maps, channels.image, kernel, kernel]], precision, seed: 4) {
      $0[0].convolved(with: $0[1], stride: stride, padding: kernel / 2)
    }
  }
  try compare([[2, channels.image, 9, 7], [channels.image, 1, 3, 3]], precision, seed: 4) {
    $0[0].convolved(with: $0[1], padding: 1, groups: channels.image)
  }
}
