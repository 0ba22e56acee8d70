import Corpora
import Engine
import Foundation
import Host
import Pretexts
import Tensors
import Testing
import Training

private func bytes(_ path: String) throws -> Data { try AtomicFile.read(path) }

/// Metrics without speeds, which differ from run to run.
private func figures(_ folder: String) throws -> [RunFolder.Metric] {
  try RunFolder(folder).metrics().map {
    var metric = $0
    metric.imagesPerSecond = 0
    return metric
  }
}

@Test func aStoppedRunGoesOnToTheSameBits() throws {
  let tiny = try TinyCorpus(), recipe = tiny.recipe()
  let whole = tiny.folder + "/whole", parts = tiny.folder + "/parts"
  #expect(try Trainer(recipe, folder: whole).run() == .finished)
  let first = try Trainer(recipe, folder: parts)
  let ending = try first.run(shouldStop: { first.step == 6 })
  #expect(ending == .stopped(step: 6))
  let second = try Trainer(recipe, folder: parts)
  #expect(second.step == 6)
  #expect(try second.run() == .finished)
  #expect(try bytes(whole + "/last.safetensors") == bytes(parts + "/last.safetensors"))
  #expect(try bytes(whole + "/best.safetensors") == bytes(parts + "/best.safetensors"))
  #expect(try figures(whole) == figures(parts))
  #expect(try figures(whole).map(\.step) == [4, 4, 8, 8, 12, 12])
  #expect(try figures(whole).filter { $0.split == "train" }.map(\.count) == [32, 32, 32])
  // A finished run has nothing more to do.
  let before = try bytes(parts + "/last.safetensors")
  #expect(try Trainer(recipe, folder: parts).run() == .finished)
  #expect(try bytes(parts + "/last.safetensors") == before)

  var other = recipe
  other.learningRate = 0.5
  let refusal = inputError { _ = try Trainer(other, folder: parts) }
  #expect(refusal?.path == parts + "/last.safetensors" && refusal?.found == "0.001: a run of another recipe; choose another folder"
    && refusal?.place == "description.recipe.learningRate" && refusal?.expected == "0.5, as this recipe has", "\(refusal!)")
  // The same corpus by another path is the same run.
  var moved = recipe
  moved.corpus = tiny.folder + "/./corpus"
  #expect(try Trainer(moved, folder: parts).step == 12)
}

/// Each task of the catalogue learns something of the tiny corpus in 24 steps, and these four more in 30.
@Test(arguments: PretextTaskCatalog.all.map { $0.name }) func theLossOfEveryTaskFalls(task: String) throws {
  let isQuick = ["flip", "crop-position", "frame-class", "single-image"].contains(task)
  let isAboutPlaces = ["patch-direction", "jigsaw", "tile-swap"].contains(task)
  let isOfViews = ["shot-identity", "simclr", "vicreg", "simsiam", "prototypes"].contains(task)
  let tiny = try TinyCorpus(
    side: task == "masked-patches" ? 32 : isAboutPlaces ? 48 : 33, drift: task == "shot-order" ? 0.5 : 0, relief: isAboutPlaces ? 3 : 0,
    variety: isOfViews ? 3 : 0)
  let recipe = tiny.recipe {
    // One run trains.
    $0.task = Choice(name: task, settings: task == "shot-identity" ? .object(["runs": .integer(1)]) : .object([:]))
    $0.backbone = task == "masked-patches"
      ? Choice(name: "unet", settings: .object(["width": .integer(4), "decoderWidth": .integer(4)]))
      : Choice(name: "resnet10", settings: .object(["width": .integer(8)]))
    ($0.steps, $0.validateEvery, $0.checkpointEvery) = isQuick ? (30, 10, 30) : (24, 8, 24)
    $0.batch = task == "masked-patches" ? 8 : isOfViews ? 16 : 32
    $0.learningRate = 3e-3
  }
  #expect(try Trainer(recipe, folder: tiny.folder + "/run").run() == .finished)
  let metrics = try RunFolder(tiny.folder + "/run").metrics(), losses = metrics.filter { $0.split == "train" }.map(\.loss)
  #expect(losses.count == 3 && losses[2] < (isQuick ? 0.95 : 0.97) * losses[0], "\(losses)")
  #expect(metrics.allSatisfy { (0...1).contains($0.accuracy) && ($0.accuracies?.count ?? 2) == 2 })
  // The checkpoint says everything that is needed to go on.
  _ = try Checkpoint(reading: tiny.folder + "/run/last.safetensors")
}

