import Corpora
import Engine
import Foundation
import Frames
import Graphs
import Host
import Networks
import Pretexts
import Tensors
import Testing
import Training

/// The divergence that `body` ends with.
private func divergence(sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void) -> Divergence? {
  do {
    try body()
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
  } catch let error as Divergence {
    return error
  } catch {
    Issue.record("another error: \(error)", sourceLocation: sourceLocation)
  }
  return nil
}

@Test func aRateThatExplodesStopsWithTheLayerAndKeepsTheCheckpoint() throws {
  let tiny = try TinyCorpus(), folder = tiny.folder + "/run"
  let recipe = tiny.recipe {
    $0.optimizer = Choice(name: "sgd")
    $0.learningRate = 1e30
    $0.checkpointEvery = 1
  }
  let error = try #require(divergence { _ = try Trainer(recipe, folder: folder).run() })
  #expect(error.step == 2 && (error.found.contains("loss") || error.found.contains("running_")) && error.advice.contains("learningRate"))
  guard case .layer(let name, false) = error.fault else { Issue.record("\(error.fault)"); return }
  #expect(name.hasPrefix("backbone.") || name.hasPrefix("what follows backbone."))
  #expect(error.checkpoint?.path == folder + "/last.safetensors" && error.checkpoint?.step == 1)
  #expect(error.description.contains("step 2") && error.description.contains("last.safetensors"))
  let last = try Checkpoint(reading: folder + "/last.safetensors")
  #expect(last.description.step == 1 && last.weights.storage.allSatisfy(\.isFinite))
}

/// 1e60 is infinite as a float, so the first update makes the weights infinite; the second step only finds it.
@Test func aBadUpdateIsFoundInTheStepThatMadeIt() throws {
  let tiny = try TinyCorpus()
  let recipe = tiny.recipe {
    $0.optimizer = Choice(name: "sgd")
    $0.learningRate = 1e60
  }
  let error = try #require(divergence { _ = try Trainer(recipe, folder: tiny.folder + "/run").run() })
  #expect(error.step == 1 && error.checkpoint == nil)
  guard case .update(let path) = error.fault else { Issue.record("\(error.fault)"); return }
  #expect(path.hasSuffix("weight"))
  #expect(!FileManager.default.fileExists(atPath: tiny.folder + "/run/last.safetensors"))
}

/// A flip network of 4 pictures of 33×33, with something to feed it.
private struct Step {
  let program: Program
  var weights: Weights
  var batch: [String: Tensor<Float>]

  init() {
    let builder = GraphBuilder(), scope = Scope(builder, mode: .training)
    let view = builder.input("view", [4, 1, 33, 33]), mirrored = builder.input("mirrored", [4])
    let objective = Flip().objective(["view": view, "mirrored": mirrored], backbone: ResNet10(width: 4), in: scope)
    program = Program(
      inputs: ["view": view, "mirrored": mirrored], parameters: scope.parameters, outputs: ["loss": objective.loss],
      minimizing: objective.loss, updates: scope.updates)
    weights = scope.initialWeights(seed: 3)
    var random = Philox(seed: 4)
    batch = [
      "view": Tensor([4, 1, 33, 33], (0..<4 * 33 * 33).map { _ in Float(random.normal()) }),
      "mirrored": Tensor([4], [0, 1, 1, 0]),
    ]
  }

  func fault(budget: Int = 1 << 20) throws -> Divergence.Fault? {
    try FaultFinder(program: program, precision: .float32, budget: budget).fault(batch, weights) { "shot \($0)" }
  }
}

@Test(arguments: [1, 1 << 20, 1 << 30]) func aSoundStepHasNoFault(budget: Int) throws {
  if budget == 1 {
    // One value at a time, of a step with few.
    let builder = GraphBuilder(), w = builder.input("w", [2])
    let program = Program(inputs: [:], parameters: [Parameter(path: "w", value: w)], outputs: ["loss": (w * w).mean()], minimizing: (w * w).mean())
    #expect(try FaultFinder(program: program, precision: .float32, budget: 1).fault([:], Weights(program.parameters)) { "\($0)" } == nil)
  } else {
    #expect(try Step().fault(budget: budget) == nil)
  }
}

