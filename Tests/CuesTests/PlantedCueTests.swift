import Cues
import Engine
import Evaluation
import Pretexts
import Tensors
import Testing
import Training

/// 150 steps, then twice as many each time, and never more than allowed.
@Test(arguments: [(40, [40]), (150, [150]), (151, [150, 151]), (1200, [150, 300, 600, 1200]), (1000, [150, 300, 600, 1000])])
func aPlantedCueIsTriedWithMoreAndMoreSteps(most: Int, attempts: [Int]) {
  #expect(PlantedCue.attempts(upTo: most) == attempts)
}

/// Tasks that cut, ask for numbers, for hidden pixels, for noise, for the corpus's labels, for two shots or for views among a batch: their recipes
/// learn a cue that leaves no doubt. One that cannot learn is told from them.
@Test(
  arguments: [
    "crop-presence", "crop-position", "crop-region", "masked-patches", "photon-noise", "gain-stage", "blur", "dark-pattern", "shot-order", "frame-class", "shot-identity",
  ], [true, false])
func aCueWithoutDoubtIsLearntByWhateverCanLearn(name: String, learns: Bool) throws {
  EngineThreads.use(1)
  // Of 33 pixels a side too few are left of a piece for so small a network to find its place within 1200 steps.
  let corpus = try NoiseCorpus(side: [CropRegion.name, CropPosition.name].contains(name) ? 65 : 33)
  var checkpoint = try fresh(name == FrameClass.name ? FrameClass(label: "beam") : PretextTaskCatalog.named(name)!.init(), corpus.corpus)
  checkpoint.description.recipe.learningRate = learns ? 3e-3 : 1e-9
  let subject = try TaskSubject(checkpoint, path: "test", corpus: corpus.corpus, examples: 400, plantedSteps: learns ? 1200 : 20)
  let finding = try PlantedCue().finding(subject)
  #expect(finding.verdict == (learns ? .passed : .undecided), "\(finding.statement)")
  #expect(finding.expected == 1 && finding.statement.contains("oracle 1"))
}

/// Made-up frames have their answers in turn: how large a frame was before it was averaged must not go with them.
@Test(arguments: 1...6) func theSizeOfANoiseFrameDoesNotGoWithItsAnswer(classes: Int) {
  var counts: [[Int]] = Array(repeating: [0, 0], count: classes)
  for index in 0..<12 * classes { counts[index % classes][NoiseFrames.side(ofFrame: index, of: 33, classes: classes) - 66] += 1 }
  #expect(counts.allSatisfy { $0 == [6, 6] })
}

/// Nobody can explain more of a pattern in noise than the noise leaves.
@Test func aTaskThatWantsMoreThanTheNoiseLeavesHasNoOracle() throws {
  let corpus = try NoiseCorpus(side: 33)
  var task = MaskedPatches()
  task.unexplained = 0.05
  let subject = try TaskSubject(fresh(task, corpus.corpus), path: "test", corpus: corpus.corpus, examples: 64, plantedSteps: 20)
  let finding = try PlantedCue().finding(subject)
  #expect(finding.verdict == .notApplicable && finding.statement.contains("0.900"), "\(finding.statement)")
}

/// Steps that one number of a picture does not tell apart have no sure answer; small views may share nothing.
@Test func whereNoAnswerIsSureNoCueIsPlanted() throws {
  let corpus = try NoiseCorpus(side: 33)
  func finding(_ task: any PretextTask) throws -> ControlFinding {
    try PlantedCue().finding(TaskSubject(fresh(task, corpus.corpus), path: "test", corpus: corpus.corpus, examples: 64, plantedSteps: 20))
  }
  let alike = try finding(WhichPhotonNoise(PhotonNoise(shares: [1, 0.99]), jitter: Jitter(intensity: 0, offset: 0.05, noise: 0)))
  #expect(alike.verdict == .notApplicable && alike.statement.contains("No sure answer"), "\(alike.statement)")
  var turned = ShotIdentity()
  turned.pair.views.rotation = 30
  #expect(try finding(turned).verdict == .notApplicable, "views that are turned so far are cut smaller")
  let views = try finding(SimCLR())
  #expect(views.verdict == .notApplicable && views.statement.contains("share next to nothing"), "\(views.statement)")
  var classes = try fresh(FrameClass(label: "beam"), corpus.corpus)
  classes.description.classes = corpus.corpus.classes(of: "beam") + (2..<65).map { "class \($0)" }
  classes.weights = try Checkpoint.freshWeights(classes.description.recipe, side: 33, classes: classes.description.classes, seed: 3)
  let many = try PlantedCue().finding(TaskSubject(classes, path: "test", corpus: corpus.corpus, examples: 64, plantedSteps: 20))
  #expect(many.verdict == .notApplicable && many.statement.contains("65 classes"), "\(many.statement)")
}
