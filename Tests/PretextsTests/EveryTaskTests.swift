import Engine
import Graphs
import Networks
import Pretexts
import Tensors
import Testing

/// A whole step on the engine against the interpreter, for every task of the catalogue: loss, answers and every gradient.
@Test(arguments: PretextTaskCatalog.all.map { $0.name }) func aStepOfEveryTaskIsThatOfTheInterpreter(name: String) throws {
  let task = PretextTaskCatalog.named(name)!.init(), isDense = name == MaskedPatches.name
  let count = isDense ? 2 : 6, side = isDense ? 32 : max(16, task.smallestSide), classes = task.classes(labels: ["a", "b"]).count
  func objective(_ fields: [String: Value], _ scope: Scope) -> Objective {
    guard isDense else { return task.objective(fields, backbone: ResNet10(width: 4), in: scope) }
    var network = UNet()
    (network.width, network.decoderWidth) = (4, 2)
    return task.objective(fields, backbone: network, in: scope)
  }
  let builder = GraphBuilder(), scope = Scope(builder, mode: .training), shapes = task.fields(side: side, classes: classes)
  let fields = Dictionary(uniqueKeysWithValues: shapes.sorted { $0.key < $1.key }.map { ($0.key, builder.input($0.key, [count] + $0.value)) })
  let asked = objective(fields, scope)
  var outputs = ["loss": asked.loss]
  for (question, values) in asked.judged { outputs[question.output] = values }
  let program = Program(inputs: fields, parameters: scope.parameters, outputs: outputs, minimizing: asked.loss, updates: scope.updates)

  var batch = ExampleBatch(shapes, count: count)
  let signal = SignalScale(unit: "photons", signal: { $0 + 3 }, value: { $0 - 3 })
  for place in 0..<count {
    var random = Philox(seed: 5, UInt64(place))
    func shot(_ seed: Int) -> MaskedImage { picture(side, side, seed: UInt64(seed), gaps: 0.02) }
    task.makeExample(
      from: Shot(shot(place), answer: place % 2, signal: signal, neighbour: .init(image: shot(place + 50), isLater: true)),
      in: ExampleContext(scaling: scaling, isAugmenting: true), using: &random, into: &batch, at: place)
  }
  var weights = scope.initialWeights(seed: 3), gradients = Weights(scope.parameters)
  let exact = program.interpreted(
    batch.fields.mapValues { $0.map(Double.init) },
    Dictionary(uniqueKeysWithValues: weights.slots.map { ($0.path, weights[$0.path].map(Double.init)) }))
  let found = try Plan(program, precision: .float32).run(batch.fields, &weights, gradients: &gradients)
  func size(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
  for (output, values) in exact.outputs {
    let error = size(zip(found[output]!.elements, values.elements).map { Double($0) - $1 })
    #expect(error < 1e-3 * max(1, size(values.elements)), "\(name): \(output)")
  }
  let largest = exact.gradients.values.map { size($0.elements) }.max()!
  #expect(largest > 0)
  for (path, gradient) in exact.gradients {
    let error = size(zip(gradients[path].elements, gradient.elements).map { Double($0) - $1 })
    #expect(error < 2e-2 * max(size(gradient.elements), 0.1 * largest), "\(name): \(path)")
  }
}

/// Simple figures of a plane: moments, likeness of neighbours along rows and columns, halves against each other, middle against all.
private func figures(_ plane: ArraySlice<Float>, side: Int) -> [Double] {
  let x = plane.map(Double.init), n = Double(x.count)
  func sum(_ term: (Int, Int) -> Double) -> Double {
    var total = 0.0
    for i in 0..<side { for j in 0..<side { total += term(i, j) } }
    return total / n
  }
  return [
    sum { x[$0 * side + $1] }, sum { x[$0 * side + $1] * x[$0 * side + $1] }, sum { x[$0 * side + $1] * x[$0 * side + $1] * x[$0 * side + $1] },
    sum { $1 + 1 < side ? x[$0 * side + $1] * x[$0 * side + $1 + 1] : 0 }, sum { $0 + 1 < side ? x[$0 * side + $1] * x[($0 + 1) * side + $1] : 0 },
    sum { 2 * $1 + 1 < side ? x[$0 * side + $1] : 2 * $1 + 1 > side ? -x[$0 * side + $1] : 0 },
    sum { 2 * $0 + 1 < side ? x[$0 * side + $1] : 2 * $0 + 1 > side ? -x[$0 * side + $1] : 0 },
    sum { abs(4 * $0 - 2 * side) < side && abs(4 * $1 - 2 * side) < side ? x[$0 * side + $1] : 0 },
  ]
}

/// White noise has no content. Whatever a task does to it, no figure may tell its answers apart: of 1500 examples the mean of each
/// figure with an answer lies within 5 standard errors of its mean over all.
@Test(arguments: ["flip", "symmetry", "crop-position", "crop-region", "crop-presence", "patch-direction", "single-image", "inversion", "tile-swap", "shot-order"])
func onNoiseNoFigureTellsTheAnswer(name: String) {
  let task = PretextTaskCatalog.named(name)!.init(), side = max(21, task.smallestSide), classes = task.classes(labels: []).count
  let unit = InputScaling(mean: 0, deviation: 1), shapes = task.fields(side: side, classes: classes)
  func noise(_ seed: UInt64) -> MaskedImage {
    var random = Philox(seed: 99, seed)
    return MaskedImage(pixels: Tensor([side, side], (0..<side * side).map { _ in Float(random.normal()) }), weight: Tensor(repeating: 1, [side, side]))
  }
  var seen: [Int: [[Double]]] = [:]
  for seed in 0..<1500 as Range<UInt64> {
    var random = Philox(seed: seed, 5)
    let shot = Shot(noise(2 * seed), neighbour: .init(image: noise(2 * seed + 1), isLater: true))
    let made = task.makeExample(from: shot, in: ExampleContext(scaling: unit, isAugmenting: true), classes: classes, using: &random)
    var answer = -1, found: [Double] = []
    for (field, shape) in shapes.sorted(by: { $0.key < $1.key }) {
      let numbers = made[field]!.elements
      if shape.rank >= 3 {
        let extent = shape.extents.last!
        for start in stride(from: 0, to: numbers.count, by: extent * extent) { found += figures(numbers[start..<start + extent * extent], side: extent) }
      } else if shape == [3] {
        // A region: of eight octants.
        answer = (0..<3).reduce(0) { 2 * $0 + (numbers[$1] > 0 ? 1 : 0) }
      } else {
        answer = numbers.count == 1 ? Int(numbers[0]) : numbers.firstIndex(of: 1)!
      }
    }
    seen[answer, default: []].append(found)
  }
  #expect(seen.count > 1)
  let all = seen.values.flatMap { $0 }, count = Double(all.count)
  for figure in all[0].indices {
    let mean = all.reduce(0) { $0 + $1[figure] } / count, variance = all.reduce(0) { $0 + ($1[figure] - mean) * ($1[figure] - mean) } / count
    for (answer, own) in seen {
      let difference = own.reduce(0) { $0 + $1[figure] } / Double(own.count) - mean
      #expect(difference * difference < 25 * variance / Double(own.count), "\(name): figure \(figure) of answer \(answer)")
    }
  }
}
