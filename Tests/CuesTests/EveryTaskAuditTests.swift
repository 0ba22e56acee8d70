import Corpora
import Cues
import Engine
import Evaluation
import Foundation
import Graphs
import Host
import Networks
import Pretexts
import Tensors
import Testing
import Training

private let side = 33

/// An untrained run of `task` on `corpus`, in batches of 16.
func fresh(_ task: any PretextTask, _ corpus: Corpus, batch: Int = 16) throws -> Checkpoint {
  func choice(_ task: some PretextTask) throws -> Choice { try Choice.of(task) }
  var recipe = TrainingRecipe()
  recipe.corpus = corpus.folder
  recipe.task = try choice(task)
  (recipe.batch, recipe.steps) = (batch, 40)
  if task is MaskedPatches {
    var network = UNet()
    (network.width, network.decoderWidth) = (4, 2)
    recipe.backbone = try Choice.of(network)
  } else {
    recipe.backbone = try Choice.of(ResNet10(width: 4))
  }
  if task.label == nil { recipe.exclude = ["beam": ["dark"]] }
  let classes = task.classes(labels: task.label.map { corpus.classes(of: $0) } ?? [])
  let weights = try Checkpoint.freshWeights(recipe, side: corpus.manifest.width, classes: classes, seed: 3)
  return Checkpoint(
    description: .init(
      recipe: recipe, scaling: InputScaling(mean: 0, deviation: 1), side: corpus.manifest.width, classes: classes, corpus: "of the test"),
    weights: weights, optimizer: OptimizerState(moments: 2, count: weights.storage.count))
}

private func noise(_ random: inout Philox, side: Int = side) -> [Float] { (0..<side * side).map { _ in Float(random.normal()) } }

/// The made corpus of noise; its folder goes with it.
final class NoiseCorpus: Sendable {
  let folder: String, corpus: Corpus

  init(side: Int) throws {
    folder = NSTemporaryDirectory() + "every-task-\(UUID().uuidString)"
    corpus = try madeCorpus(in: folder, side: side) { _, _, random in noise(&random, side: side) }
  }
  deinit { try? FileManager.default.removeItem(atPath: folder) }
}

