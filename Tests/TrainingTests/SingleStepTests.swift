import Engine
import Foundation
import Graphs
import Host
import Networks
import Tensors
import Testing
import Training

private final class Files {
  let folder = NSTemporaryDirectory() + "step-\(UUID().uuidString)"
  deinit { try? FileManager.default.removeItem(atPath: folder) }
  var weights: String { folder + "/weights.safetensors" }
  var batch: String { folder + "/batch.safetensors" }

  /// Random numbers for every array of `step`, with step counters as PyTorch writes them.
  func writeWeights(_ step: SingleStep, change: (inout [SafeTensors.Entry]) -> Void = { _ in }) throws {
    var random = Philox(seed: 3), entries: [SafeTensors.Entry] = []
    for array in try step.arrays() {
      let shape = Shape(array.shape), isVariance = array.name.hasSuffix("running_var")
      entries.append(.init(name: array.name, Tensor<Float>(shape, (0..<shape.count).map { _ in
        Float(isVariance ? random.uniform(0.5, 2) : random.normal(0, 0.2))
      })))
      if isVariance { entries.append(.init(name: array.name.replacingOccurrences(of: "running_var", with: "num_batches_tracked"), Tensor<Int64>([], [7]))) }
    }
    change(&entries)
    try SafeTensors.write(entries, to: weights)
  }

  func writeBatch(_ image: Shape = [4, 3, 33, 33], _ target: SafeTensors.Entry? = .init(name: "target", Tensor<Int64>([4], [0, 2, 1, 2]))) throws {
    var random = Philox(seed: 4)
    let picture = Tensor<Float>(image, (0..<image.count).map { _ in Float(random.normal()) })
    try SafeTensors.write([.init(name: "image", picture)] + [target].compactMap { $0 }, to: batch)
  }
}

private func residual() throws -> SingleStep {
  try SingleStep(network: "resnet10", settings: .object(["width": .integer(4), "inputs": .integer(3)]), classes: 3)
}

/// The oracle is the interpreter in double precision, on a graph built here.
@Test func aStepGivesTheNumbersOfTheInterpreter() throws {
  let files = Files(), step = try residual()
  try files.writeWeights(step)
  try files.writeBatch()
  let found = Dictionary(uniqueKeysWithValues: try step.run(weights: files.weights, batch: files.batch).map { ($0.name, $0) })
  let contents = SafeTensors.Contents(path: "", tensors: found, metadata: [:])

  let builder = GraphBuilder(), scope = Scope(builder, mode: .training)
  let image = builder.input("image", [4, 3, 33, 33]), target = builder.input("target", [4, 3])
  var backbone = ResNet10(width: 4)
  backbone.inputs = 3
  let logits = Linear(3)(backbone.codewords(image, in: scope), in: scope["fc"]), loss = logits.crossEntropy(target).mean()
  let program = Program(
    inputs: ["image": image, "target": target], parameters: scope.parameters, outputs: ["logits": logits, "loss": loss], minimizing: loss,
    updates: scope.updates)
  let weights = try SafeTensors.read(files.weights), batch = try SafeTensors.read(files.batch)
  let expected = program.interpreted(
    ["image": try batch.floats("image").map(Double.init), "target": Tensor([4, 3], [1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1])],
    Dictionary(uniqueKeysWithValues: try scope.parameters.map { ($0.path, try weights.floats($0.path).map(Double.init)) }))
  var all = expected.outputs
  for (path, value) in expected.gradients { all["gradient.\(path)"] = value }
  for (path, value) in expected.updates { all["statistic.\(path)"] = value }
  #expect(Set(all.keys) == Set(found.keys))
  for (name, value) in all {
    let own = try contents.floats(name), size = value.elements.reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(own.shape == value.shape)
    let difference = zip(own.elements, value.elements).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }.squareRoot()
    #expect(difference < 1e-4 * size, "\(name)")
  }
}

