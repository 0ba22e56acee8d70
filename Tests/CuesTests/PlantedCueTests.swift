import Cues
import Engine
import Evaluation
import Pretexts
import Tensors
import Testing

/// 150 steps, then twice as many each time, and never more than allowed.
@Test(arguments: [(40, [40]), (150, [150]), (151, [150, 151]), (1200, [150, 300, 600, 1200]), (1000, [150, 300, 600, 1000])])
func aPlantedCueIsTriedWithMoreAndMoreSteps(most: Int, attempts: [Int]) {
  #expect(PlantedCue.attempts(upTo: most) == attempts)
}

/// Tasks that cut, ask for numbers or for hidden pixels: their recipes learn a pattern that leaves no doubt. One that cannot learn is told from them.
@Test(arguments: ["crop-presence", "crop-region", "masked-patches"], [true, false])
func aPatternWithoutDoubtIsLearntByWhateverCanLearn(name: String, learns: Bool) throws {
  EngineThreads.use(1)
  let corpus = try NoiseCorpus(side: 33)
  var checkpoint = try fresh(PretextTaskCatalog.named(name)!.init(), corpus.corpus)
  checkpoint.description.recipe.learningRate = learns ? 3e-3 : 1e-9
  let subject = try TaskSubject(checkpoint, path: "test", corpus: corpus.corpus, examples: 400, plantedSteps: learns ? 600 : 20)
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