@Test func aPixelThatIsNoNumberIsNamedByItsRecord() throws {
  var step = Step()
  step.batch["view"]!.elements[2 * 33 * 33 + 71] = .nan
  #expect(try step.fault() == .input(field: "view", record: "shot 2", element: 71))
}

@Test func aLayerThatOverflowsIsNamedByItsPlace() throws {
  var step = Step()
  step.weights["backbone.layer2.0.conv1.weight"] = Tensor(repeating: 3e38, step.weights["backbone.layer2.0.conv1.weight"].shape)
  #expect(try step.fault() == .layer(name: "backbone.layer2.0.conv1 (Convolution)", isGradient: false))
  step.weights["backbone.layer3.0.bn1.bias"].elements[1] = .infinity
  #expect(try step.fault() == .weight(path: "backbone.layer3.0.bn1.bias"))
}

/// The loss is 1e-30·1e30·1e30, its derivative by w 1e30·1e30.
@Test func aGradientThatOverflowsIsToldFromAnOutput() throws {
  let builder = GraphBuilder(), w = builder.input("w", [1]), large = builder.input("x", [1])
  let loss = ((w * large) * large).mean()
  let program = Program(inputs: ["x": large], parameters: [Parameter(path: "w", value: w)], outputs: ["loss": loss], minimizing: loss)
  var weights = Weights(program.parameters)
  weights.storage = [1e-30]
  let fault = try FaultFinder(program: program, precision: .float32).fault(["x": Tensor([1], [1e30])], weights) { "\($0)" }
  guard case .layer(_, true)? = fault else { Issue.record("\(String(describing: fault))"); return }
}

@Test func aRunGoesOnFromTheCheckpointOfOneThatDiverged() throws {
  let tiny = try TinyCorpus(), first = tiny.folder + "/first", second = tiny.folder + "/second"
  let exploding = tiny.recipe {
    $0.optimizer = Choice(name: "sgd")
    ($0.learningRate, $0.checkpointEvery) = (1e30, 1)
  }
  let sound = tiny.recipe { $0.optimizer = Choice(name: "sgd") }
  var looks = 0
  _ = try Trainer(sound, folder: first).run(shouldStop: { looks += 1; return looks == 2 })
  let last = first + "/last.safetensors"
  let error = try #require(divergence { _ = try Trainer(exploding, folder: second, continuing: last).run() })
  #expect((3...4).contains(error.step) && error.checkpoint?.step == error.step - 1)

  var calm = exploding
  calm.learningRate = 1e-3
  let third = tiny.folder + "/third"
  let trainer = try Trainer(calm, folder: third, continuing: last)
  let old = try Checkpoint(reading: last)
  #expect(trainer.step == 2 && trainer.checkpoint.weights == old.weights && trainer.checkpoint.optimizer == old.optimizer)
  #expect(try trainer.run() == .finished)
  let end = try Checkpoint(reading: third + "/last.safetensors")
  #expect(end.description.step == 12 && end.description.origin?.contains(last) == true)
  // Its own folder goes on by itself, and another optimiser begins with fresh moments.
  #expect(try Trainer(calm, folder: third).step == 12)
  #expect(try Trainer(calm, folder: third, continuing: last).step == 12)
  // One that went on from elsewhere, or began afresh, is not taken for it.
  for stranger in [third + "/last.safetensors", first + "/best.safetensors"] where FileManager.default.fileExists(atPath: stranger) {
    #expect(inputError { _ = try Trainer(calm, folder: third, continuing: stranger) }?.place == "description.origin")
  }
  #expect(inputError { _ = try Trainer(sound, folder: first, continuing: third + "/last.safetensors") }?.place == "description.origin")
  calm.optimizer = Choice(name: "adamw")
  let other = try Trainer(calm, folder: tiny.folder + "/fourth", continuing: last)
  #expect(other.checkpoint.optimizer.moments.count == 2 && other.checkpoint.optimizer.moments[1].allSatisfy { $0 == 0 })
}