@Test func answersMayBeDistributions() throws {
  let files = Files(), step = try residual()
  try files.writeWeights(step)
  try files.writeBatch()
  let indices = try step.run(weights: files.weights, batch: files.batch)
  try files.writeBatch([4, 3, 33, 33], .init(name: "target", Tensor<Float>([4, 3], [1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1])))
  #expect(try step.run(weights: files.weights, batch: files.batch) == indices)
}

@Test func weightsOfAnotherNetworkAreRefusedArrayByArray() throws {
  let files = Files(), step = try residual()
  try files.writeBatch()
  try files.writeWeights(step) { entries in
    entries.removeAll { $0.name == "layer2.0.bn1.bias" }
    entries.append(.init(name: "layer9.weight", Tensor<Float>([1], [0])))
    entries.removeAll { $0.name == "fc.weight" }
    entries.append(.init(name: "fc.weight", Tensor<Float>(repeating: 0, [5, 32])))
  }
  let found = inputError { _ = try step.run(weights: files.weights, batch: files.batch) }?.found ?? ""
  #expect(found.contains("1 missing: layer2.0.bn1.bias [8]") && found.contains("1 extra: layer9.weight [1]"))
  #expect(found.contains("fc.weight [5×32] instead of [3×32]"))
}

@Test(arguments: [
  ([4, 2, 33, 33], nil, "image"), ([4, 3, 33], nil, "image"), ([4, 3, 33, 33], nil, "target"),
  ([4, 3, 33, 33], SafeTensors.Entry(name: "target", Tensor<Int64>([3], [0, 0, 0])), "target"),
  ([4, 3, 33, 33], .init(name: "target", Tensor<Int64>([4], [0, 3, 0, 0])), "target, element 1"),
  ([4, 3, 33, 33], .init(name: "target", Tensor<Float>([4, 2], [0, 0, 0, 0, 0, 0, 0, 0])), "target"),
] as [([Int], SafeTensors.Entry?, String)]) func aBatchThatDoesNotFitIsNamed(_ image: [Int], _ target: SafeTensors.Entry?, _ place: String) throws {
  let files = Files(), step = try residual()
  try files.writeWeights(step)
  try files.writeBatch(Shape(image), target)
  let error = inputError { _ = try step.run(weights: files.weights, batch: files.batch) }
  #expect(error?.path == files.batch && error?.place == place)
}

@Test func aPictureTooSmallIsRefusedBeforeAnythingIsBuilt() throws {
  let files = Files(), step = try SingleStep(network: "alexnet", classes: 3)
  try files.writeBatch([2, 1, 48, 48], .init(name: "target", Tensor<Int64>([2], [0, 1])))
  let error = inputError { _ = try step.run(weights: files.weights, batch: files.batch) }
  #expect(error?.expected == "alexnet admits sides of at least 63 pixels" && error?.found == "48×48")
}

@Test func namesAndShapesAreListedWithoutWeights() throws {
  let arrays = try SingleStep(network: "resnet18", settings: .object(["inputs": .integer(3)]), classes: 1000).arrays()
  #expect(arrays.first == .init(name: "conv1.weight", shape: [64, 3, 7, 7], role: .trainable))
  #expect(arrays.last == .init(name: "fc.bias", shape: [1000], role: .trainable))
  #expect(arrays.count == 122 - 20)
  let flat = { (side: Int?) in try SingleStep(network: "lenet5", classes: 10).arrays(side: side).first { $0.name == "fc1.weight" }?.shape }
  #expect(try flat(nil) == [120, 400])
  #expect(try flat(20) == [120, 64])
  #expect(inputError { _ = try flat(8) }?.expected == "lenet5 admits sides of at least 16 pixels")
}

@Test func aNetworkThatDoesNotExistIsNamed() throws {
  #expect(inputError { _ = try SingleStep(network: "resnet20", classes: 3) }?.found == "\"resnet20\"")
  #expect(inputError { _ = try SingleStep(network: "resnet18", settings: .object(["depth": .integer(3)]), classes: 3) }?.place == "backbone.settings.depth")
  #expect(inputError { _ = try SingleStep(network: "resnet18", classes: 0) }?.place == "classes")
}