/// Asked to stop in a look at the validation split (the first of a run, a later one, the one at the end), a run is saved at once, looks again
/// when it goes on, and ends with the bits and figures of a whole one.
@Test(arguments: [(4, 1), (4, 30), (4, 41), (8, 70), (8, 99), (12, 2), (12, 90)]) func aRunStoppedInALookMakesItAnew(at step: Int, batch: Int) throws {
  let tiny = try TinyCorpus(), recipe = tiny.recipe(), whole = tiny.folder + "/whole", parts = tiny.folder + "/parts"
  #expect(try Trainer(recipe, folder: whole).run() == .finished)
  // Asked once after each step, and before each of the 40 batches that are settled on and of the 60 of a look.
  func stopping(_ trainer: Trainer, after asked: Int) throws -> Trainer.Ending {
    var count = 0
    return try trainer.run(shouldStop: {
      if trainer.step == step { count += 1 }
      return count > asked
    })
  }
  #expect(try stopping(Trainer(recipe, folder: parts), after: batch) == .stopped(step: step))
  #expect(try figures(parts).last?.split == "train" && figures(parts).last?.step == step)
  // Stopped again in the look that is owed: nothing is lost, and nothing said twice.
  let again = try Trainer(recipe, folder: parts)
  #expect(again.step == step)
  #expect(try stopping(again, after: 5) == .stopped(step: step))
  #expect(try Trainer(recipe, folder: parts).run() == .finished)
  #expect(try figures(parts) == figures(whole))
  for file in ["last", "best"] { #expect(try bytes(parts + "/\(file).safetensors") == bytes(whole + "/\(file).safetensors")) }
}

/// Killed between what a repeated look said and the checkpoint that knows of it: the figures stand once.
@Test func aLookThatIsOwedIsNotToldTwice() throws {
  let tiny = try TinyCorpus(), recipe = tiny.recipe(), whole = tiny.folder + "/whole", run = tiny.folder + "/run"
  #expect(try Trainer(recipe, folder: whole).run() == .finished)
  let first = try Trainer(recipe, folder: run)
  var asked = 0
  #expect(try first.run(shouldStop: { if first.step == 8 { asked += 1 }; return asked > 3 }) == .stopped(step: 8))
  let told = try #require(try RunFolder(whole).metrics().first { $0.step == 8 && $0.split == "validation" })
  try AtomicFile.write(bytes(run + "/metrics.jsonl") + CanonicalJSON.data(told, pretty: false) + Data("\n".utf8), to: run + "/metrics.jsonl")
  #expect(try Trainer(recipe, folder: run).run() == .finished)
  #expect(try figures(run) == figures(whole))
}

/// One flipped bit anywhere among the numbers is told, with both checksums and the checkpoint that is left.
@Test func aCheckpointWithAFlippedBitIsRefused() throws {
  let tiny = try TinyCorpus(), run = RunFolder(tiny.folder + "/run"), recipe = tiny.recipe()
  #expect(try Trainer(recipe, folder: run.path).run() == .finished)
  let data = try bytes(run.last), header = 8 + data.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
  for place in [header, (header + data.count) / 2, data.count - 1] {
    var bad = data
    bad[place] ^= 0x10
    try bad.write(to: URL(fileURLWithPath: run.last))
    let error = inputError { _ = try Checkpoint(reading: run.last) }
    #expect(error?.path == run.last && error?.place == "metadata.psimagenet.xxh128" && error?.kind == .malformed)
    #expect(error?.expected.contains(/[0-9a-f]{32}/) == true && error?.found.contains(/[0-9a-f]{32}/) == true)
    #expect(error?.found.contains("take \(run.best)") == true)
    // No run goes on from it.
    #expect(inputError { _ = try Trainer(recipe, folder: run.path) }?.place == error?.place)
  }
  try FileManager.default.removeItem(atPath: run.best)
  #expect(inputError { _ = try Checkpoint(reading: run.last) }?.found.contains("train again") == true)
}

/// Files of versions that wrote no checksum: the same tensors and metadata without it.
@Test func aCheckpointFromBeforeChecksumsIsRead() throws {
  let tiny = try TinyCorpus(), path = tiny.folder + "/old.safetensors"
  let trainer = try Trainer(tiny.recipe(), folder: tiny.folder + "/run")
  #expect(try trainer.run() == .finished)
  let contents = try SafeTensors.read(trainer.folder.last)
  var metadata = contents.metadata
  #expect(metadata.removeValue(forKey: SafeTensors.sealKey) != nil)
  try SafeTensors.write(Array(contents.tensors.values), metadata: metadata, to: path)
  #expect(try SafeTensors.read(path).metadata[SafeTensors.sealKey] == nil)
  #expect(try Checkpoint(reading: path).weights == trainer.checkpoint.weights)
}

@Test func filtersThatLeaveNothingAndUnknownLabelsAreNamed() throws {
  let tiny = try TinyCorpus()
  func complaint(_ change: (inout TrainingRecipe) -> Void) -> InputError? {
    inputError { _ = try Trainer(tiny.recipe(change), folder: tiny.folder + "/run") }
  }
  #expect(complaint { $0.exclude = ["kind": ["off", "wide"]] }?.place == "split train")
  let unknown = complaint { $0.include = ["kynd": ["wide"]] }
  #expect(unknown?.expected == "one of kind" && unknown?.found.contains("kynd") == true)
  let value = complaint { $0.include = ["kind": ["wide", "wyde"]] }
  #expect(value?.place == "label kind" && value?.expected == "one of off, wide" && value?.found.contains("wyde") == true)
  let label = complaint { $0.task = Choice(name: "frame-class", settings: .object(["label": .string("beam")])) }
  #expect(label?.expected == "one of kind" && label?.found.contains("beam") == true)
  let single = complaint {
    $0.task = Choice(name: "frame-class")
    $0.include = ["kind": ["wide"]]
  }
  #expect(single?.expected == "at least two classes")
  let corpus = complaint { $0.corpus = tiny.folder + "/nowhere" }
  #expect(corpus?.kind == .missing)
}

/// Of four runs of 20, each batch holds half of its pictures from one and half from another; no picture twice, the same again when asked again,
/// every run in its turn. A batch that no two runs can fill is refused.
@Test func batchesOfFewRunsHoldNoOther() throws {
  let tiny = try TinyCorpus(trainingRuns: 4), corpus = try Corpus(opening: tiny.corpus), task = ShotIdentity()
  let images = try ImageSet(corpus, split: .train, include: [:], exclude: [:], task: task), scaling = try #require(try images.scaling())
  func maker(batch: Int) -> BatchMaker { BatchMaker(images: images, task: task, scaling: scaling, seed: 3, batch: batch) }
  var seen: Set<Int> = []
  for step in 0..<20 {
    let chosen = try maker(batch: 14).indices(step: step), runs = chosen.map { images.records[$0].run.run }
    #expect(Set(chosen).count == 14 && Set(runs).count == 2 && Set(runs.prefix(7)).count == 1)
    #expect(try maker(batch: 14).indices(step: step) == chosen)
    seen.formUnion(runs)
  }
  #expect(seen == [1, 2, 3, 4])
  let refusal = inputError { _ = try maker(batch: 42).indices(step: 0) }
  #expect(refusal?.expected.contains("2 runs of at least 21 training pictures") == true && refusal?.found.hasPrefix("0 such runs") == true)
}

@Test func everyEpochSeesEveryPictureOnceAndAStepItsOwnBatch() throws {
  let tiny = try TinyCorpus(), corpus = try Corpus(opening: tiny.corpus)
  let images = try ImageSet(corpus, split: .train, include: [:], exclude: [:], task: Flip()), scaling = try #require(try images.scaling())
  let maker = BatchMaker(images: images, task: Flip(), scaling: scaling, seed: 3, batch: 8)
  // 5 steps of 8 are two epochs of 20; batch 2 lies across the end of the first.
  let stream = try (0..<5).flatMap { try maker.indices(step: $0) }
  #expect(stream[..<20].sorted() == Array(0..<20) && stream[20...].sorted() == Array(0..<20))
  #expect(Array(stream[..<20]) != Array(stream[20...]) && Array(stream[..<20]) != Array(0..<20))
  // The order does not depend on which steps were asked for before.
  let fresh = BatchMaker(images: images, task: Flip(), scaling: scaling, seed: 3, batch: 8)
  for step in [7, 2, 40, 4, 2] { #expect(try fresh.indices(step: step) == maker.indices(step: step)) }
  #expect(try maker.training(step: 4) == maker.training(step: 4) && maker.training(step: 4) != maker.training(step: 9))
  // Fixed examples whatever the seed of the run.
  let other = BatchMaker(images: images, task: Flip(), scaling: scaling, seed: 4, batch: 8)
  #expect(try maker.validation(8..<13) == other.validation(8..<13))
}

@Test func aCheckpointIsReadAsItWasWrittenAndNeverCrashesWhenDamaged() throws {
  let tiny = try TinyCorpus(), path = tiny.folder + "/c.safetensors", damaged = tiny.folder + "/d.safetensors"
  let trainer = try Trainer(tiny.recipe(), folder: tiny.folder + "/run")
  var calls = 0
  _ = try trainer.run(shouldStop: { calls += 1; return calls == 2 })
  try trainer.checkpoint.write(to: path)
  let read = try Checkpoint(reading: path)
  #expect(read.description == trainer.checkpoint.description && read.running == trainer.checkpoint.running && read.running.seen == 16)
  #expect(read.weights.storage.map(\.bitPattern) == trainer.checkpoint.weights.storage.map(\.bitPattern))
  #expect(read.optimizer == trainer.checkpoint.optimizer && read.optimizer.step == 2)

  let data = try AtomicFile.read(path)
  let header = 8 + data.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
  var random = Philox(seed: 9)
  for trial in 0..<500 {
    var bad = data
    // Most damage goes where it can do harm.
    let place = Int.random(in: 0..<(trial % 5 == 0 ? data.count : header), using: &random)
    bad[place] = UInt8.random(in: 32...126, using: &random)
    try bad.write(to: URL(fileURLWithPath: damaged))
    // What is read in spite of the damage is what was written.
    do {
      let found = try Checkpoint(reading: damaged)
      #expect(found.description == read.description && found.running == read.running && found.optimizer == read.optimizer)
      #expect(found.weights == read.weights)
    } catch { #expect(error.path == damaged) }
  }
  for length in [0, 7, 8, 100, header - 1, header, data.count - 1] {
    try data.prefix(length).write(to: URL(fileURLWithPath: damaged))
    #expect(inputError { _ = try Checkpoint(reading: damaged) } != nil, "\(length) bytes")
  }
  // A description of another network names the first array that does not fit.
  let wider = tiny.recipe { $0.backbone = Choice(name: "resnet10", settings: .object(["width": .integer(5)])) }
  var checkpoint = trainer.checkpoint
  checkpoint.description.recipe = wider
  try checkpoint.write(to: damaged)
  #expect(inputError { _ = try Checkpoint(reading: damaged) }?.description.contains("weight") == true)
  for change in [{ $0.side = -3 }, { $0.side = 1 << 40 }, { $0.classes = [] }, { $0.step = -1 }] as [(inout Checkpoint.Description) -> Void] {
    var impossible = trainer.checkpoint
    change(&impossible.description)
    try impossible.write(to: damaged)
    #expect(inputError { _ = try Checkpoint(reading: damaged) }?.place.hasPrefix("description.") == true)
  }
}

/// One thread and the engine's team, pictures in memory and from the shards: the same batches to the bit.
@Test(arguments: ["flip", "symmetry", "crop-position", "frame-class", "single-image", "jigsaw", "simclr", "photon-noise", "shot-order", "multi"]) func batchesDoNotDependOnThreadsOrMemory(task: String) throws {
  let tiny = try TinyCorpus(), corpus = try Corpus(opening: tiny.corpus), task = try Choice(name: task).task(path: "")
  let picture = StoredImage.byteCount(height: 33, width: 33)
  var first: [[String: Tensor<Float>]]?
  for memory in [0, 7 * picture, ImageSet.usualMemory] {
    let images = try ImageSet(corpus, split: .train, include: [:], exclude: [:], task: task, memory: memory)
    #expect(images.residentCount == min(images.count, memory / picture) && images.residentBytes <= memory)
    let maker = BatchMaker(images: images, task: task, scaling: try #require(try images.scaling()), seed: 3, batch: 7)
    let threads = EngineThreads.count
    for count in [1, 2, 3, 8] {
      EngineThreads.use(count)
      defer { EngineThreads.use(threads) }
      let made = try (0..<4).map { try maker.training(step: $0) } + [maker.validation(2..<6), maker.training(step: 9, concurrently: false)]
      if let first { #expect(made == first, "\(memory) bytes, \(count) threads") } else { first = made }
    }
  }
}

@Test func aRunThatStreamsItsPicturesEndsWithTheSameBits() throws {
  let tiny = try TinyCorpus(), recipe = tiny.recipe { $0.steps = 6 }
  #expect(try Trainer(recipe, folder: tiny.folder + "/memory").run() == .finished)
  // One picture of the training split and none of the validation split in memory.
  #expect(try Trainer(recipe, folder: tiny.folder + "/streamed", imageMemory: StoredImage.byteCount(height: 33, width: 33)).run() == .finished)
  for file in ["last", "best"] {
    #expect(try bytes(tiny.folder + "/memory/\(file).safetensors") == bytes(tiny.folder + "/streamed/\(file).safetensors"))
  }
}

/// A shard that is damaged while a run reads from it stops the run with the chunk's name, and the run goes on once it is whole.
@Test func aDamagedShardStopsAStreamingRunWhichGoesOnOnceItIsWhole() throws {
  let tiny = try TinyCorpus(), recipe = tiny.recipe { $0.steps = 6 }, shard = tiny.corpus + "/shards/train-00000.h5"
  let whole = try bytes(shard)
  #expect(try Trainer(recipe, folder: tiny.folder + "/whole").run() == .finished)
  let trainer = try Trainer(recipe, folder: tiny.folder + "/run", imageMemory: 0)
  var looks = 0
  let error = inputError {
    _ = try trainer.run(shouldStop: {
      looks += 1
      if looks == 3 {
        // All chunks from the middle of the file on; the file stays as long as it was.
        let handle = FileHandle(forWritingAtPath: shard)!
        handle.seek(toFileOffset: 4096)
        handle.write(Data(repeating: 0xFF, count: whole.count - 4096))
        handle.closeFile()
      }
      return false
    })
  }
  #expect(error?.path == shard && error?.place.contains("chunk at [") == true)
  #expect(trainer.step == 3)
  try whole.write(to: URL(fileURLWithPath: shard))
  let resumed = try Trainer(recipe, folder: tiny.folder + "/run", imageMemory: 0)
  #expect(resumed.step == 3)
  #expect(try resumed.run() == .finished)
  #expect(try bytes(tiny.folder + "/whole/last.safetensors") == bytes(tiny.folder + "/run/last.safetensors"))
}

/// A picture that cannot be read when a look is due saves the run, whichever split it is of, and the look is made once it is whole.
@Test func aDamagedShardOfTheValidationSplitSavesTheRun() throws {
  let tiny = try TinyCorpus(), recipe = tiny.recipe { ($0.steps, $0.validateEvery, $0.checkpointEvery) = (6, 3, 6) }
  let shard = tiny.corpus + "/shards/validation-00000.h5", whole = try bytes(shard)
  #expect(try Trainer(recipe, folder: tiny.folder + "/whole").run() == .finished)
  let trainer = try Trainer(recipe, folder: tiny.folder + "/run", imageMemory: 0)
  var steps = 0
  let error = inputError {
    _ = try trainer.run(shouldStop: {
      steps += 1
      if steps == 2 {
        let handle = FileHandle(forWritingAtPath: shard)!
        handle.seek(toFileOffset: 4096)
        handle.write(Data(repeating: 0xFF, count: whole.count - 4096))
        handle.closeFile()
      }
      return false
    })
  }
  #expect(error?.path == shard)
  try whole.write(to: URL(fileURLWithPath: shard))
  let resumed = try Trainer(recipe, folder: tiny.folder + "/run", imageMemory: 0)
  #expect(resumed.step == 3)
  #expect(try resumed.run() == .finished)
  #expect(try bytes(tiny.folder + "/whole/last.safetensors") == bytes(tiny.folder + "/run/last.safetensors"))
}

/// Settings of before 22 November 2026 that mean something else today are refused, with the reason.
@Test func checkpointsWhoseTaskHasChangedAreRefused() throws {
  let tiny = try TinyCorpus(side: 45)
  for (name, task, reason) in [
    ("patches", try Choice.of(PatchDirection()), "smaller patches"), ("several", try Choice.of(Multi([.init(Flip()), .init(CropPosition())])), "running averages of its own"),
    ("flip", try Choice.of(Flip()), ""),
  ] {
    let recipe = tiny.recipe { ($0.task, $0.steps) = (task, 4) }, folder = tiny.folder + "/" + name
    #expect(try Trainer(recipe, folder: folder).run() == .finished)
    let contents = try SafeTensors.read(folder + "/last.safetensors"), old = tiny.folder + "/\(name).safetensors"
    var metadata = contents.metadata
    metadata["psimagenet"] = metadata["psimagenet"]?.replacingOccurrences(of: #","revision":2"#, with: "")
    #expect(metadata != contents.metadata)
    let entries = try contents.tensors.keys.sorted().map { SafeTensors.Entry(name: $0, try contents.floats($0)) }
    try SafeTensors.write(entries, metadata: metadata.filter { $0.key != SafeTensors.sealKey }, to: old)
    guard !reason.isEmpty else {
      #expect(try Checkpoint(reading: old).description.step == 4)
      continue
    }
    let error = inputError { _ = try Checkpoint(reading: old) }
    #expect(error?.expected.contains(reason) == true && error?.place == "description.revision", "\(String(describing: error))")
  }
}

/// Two processes that save to one folder would leave neither's checkpoint whole.
@Test func twoTrainingsDoNotShareAFolder() throws {
  let tiny = try TinyCorpus(), recipe = tiny.recipe { $0.steps = 4 }, folder = tiny.folder + "/run"
  let first = try Trainer(recipe, folder: folder)
  var refused: InputError?
  _ = try first.run(shouldStop: {
    refused = refused ?? inputError { _ = try Trainer(recipe, folder: folder).run() }
    return false
  })
  #expect(refused?.place == "lock" && refused?.expected == "no other training in this folder")
  // Who has read the folder before another training wrote to it does not write over that.
  let early = try Trainer(recipe, folder: tiny.folder + "/late")
  _ = try Trainer(recipe, folder: tiny.folder + "/late").run()
  #expect(inputError { _ = try early.run() }?.found.contains("another training") == true)
  // It goes when the run ends.
  #expect(!FileManager.default.fileExists(atPath: folder + "/training.lock"))
  #expect(try Trainer(recipe, folder: folder).run() == .finished)
}

@Test func singleImageTrainsOnTheFramesThatItNamesOrOnTheRichest() throws {
  let tiny = try TinyCorpus(), corpus = try Corpus(opening: tiny.corpus)
  func frames(_ choice: FrameChoice, _ split: Split = .train) throws -> ImageSet {
    var task = SingleImage()
    task.frames = choice
    return try ImageSet(corpus, split: split, include: [:], exclude: [:], task: task)
  }
  let all = corpus.records(in: .train)
  #expect(try frames(.init(records: [all[7].id, all[2].id])).records == [all[2], all[7]])
  // The bright corner is wider in half of the pictures; the richest ones are of that half.
  let rich = try frames(.init(count: 4))
  #expect(rich.records.map { $0.labels["kind"] } == Array(repeating: "wide", count: 4) && Set(rich.records.map(\.id)).count == 4)
  #expect(try frames(.init(), .validation).count == 20)
  #expect(inputError { _ = try frames(.init(records: ["none"])) }?.place == "record none")
  #expect(inputError { _ = try frames(.init(count: 21)) }?.expected == "21 pictures to choose")
}

@Test func validationAsksAboutEveryPictureInBothVersions() throws {
  let tiny = try TinyCorpus(), corpus = try Corpus(opening: tiny.corpus), task = Flip()
  let images = try ImageSet(corpus, split: .validation, include: [:], exclude: [:], task: task), scaling = try #require(try images.scaling())
  let maker = BatchMaker(images: images, task: task, scaling: scaling, seed: 3, batch: 40), made = try maker.validation(0..<40)
  #expect(maker.fixedLook(amongBatch: false).count == 40 && made["mirrored"]!.elements == (0..<40).map { Float($0 % 2) })
  for picture in 0..<20 {
    let (a, b) = (made["view"]![first: 2 * picture], made["view"]![first: 2 * picture + 1])
    #expect(Symmetry.mirror(a.reshaped(to: [33, 33])) == b.reshaped(to: [33, 33]))
  }
}

/// Shots of the tiny corpus in the order of their positions; the last of a run looks back.
@Test func aNeighbourIsTheNextShotOfTheRun() throws {
  let tiny = try TinyCorpus(), corpus = try Corpus(opening: tiny.corpus)
  let images = try ImageSet(corpus, split: .train, include: [:], exclude: [:], task: ShotOrder())
  let order = images.records.indices.sorted { images.records[$0].eventIndex < images.records[$1].eventIndex }
  for (place, index) in order.enumerated() {
    let shot = try images.shot(index), isLast = place == order.count - 1
    #expect(shot.neighbour?.isLater == !isLast)
    #expect(try shot.neighbour?.image == images.image(order[isLast ? place - 1 : place + 1]))
  }
  // Signals are those of the corpus's tone map, here linear.
  let other = try ImageSet(corpus, split: .train, include: [:], exclude: [:], task: Flip(), augmentations: [PhotonNoise()])
  let scale = try #require(try other.shot(0).signal)
  #expect(scale.unit == other.records[0].unit && scale.signal(2.5) == 2.5 && scale.value(2.5) == 2.5)
  #expect(try images.shot(0).signal == nil)
}

@Test func aRunThatAugmentsGoesOnToTheSameBits() throws {
  let tiny = try TinyCorpus()
  let recipe = tiny.recipe { recipe in
    recipe.task = Choice(name: "multi")
    recipe.augmentations = ["photon-noise", "tile-gain", "pixel-dropout", "saturation", "blur"].map { Choice(name: $0) }
  }
  #expect(try Trainer(recipe, folder: tiny.folder + "/whole").run() == .finished)
  let first = try Trainer(recipe, folder: tiny.folder + "/parts")
  #expect(try first.run(shouldStop: { first.step == 7 }) == .stopped(step: 7))
  #expect(try Trainer(recipe, folder: tiny.folder + "/parts").run() == .finished)
  #expect(try bytes(tiny.folder + "/whole/last.safetensors") == bytes(tiny.folder + "/parts/last.safetensors"))
  #expect(try figures(tiny.folder + "/whole") == figures(tiny.folder + "/parts"))
  // Augmented pictures are others.
  let plain = tiny.recipe { $0.task = Choice(name: "multi") }
  #expect(try Trainer(plain, folder: tiny.folder + "/plain").run() == .finished)
  #expect(try figures(tiny.folder + "/plain") != figures(tiny.folder + "/whole"))
}

/// A run that was refused leaves nothing behind that stands in the way of a corrected one.
@Test func batchesThatCannotBePutTogetherAreRefusedBeforeAnythingIsWritten() throws {
  let tiny = try TinyCorpus(), folder = tiny.folder + "/run"
  let task = Choice(name: ShotIdentity.name, settings: .object(["runs": .integer(1)]))
  let error = inputError { _ = try Trainer(tiny.recipe { ($0.task, $0.batch) = (task, 21) }, folder: folder) }
  #expect(error?.place == "batch" && error?.expected.contains("1 runs of at least 21") == true)
  #expect(!FileManager.default.fileExists(atPath: folder + "/last.safetensors"))
  #expect(try Trainer(tiny.recipe { ($0.task, $0.batch) = (task, 20) }, folder: folder).run() == .finished)
}

/// Views that are looked for among a batch are asked in whole batches without a picture twice, of pictures from anywhere.
@Test func validationAmongABatchAsksWholeBatches() throws {
  let tiny = try TinyCorpus(), corpus = try Corpus(opening: tiny.corpus), task = SimCLR()
  let images = try ImageSet(corpus, split: .validation, include: [:], exclude: [:], task: task), scaling = try #require(try images.scaling())
  for (batch, unit, count) in [(8, 8, 16), (64, 20, 20)] {
    let maker = BatchMaker(images: images, task: task, scaling: scaling, seed: 3, batch: batch), look = maker.fixedLook(amongBatch: true)
    #expect(look.unit == unit && look.count == count)
    var asked: [String] = []
    for start in stride(from: 0, to: look.count, by: look.unit) {
      let range = start..<start + look.unit, ids = (0..<look.unit).map { maker.record(ofFixed: $0, in: range, amongBatch: true).id }
      #expect(Set(ids).count == look.unit)
      asked += ids
      // The same at every look, and for every seed of the run.
      let other = BatchMaker(images: images, task: task, scaling: scaling, seed: 4, batch: batch)
      #expect(try maker.validation(range, amongBatch: true) == other.validation(range, amongBatch: true))
    }
    #expect(Set(asked).count == count && asked != images.records.prefix(count).map(\.id))
  }
}

/// A view that is looked for among no other is always found, and one whose picture comes twice has two right answers.
@Test func batchesInWhichViewsCannotBeToldApartAreRefused() throws {
  let tiny = try TinyCorpus(trainingRuns: 2)
  func refusal(_ task: some PretextTask, batch: Int) throws -> InputError? {
    var recipe = tiny.recipe()
    (recipe.task, recipe.batch) = (try Choice.of(task), batch)
    do { _ = try Trainer(recipe, folder: tiny.folder + "/views") } catch let error as InputError { return error }
    return nil
  }
  let alone = try refusal(SimCLR(), batch: 1)
  #expect(alone?.place == "batch" && alone?.expected.hasPrefix("2 or more: task simclr") == true, "\(alone.debugDescription)")
  #expect(try refusal(SimCLR(), batch: 2) == nil && refusal(SimCLR(), batch: 40) == nil)
  let large = try refusal(SimCLR(), batch: 41)
  #expect(large?.place == "batch" && large?.expected.hasPrefix("at most 40") == true)
  // Of two runs two pictures each, lest the run is the answer.
  #expect(try refusal(ShotIdentity(), batch: 2)?.expected.hasPrefix("4 or more") == true && refusal(ShotIdentity(), batch: 4) == nil)
  // Views of one frame come from different places of it; and a flip is asked about by itself.
  var handful = SimCLR()
  handful.pair.frames.count = 1
  #expect(try refusal(handful, batch: 64) == nil && refusal(Flip(), batch: 1) == nil)
}

/// What a look would reach without looking stands beside it.
@Test func guessingIsTheMostFrequentAnswerOfTheCorpus() throws {
  let tiny = try TinyCorpus()
  func chance(_ task: some PretextTask) throws -> Double? {
    var recipe = tiny.recipe()
    recipe.task = try Choice.of(task)
    return try Trainer(recipe, folder: tiny.folder + "/chance").validationChance
  }
  #expect(try chance(FrameClass(label: "kind")) == 0.5 && chance(Flip()) == 0.5 && chance(SimCLR()) == 0.125 && chance(WhichSymmetry(.square)) == 0.125)
}