@Test(arguments: ["task", "backbone", "step", "projectsTemplate"]) func anotherNetworkIsNotGoneOnFrom(what: String) throws {
  let tiny = try TinyCorpus(), first = tiny.folder + "/first"
  var looks = 0
  _ = try Trainer(tiny.recipe(), folder: first).run(shouldStop: { looks += 1; return looks == 2 })
  let recipe = tiny.recipe {
    switch what {
    case "task": $0.task = Choice(name: "crop-position")
    // A network keeps the scaling that it has learnt, which a remedy cannot change afterwards.
    case "projectsTemplate": $0.projectsTemplate = true
    case "backbone": $0.backbone = Choice(name: "resnet10", settings: .object(["width": .integer(5)]))
    default: ($0.steps, $0.schedule) = (2, Schedule(.constant))
    }
  }
  let error = inputError { _ = try Trainer(recipe, folder: tiny.folder + "/second", continuing: first + "/last.safetensors") }
  #expect(error?.place.hasPrefix("description.") == true && error?.place.contains(".\(what)") == true, "\(error!)")
}

extension TinyCorpus {
  /// Writes the shards of a split anew with one pixel that is no number, as a faulty disk or program might leave it.
  /// - Returns: the record that has it.
  fileprivate func spoil(_ split: Split, with value: Float) throws -> String {
    let opened = try Corpus(opening: corpus), records = opened.records(in: split), bad = records[records.count / 2]
    let path = "\(corpus)/\(bad.shard)", mine = records.filter { $0.shard == bad.shard }.sorted { $0.row < $1.row }
    let images = try opened.images(mine), file = try HDF5File(creating: path)
    var pixels = images.flatMap(\.pixels.elements)
    pixels[mine.firstIndex { $0.id == bad.id }! * 33 * 33 + 7 * 33 + 5] = value
    try file.write(pixels, shape: [images.count, 33, 33], to: "/image")
    try file.write(images.flatMap { $0.weight.elements.map { UInt8($0 * 255) } }, shape: [images.count, 33, 33], to: "/weight")
    try file.close()
    // The size of each shard is looked at when a corpus is opened.
    var manifest = opened.manifest
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    manifest.shards = manifest.shards.map { shard in
      var shard = shard
      if shard.file == bad.shard { shard.bytes = size }
      return shard
    }
    try AtomicFile.write(CanonicalJSON.data(manifest), to: corpus + "/manifest.json")
    return bad.id
  }
}

@Test(arguments: [Float.nan, .infinity]) func aBadPixelOfTheTrainingPicturesIsRefusedByItsPlace(value: Float) throws {
  let tiny = try TinyCorpus(), record = try tiny.spoil(.train, with: value)
  let error = inputError { _ = try Trainer(tiny.recipe(), folder: tiny.folder + "/run") }
  #expect(error?.place == "record \(record), pixel 7, 5" && error?.expected == "a finite number")
}

/// The pictures of the validation split are first looked at after some steps; nothing of those is lost.
@Test func aBadPixelMetLaterStopsWithItsRecordAndTheCheckpoint() throws {
  let tiny = try TinyCorpus(), record = try tiny.spoil(.validation, with: .nan), folder = tiny.folder + "/run"
  let recipe = tiny.recipe {
    $0.task = Choice(name: "frame-class")
    ($0.checkpointEvery, $0.validateEvery) = (3, 4)
  }
  let error = try #require(divergence { _ = try Trainer(recipe, folder: folder).run() })
  #expect(error.step == 4 && error.fault == .input(field: "view", record: record, element: 7 * 33 + 5), "\(error)")
  #expect(error.checkpoint?.step == 3 && error.advice.contains("pixel"))
  #expect(try Checkpoint(reading: folder + "/last.safetensors").weights.storage.allSatisfy(\.isFinite))
}
