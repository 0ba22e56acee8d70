import Foundation
import Host
import Networks
import Tensors
import Testing
import Training

/// A file as torchvision saves a network of this width: every array, the classifier, step counters.
private func write(_ path: String, inputs: Int = 1, change: (inout [SafeTensors.Entry]) -> Void = { _ in }) throws -> [SafeTensors.Entry] {
  let step = try SingleStep(network: "resnet10", settings: .object(["width": .integer(4), "inputs": .integer(inputs)]), classes: 1000)
  var random = Philox(seed: 8), entries: [SafeTensors.Entry] = []
  for array in try step.arrays() {
    let shape = Shape(array.shape)
    entries.append(.init(name: array.name, Tensor<Float>(shape, (0..<shape.count).map { _ in Float(random.uniform(0.1, 1)) })))
    if let norm = array.name.range(of: "running_var") {
      entries.append(.init(name: array.name[..<norm.lowerBound] + "num_batches_tracked", Tensor<Int64>([], [9])))
    }
  }
  change(&entries)
  try SafeTensors.write(entries, to: path)
  return entries
}

@Test(arguments: [1, 3]) func aRunStartsFromAFileOfTorchvision(inputs: Int) throws {
  let tiny = try TinyCorpus(), file = tiny.folder + "/net.safetensors", entries = try write(file, inputs: inputs)
  let recipe = tiny.recipe {
    $0.initialWeights = file
    $0.backbone = Choice(name: "resnet10", settings: .object(["width": .integer(4), "inputs": .integer(inputs)]))
  }
  let trainer = try Trainer(recipe, folder: tiny.folder + "/run"), start = trainer.checkpoint.weights
  #expect(trainer.initialWeights?.taken == 60)
  #expect(trainer.initialWeights?.leftOut.filter { !$0.hasSuffix("num_batches_tracked") } == ["fc.bias", "fc.weight"])
  let contents = SafeTensors.Contents(path: "", tensors: Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0) }), metadata: [:])
  for slot in start.slots where slot.path.hasPrefix("backbone.") {
    #expect(try start[slot.path] == contents.floats(String(slot.path.dropFirst(9))), "\(slot.path)")
  }
  // The head is fresh, as it would be without the file.
  var fresh = recipe
  fresh.initialWeights = nil
  let other = try Trainer(fresh, folder: tiny.folder + "/fresh")
  #expect(other.initialWeights == nil && other.checkpoint.weights["head.weight"] == start["head.weight"])
  #expect(other.checkpoint.weights["backbone.conv1.weight"] != start["backbone.conv1.weight"])
  // A stopped run goes on from its own checkpoint, wherever the file lies by then.
  #expect(try trainer.run(shouldStop: { true }) == .stopped(step: 1))
  try FileManager.default.createDirectory(atPath: tiny.folder + "/moved", withIntermediateDirectories: false)
  try FileManager.default.moveItem(atPath: file, toPath: tiny.folder + "/moved/net.safetensors")
  var moved = recipe
  moved.initialWeights = tiny.folder + "/moved/net.safetensors"
  try FileManager.default.removeItem(atPath: tiny.folder + "/moved/net.safetensors")
  #expect(try Trainer(moved, folder: tiny.folder + "/run").step == 1)
}

@Test func aFileThatIsNotTheBackbonesIsRefusedArrayByArray() throws {
  let tiny = try TinyCorpus(), file = tiny.folder + "/net.safetensors"
  let recipe = tiny.recipe { $0.initialWeights = file }
  func refusal(inputs: Int = 1, _ change: (inout [SafeTensors.Entry]) -> Void = { _ in }) throws -> InputError? {
    _ = try write(file, inputs: inputs, change: change)
    return inputError { _ = try Trainer(recipe, folder: tiny.folder + "/run") }
  }
  let missing = try refusal { entries in entries.removeAll { $0.name == "layer3.0.conv2.weight" } }
  #expect(missing?.path == file && missing?.found == "1 missing: layer3.0.conv2.weight [16×16×3×3]")
  let extra = try refusal { $0.append(.init(name: "layer1.1.conv1.weight", Tensor<Float>([1], [0]))) }
  #expect(extra?.found == "1 extra: layer1.1.conv1.weight [1]")
  let colour = try refusal(inputs: 3)
  #expect(colour?.found.contains("conv1.weight [4×3×7×7] instead of [4×1×7×7] (3 input channels; the setting inputs: 3") == true)
  let half = try refusal { entries in
    entries.removeAll { $0.name == "bn1.weight" }
    entries.append(.init(name: "bn1.weight", dtype: .f16, shape: [4], bytes: [0, 0, 0, 0, 0, 0, 0, 0]))
  }
  #expect(half?.place == "bn1.weight" && half?.found == "F16")
  let broken = try refusal { entries in
    entries.removeAll { $0.name == "bn1.bias" }
    entries.append(.init(name: "bn1.bias", Tensor<Float>([4], [0, .nan, 0, 0])))
  }
  #expect(broken?.place == "bn1.bias, element 1")
  try FileManager.default.removeItem(atPath: file)
  #expect(inputError { _ = try Trainer(recipe, folder: tiny.folder + "/run") }?.kind == .missing)
}

@Test func aRecipeNamesItsFileFromItsOwnFolder() throws {
  let folder = NSTemporaryDirectory() + "recipe-\(UUID().uuidString)"
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try AtomicFile.write(Data("corpus: /c\ninitialWeights: nets/resnet18.safetensors".utf8), to: folder + "/r.yaml")
  #expect(try TrainingRecipe(reading: folder + "/r.yaml").initialWeights == folder + "/nets/resnet18.safetensors")
  try AtomicFile.write(Data("corpus: /c\ninitialWeights: ''".utf8), to: folder + "/r.yaml")
  #expect(inputError { _ = try TrainingRecipe(reading: folder + "/r.yaml") }?.place == "initialWeights")
  try AtomicFile.write(Data("corpus: /c".utf8), to: folder + "/r.yaml")
  #expect(try TrainingRecipe(reading: folder + "/r.yaml").initialWeights == nil)
}

@Test func aPictureThatTheNetworkDoesNotAdmitIsRefusedBeforeTraining() throws {
  let tiny = try TinyCorpus(), recipe = tiny.recipe { $0.backbone = Choice(name: "alexnet") }
  let error = inputError { _ = try Trainer(recipe, folder: tiny.folder + "/run") }
  #expect(error?.place == "image size" && error?.expected == "alexnet admits sides of at least 63 pixels" && error?.found == "33×33")
}