/// Every control of every task of the catalogue says what it measured, or why it does not ask. None passes without a figure.
@Test func everyTaskIsPutToEveryControl() throws {
  EngineThreads.use(1)
  let small = try NoiseCorpus(side: 33), large = try NoiseCorpus(side: 64)
  for type in PretextTaskCatalog.all {
    let task: any PretextTask = type is FrameClass.Type ? FrameClass(label: "beam") : type.init(), name = type.name
    let corpus = task.smallestSide > 33 || task is MaskedPatches ? large.corpus : small.corpus
    let audit = try TaskAudit(fresh(task, corpus), path: "test", corpus: corpus, examples: 64, plantedSteps: 0)
    let controls = ControlCatalog.ofTasks.map { $0.name }, names = task is Multi ? ["flip: ", "crop-position: "] : [""]
    let expected = names.flatMap { name in controls.map { name + $0 } }
    #expect(audit.findings.map(\.name) == expected)
    for finding in audit.findings {
      switch finding.verdict {
      case .passed:
        #expect(
          finding.score.map { $0.count >= 32 && $0.value.isFinite } ?? finding.statement.contains("Every mask is its own image"),
          "\(name), \(finding.name): \(finding.statement)")
      case .leak: #expect(finding.score != nil)
      case .undecided, .notApplicable: #expect(finding.statement.count > 20, "\(name), \(finding.name): \(finding.statement)")
      }
    }
    #expect(audit.headline.chance.map { (0...1).contains($0) } == true && audit.headline.count >= 64, "\(name)")
    if let own = task.chance(batch: 16), !(task is Multi) { #expect(audit.headline.chance == own.share, "\(name)") }
    if task.variants > 1 { #expect(audit.headline.metric == "paired accuracy", "\(name)") }
  }
}

/// Frames without content show noise, gain and sharpness as well: what asks about them is not held against those frames.
@Test(arguments: [WhichBlur.name, WhichPhotonNoise.name, WhichGainStage.name]) func whatAsksAboutNoiseIsNotJudgedOnNoise(name: String) throws {
  EngineThreads.use(1)
  let own = try NoiseCorpus(side: side), task = PretextTaskCatalog.named(name)!.init()
  let subject = try TaskSubject(fresh(task, own.corpus), path: "test", corpus: own.corpus, examples: 64, plantedSteps: 0)
  for finding in try [NoiseFrames().finding(subject), DarkFrames().finding(subject), BorderStrip().finding(subject)] {
    #expect(finding.verdict == .notApplicable && finding.score?.count == 64 && finding.statement.contains("noise, gain or sharpness"), "\(finding)")
  }
  // What has nothing to do with noise is asked.
  #expect(try HeaderOnly().finding(subject).verdict != .notApplicable)
}

/// Batches of the audit are made as those of the training: distinct pictures of as many runs as the task says, or of all.
@Test func picturesAreAskedAmongBatchesAsTrained() throws {
  let pictures = Pictures(runs: (0..<90).map { $0 % 3 == 0 ? 0 : $0 / 30 + 1 }) { _ in
    MaskedImage(pixels: Tensor(repeating: 0, [side, side]), weight: Tensor(repeating: 1, [side, side]))
  }
  let own = try NoiseCorpus(side: side)
  func groups(_ task: any PretextTask, batch: Int, _ count: Int) throws -> [[TaskExaminer.Example]] {
    let examiner = try TaskExaminer(fresh(task, own.corpus, batch: batch), path: "test")
    let examples = try examiner.examples(of: pictures, 0..<count, seed: 4)
    return Dictionary(grouping: examples) { $0.group ?? -1 }.sorted { $0.key < $1.key }.map(\.value)
  }
  let anywhere = try groups(SimCLR(), batch: 18, 180)
  #expect(anywhere.count == 10 && anywhere.allSatisfy { $0.count == 18 && Set($0.map(\.picture)).count == 18 })
  // An epoch of five batches sees every picture once.
  #expect(Set(anywhere.prefix(5).flatMap { $0.map(\.picture) }).count == 90)
  let ofTwo = try groups(ShotIdentity(), batch: 18, 180)
  for group in ofTwo {
    let counts = Dictionary(grouping: group, by: \.run).mapValues(\.count)
    #expect(counts.values.sorted() == [9, 9] && Set(group.map(\.picture)).count == 18)
  }
  // Two runs have 30 and 20 pictures at most: batches of more than 40 cannot be of two runs.
  #expect(try groups(ShotIdentity(), batch: 64, 40).allSatisfy { $0.count == 40 })
}

// MARK: View pairs

/// Views that hardly differ in place, so that an untrained network tells pictures whose outlines differ.
private func gentle(_ change: (inout ViewPair) -> Void = { _ in }) -> SimCLR {
  var task = SimCLR()
  (task.pair.views.smallestArea, task.pair.views.aspect, task.pair.views.rotation, task.pair.views.shear) = (0.95, 1, 0, 0)
  (task.pair.views.mirrors, task.pair.views.minimumCoverage) = (false, 0)
  change(&task.pair)
  return task
}

/// Every frame has a gap of its own: the outline alone tells pictures apart. Without gaps it tells nothing, and shares its credit.
@Test(arguments: [true, false]) func outlinesThatTellPicturesApartAreFoundByTheMask(haveGaps: Bool) throws {
  try withScratch { folder in
    EngineThreads.use(1)
    let corpus = try madeCorpus(in: folder, side: side) { _, _, random in
      var pixels = noise(&random)
      let height = Int.random(in: 8..<16, using: &random), row = Int.random(in: 0..<16, using: &random), column = Int.random(in: 0..<16, using: &random)
      for i in row..<row + height { for j in column..<column + 14 where haveGaps { pixels[i * side + j] = -1000 } }
      return pixels
    }
    let subject = try TaskSubject(fresh(gentle(), corpus), path: "test", corpus: corpus, examples: 800, plantedSteps: 0)
    let finding = try MaskOnly().finding(subject)
    let chance = 1.0 / 16
    #expect(finding.expected == chance)
    if haveGaps {
      #expect(finding.verdict == .leak && finding.score!.value > 0.3, "\(finding.statement)")
      // A symmetrised mask is no remedy here.
      #expect(finding.remedies == [.alikeBatches] && finding.statement.contains("told apart by the outline"))
    } else {
      #expect(finding.verdict == .passed && abs(finding.score!.value - chance) < 1e-9, "\(finding.statement)")
    }
    // Two views of one and the same noise differ by their draws alone, which say nothing.
    let blind = try NoiseFrames().finding(subject)
    #expect(blind.verdict == .passed || blind.verdict == .undecided, "\(blind.statement)")
    #expect(abs(blind.score!.value - chance) < 4 * blind.score!.standardError)
  }
}

/// A pair whose views share a draw of their own: both are brightened alike, whatever the picture.
private struct CommonTint: ViewPairTask {
  static let name = "common-tint"
  var pair = gentle().pair
  init() {}
  func makeExample(from shot: Shot, in context: ExampleContext, using random: inout Philox, into batch: inout ExampleBatch, at place: Int) {
    var tinted = shot
    let tint = Float(random.normal(0, 3))
    for i in tinted.image.pixels.elements.indices { tinted.image.pixels.elements[i] += tint }
    pairing.makeExample(from: tinted, in: context, using: &random, into: &batch, at: place)
  }
  private var pairing: SimCLR {
    var task = SimCLR()
    task.pair = pair
    return task
  }
  func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective { pairing.objective(batch, backbone: backbone, in: scope) }
}

@Test func aDrawThatBothViewsShareIsFoundByNoiseFrames() throws {
  let corpus = try NoiseCorpus(side: side)
  EngineThreads.use(1)
  let subject = try TaskSubject(fresh(gentle(), corpus.corpus), path: "test", task: CommonTint(), corpus: corpus.corpus, examples: 800, plantedSteps: 0)
  let finding = try NoiseFrames().finding(subject)
  #expect(finding.verdict == .leak && finding.score!.value > 0.3, "\(finding.statement)")
}

// MARK: Regression

/// A ramp tells a template where a piece was cut; noise does not, and neither does the header.
@Test(arguments: [true, false]) func aRampTellsATemplateWhereAPieceLies(hasRamp: Bool) throws {
  try withScratch { folder in
    EngineThreads.use(1)
    let corpus = try madeCorpus(in: folder, side: side) { _, _, random in
      var pixels = noise(&random)
      for i in pixels.indices {
        pixels[i] *= 0.3
        if hasRamp { pixels[i] += 0.5 * Float(i / side) }
      }
      return pixels
    }
    // Sizes are nearly alike, and within the tolerance. Whoever knows the row is right about twice as often as who knows nothing.
    var task = CropRegion()
    (task.smallestShare, task.largestShare, task.tolerance) = (0.5, 0.54, 0.12)
    let subject = try TaskSubject(fresh(task, corpus), path: "test", corpus: corpus, examples: 1600, plantedSteps: 0)
    let finding = try MeanImage().finding(subject)
    #expect(finding.expected == task.chance(batch: 16)?.share)
    #expect((finding.verdict == .leak) == hasRamp && (!hasRamp || finding.score!.value > finding.expected! + 0.15), "\(finding.statement)")
    let header = try HeaderOnly().finding(subject)
    #expect(header.verdict == .passed || header.verdict == .undecided, "\(header.statement)")
    #expect(try BorderStrip().finding(subject).verdict == .notApplicable)
  }
}

// MARK: Reconstruction

/// The same picture every time is explained by the mean picture; noise is explained by nothing, and a picture of one value has nothing to explain.
@Test(arguments: [true, false]) func aStandingPictureIsExplainedByTheMean(stands: Bool) throws {
  try withScratch { folder in
    EngineThreads.use(1)
    let corpus = try madeCorpus(in: folder, side: 64) { _, _, random in
      var pixels = noise(&random, side: 64)
      for i in pixels.indices {
        pixels[i] *= 0.1
        if stands { pixels[i] += sin(0.3 * Float(i % 64)) * cos(0.2 * Float(i / 64)) }
      }
      return pixels
    }
    let subject = try TaskSubject(fresh(MaskedPatches(), corpus), path: "test", corpus: corpus, examples: 128, plantedSteps: 0)
    let finding = try MeanImage().finding(subject)
    #expect(finding.expected == 0 && finding.score?.value == (stands ? 1 : 0) && (finding.verdict == .leak) == stands, "\(finding.statement)")
    let blind = try NoiseFrames().finding(subject)
    #expect(blind.score?.value == 0 && blind.verdict != .leak, "\(blind.statement)")
    #expect(try MaskOnly().finding(subject).verdict == .notApplicable && HeaderOnly().finding(subject).verdict == .notApplicable)
  }
}

// MARK: Several tasks, and pairs of one picture

/// What an examiner of one of several tasks finds right is what the graph of all of them says.
@Test func aPartIsJudgedByTheNetworkOfTheWhole() throws {
  let corpus = try NoiseCorpus(side: side)
  EngineThreads.use(1)
  let task = Multi([.init(Flip()), .init(Flip(antisymmetric: true, axis: .upDown), weight: 2)]), checkpoint = try fresh(task, corpus.corpus)
  let builder = GraphBuilder(), scope = Scope(builder, mode: .inference), count = 32
  let shapes = task.fields(side: side, classes: checkpoint.description.classes.count)
  let inputs = Dictionary(uniqueKeysWithValues: shapes.sorted { $0.key < $1.key }.map { ($0.key, builder.input($0.key, [count] + $0.value)) })
  let objective = task.objective(inputs, backbone: ResNet10(width: 4), in: scope)
  let outputs = Dictionary(uniqueKeysWithValues: objective.judged.map { ($0.question.output, $0.values) })
  let plan = try Plan(Program(inputs: inputs, parameters: scope.parameters, outputs: outputs), precision: .float32)
  let pictures = Pictures(runs: Array(repeating: 0, count: count)) { index in
    var random = Philox(seed: 8, UInt64(index))
    return MaskedImage(pixels: Tensor([side, side], noise(&random)), weight: Tensor(repeating: 1, [side, side]))
  }
  for part in ["flip", "flip-2"] {
    let examiner = try TaskExaminer(checkpoint, path: "test", part: part), examples = try examiner.examples(of: pictures, 0..<count, seed: 2)
    var fields = shapes.mapValues { Tensor<Float>(repeating: 0, [count] + $0) }
    for name in ["view", "mirrored"] { fields["\(part).\(name)"] = Tensor.stacked(examples.map { $0.fields[name]! }) }
    let logits = try plan.evaluate(fields, checkpoint.weights)["logits.\(part)"]!.elements
    let right = zip(logits, examples).map { ($0 > 0) == ($1.fields["mirrored"]!.elements[0] > 0.5) ? 1.0 : 0 }
    #expect(try examiner.answered(examples).credits == right)
    #expect(Set(right).count == 2)
  }
  #expect(throws: InputError.self) { try TaskExaminer(checkpoint, path: "test", part: "jigsaw") }
}

/// Findings of several tasks are told apart by name. Whoever owns up to an answered control has its accuracy withheld all the same.
@Test func theFindingsOfSeveralTasksAreNamedByTask() throws {
  try withScratch { folder in
    EngineThreads.use(1)
    // A standing patch answers left and right, and nothing about above and below.
    let corpus = try madeCorpus(in: folder, side: side) { _, _, random in
      var pixels = noise(&random)
      for row in 13..<20 { for column in 4..<10 { pixels[row * side + column] += 3 } }
      return pixels
    }
    let task = Multi([.init(Flip()), .init(Flip(antisymmetric: true, axis: .upDown))])
    var checkpoint = try fresh(task, corpus)
    func meanImage() throws -> [String: ControlFinding.Verdict] {
      let audit = try TaskAudit(checkpoint, path: "test", corpus: corpus, examples: 200, plantedSteps: 0)
      #expect(audit.parts?.map(\.name) == ["flip", "flip-2"])
      #expect(audit.isWithheld && audit.reasons.contains { $0.hasPrefix("flip: mean image: ") })
      return Dictionary(uniqueKeysWithValues: audit.findings.filter { $0.control == MeanImage.name }.map { ($0.name, $0.verdict) })
    }
    for owned in [[], ["flip: mean image"]] {
      checkpoint.description.recipe.owns = owned
      let found = try meanImage()
      #expect(found["flip: mean image"] == .leak && found["flip-2: mean image"] != .leak && found.count == 2)
    }
  }
}

/// The headline asks every picture in all its versions, which differ in nothing else.
@Test func aPairedHeadlineShowsEveryPictureInBothVersions() throws {
  let corpus = try NoiseCorpus(side: side)
  EngineThreads.use(1)
  let examiner = try TaskExaminer(fresh(Flip(), corpus.corpus), path: "test")
  let pictures = Pictures(runs: Array(repeating: 0, count: 5)) { index in
    var random = Philox(seed: 9, UInt64(index))
    return MaskedImage(pixels: Tensor([side, side], noise(&random)), weight: Tensor(repeating: 1, [side, side]))
  }
  let examples = try examiner.examples(of: pictures, 0..<20, paired: true, seed: 3)
  for pair in 0..<10 {
    let (plain, twin) = (examples[2 * pair], examples[2 * pair + 1])
    #expect(plain.picture == twin.picture && plain.truth == 0 && twin.truth == 1)
    #expect(Symmetry.mirror(plain.fields["view"]!.reshaped(to: [side, side])).elements == twin.fields["view"]!.elements)
  }
  // Every look at the pictures goes through all of them.
  for look in 0..<2 { #expect(Set(examples[10 * look..<10 * look + 10].map(\.picture)) == Set(0..<5)) }
  // Mirroring negates an antisymmetric answer: both versions are right, or both are wrong.
  let sheet = try examiner.sheet(of: pictures, count: 9, paired: true, seed: 3)
  #expect(sheet.credits.count == 10 && stride(from: 0, to: 10, by: 2).allSatisfy { sheet.credits[$0] == sheet.credits[$0 + 1] })
}

// MARK: Chance

/// Of answers that the corpus gives four fifths are alike: always saying them is right in one class of two, and no header has told it.
@Test func headersAreAskedAboutEveryClassAlike() throws {
  var acceptance = AuditAcceptance()
  acceptance.tolerance = 0.04
  func finding(_ truth: (Int, inout Philox) -> Int) throws -> ControlFinding {
    var random = Philox(seed: 12), rows: [[Float]] = [], truths: [Int] = [], steps: [Int] = []
    for i in 0..<2400 {
      rows.append(HeaderOnly.places(i % 32, of: 32))
      steps.append(i / 32)
      truths.append(truth(i % 32, &random))
    }
    let finding = try HeaderOnly.finding(rows, truths, steps, classes: ["hit", "miss"], acceptance, seed: 1, isDrawn: false)
    #expect(finding.expected == 0.5 && finding.score!.metric.hasPrefix("balanced"))
    return finding
  }
  let blind = try finding { _, random in random.uniform() < 0.8 ? 0 : 1 }
  #expect(blind.verdict == .passed && abs(blind.score!.value - 0.5) < 0.04, "\(blind.statement)")
  // The last fifth of every batch is the rare class.
  let told = try finding { place, random in place % 8 < 6 ? 0 : random.uniform() < 0.9 ? 1 : 0 }
  #expect(told.verdict == .leak, "\(told.statement)")
}

/// Labels of records come again at every epoch: a probe that has learnt a record's answer by heart knows nothing of headers.
@Test func anAnswerLearntByHeartIsNotToldByTheHeader() throws {
  var random = Philox(seed: 3)
  let classes = ["hit", "miss"], answers = (0..<300).map { _ in random.uniform() < 0.52 ? 0 : 1 }, codes = (0..<300).map { _ in random.normals(40) }
  var rows: [[Float]] = [], truths: [Int] = [], steps: [Int] = [], records: [Int] = []
  for i in 0..<9600 {
    let record = Int.random(in: 0..<300, using: &random)
    rows.append(codes[record])
    truths.append(answers[record])
    steps.append(i / 64)
    records.append(record)
  }
  let acceptance = AuditAcceptance()
  let byHeart = try HeaderOnly.finding(rows, truths, steps, classes: classes, acceptance, seed: 1, isDrawn: false)
  #expect(byHeart.verdict == .leak, "\(byHeart.statement)")
  let byRecord = try HeaderOnly.finding(rows, truths, records, pictures: records, classes: classes, acceptance, seed: 1, isDrawn: false)
  #expect(byRecord.verdict != .leak, "\(byRecord.statement)")
}

/// What is answered on runs of the training alone goes with the run: a patch that only those runs have.
@Test func whatOnlyKnownRunsTellIsALeak() throws {
  try withScratch { folder in
    EngineThreads.use(1)
    let corpus = try madeCorpus(in: folder, side: 17) { _, run, random in
      var pixels = noise(&random, side: 17)
      if run <= 3 { for row in 5..<12 { for column in 2..<6 { pixels[row * 17 + column] += 3 } } }
      return pixels
    }
    var recipe = TrainingRecipe()
    recipe.corpus = corpus.folder
    recipe.exclude = ["beam": ["dark"]]
    recipe.task = try Choice.of(Flip())
    recipe.backbone = try Choice.of(ResNet10(width: 8))
    (recipe.steps, recipe.batch, recipe.learningRate, recipe.precision) = (60, 32, 3e-3, .float32)
    (recipe.validateEvery, recipe.checkpointEvery) = (60, 60)
    let trainer = try Trainer(recipe, folder: folder + "/run")
    #expect(try trainer.run() == .finished)
    let subject = try TaskSubject(Checkpoint(reading: trainer.folder.last), path: "test", corpus: corpus, examples: 800, plantedSteps: 0)
    let finding = try LeaveOneRunOut().finding(subject)
    #expect(finding.verdict == .leak && finding.statement.contains("Answered on runs of the training alone"), "\(finding.statement)")
    #expect(finding.remedies.contains(.runSplit))
  }
}

/// A cue that only a template was tried on says nothing about what the recipe's settings find.
@Test func aPlantedCueWithoutANetworkDecidesNothing() throws {
  let corpus = try NoiseCorpus(side: 17)
  EngineThreads.use(1)
  let subject = try TaskSubject(fresh(Flip(), corpus.corpus), path: "test", corpus: corpus.corpus, examples: 400, plantedSteps: 0)
  let finding = try PlantedCue().finding(subject)
  #expect(finding.verdict == .undecided && finding.statement.contains("no network was trained"), "\(finding.statement)")
}
