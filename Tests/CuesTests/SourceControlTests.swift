import Corpora
import Cues
import Evaluation
import Foundation
import Host
import Pretexts
import Tensors
import Testing
import Training

private let side = 17
private func noise(_ random: inout Philox) -> [Float] { (0..<side * side).map { _ in Float(random.normal()) } }

/// Beams on opposite sides have a mean picture that says nothing, and one a detector that says everything.
@Test func eachSourceHasAMeanImageOfItsOwn() throws {
  try withScratch { folder in
    func finding(_ sources: [String]) throws -> ControlFinding {
      let corpus = try madeCorpus(in: folder, side: side, sources: sources, to: "corpus-\(sources.count)") { isDark, run, random in
        var pixels = noise(&random)
        if !isDark { for row in 6..<11 { for column in 2..<5 { pixels[row * side + (run % 2 == 1 ? column : side - 1 - column)] += 4 } } }
        return pixels
      }
      return try MeanImage().finding(TaskSubject(fresh(Flip(), corpus), path: "test", corpus: corpus, examples: 600, plantedSteps: 0))
    }
    let together = try finding(["made"]), apart = try finding(["odd", "even"])
    #expect(together.verdict != .leak, "\(together.statement)")
    #expect(apart.verdict == .leak && apart.statement.hasPrefix("Of even alone: Answered"), "\(apart.statement)")
    #expect(apart.score!.value > 0.95)
  }
}

/// What tells the answer of one detector in ten is a leak, though hardly seen among all of them.
@Test func aLeakOfOneSourceIsNotDiluted() throws {
  try withScratch { folder in
    let corpus = try madeCorpus(in: folder, side: side) { _, _, random in noise(&random) }
    let subject = try TaskSubject(fresh(Flip(), corpus), path: "test", corpus: corpus, examples: 16, plantedSteps: 0)
    func finding(_ right: Double) -> ControlFinding {
      var sheet = AnswerSheet(classes: 2)
      for i in 0..<9000 { sheet.append(Double(i % 2), picture: i, run: i % 20, source: "many") }
      for i in 0..<1000 { sheet.append(Double(i) < 1000 * right ? 1 : 0, picture: 9000 + i, run: 20 + i % 20, source: "few") }
      return subject.mustBeChance(MaskOnly.self, sheet)
    }
    let leak = finding(0.65)
    #expect(leak.verdict == .leak && leak.statement.hasPrefix("Of few alone") && leak.score!.metric.hasSuffix("mask only, few"))
    // And of so few examples "at chance" is not shown.
    #expect(finding(0.5).verdict == .undecided)
  }
}

/// Whoever says one and the same of everything is right in one of K classes, and whoever knows the rare ones has found something.
@Test func rareAnswersOfTheCorpusCountAsMuchAsFrequentOnes() {
  var constant = AnswerSheet(.mostFrequent), informed = constant
  for i in 0..<1000 {
    let truth = i % 5 == 0 ? 1 : 0
    constant.append(truth == 0 ? 1 : 0, picture: i, run: i % 50, truth: truth)
    // All of the rare ones, and half of the others: right in 0.6 of all, which is less than the constant answer.
    informed.append(truth == 1 || i % 2 == 0 ? 1 : 0, picture: i, run: i % 50, truth: truth)
  }
  let dull = constant.controlScore("accuracy"), sharp = informed.controlScore("accuracy")
  #expect(abs(dull.value - 0.5) < 1e-12 && dull.chance == 0.5)
  #expect(abs(sharp.value - 0.75) < 1e-12 && informed.score("accuracy").value < informed.chance)
  // Independent answers: the error of a mean of two shares.
  var random = Philox(seed: 4), values: [Double] = [], errors: [Double] = []
  for _ in 0..<400 {
    var sheet = AnswerSheet(.mostFrequent)
    for i in 0..<300 {
      let truth = i % 6 == 0 ? 1 : 0
      sheet.append(Double.random(in: 0..<1, using: &random) < (truth == 1 ? 0.8 : 0.6) ? 1 : 0, picture: i, run: i, truth: truth)
    }
    let score = sheet.controlScore("accuracy")
    values.append(score.value)
    errors.append(score.standardError)
  }
  let scatter = (values.map { ($0 - 0.7) * ($0 - 0.7) }.reduce(0, +) / 400).squareRoot()
  #expect(abs(Statistics.mean(errors) / scatter - 1) < 0.15, "\(Statistics.mean(errors)) for a scatter of \(scatter)")
  // Where the task draws its answers the plain share stands.
  var drawn = AnswerSheet(classes: 2)
  for i in 0..<10 { drawn.append(1, picture: i, run: 0, truth: i % 3 == 0 ? 1 : 0) }
  #expect(drawn.controlScore("accuracy").metric == "accuracy")
}

/// Pieces are normalised, so that a picture of one value shows nothing: the outline must be filled with something that varies.
@Test(arguments: [true, false]) func theOutlineShowsInNormalisedPieces(isJigsaw: Bool) throws {
  try withScratch { folder in
    let corpus = try madeCorpus(in: folder, side: 65) { _, _, random in
      var pixels = (0..<65 * 65).map { _ in Float(random.normal()) + 5 }
      for row in 16..<40 { for column in 6..<28 { pixels[row * 65 + column] = -1000 } }
      return pixels
    }
    let task: any PretextTask = isJigsaw ? Jigsaw() : PatchDirection()
    let subject = try TaskSubject(fresh(task, corpus), path: "test", corpus: corpus, examples: 32, plantedSteps: 0)
    func shown(_ pictures: Pictures) throws -> [[Float]] {
      try subject.examiner.examples(of: pictures, 0..<32).map { example in
        example.fields.filter { $0.value.shape.rank > 1 }.sorted { $0.key < $1.key }.flatMap(\.value.elements)
      }
    }
    // The mistake: one value everywhere leaves nothing.
    let flat = try shown(subject.held.mapped { MaskOnly.frame(of: $0, value: 6) })
    #expect(flat.allSatisfy { $0.allSatisfy { $0 == 0 } })
    let outlined = try shown(MaskOnly.pictures(subject)), seen = try shown(subject.held)
    // What is measured varies and what is not is 0, in the same places of every example as with light.
    #expect(zip(outlined, seen).allSatisfy { own, lit in zip(own, lit).allSatisfy { ($0 == 0) == ($1 == 0) } })
    #expect(outlined.contains { $0.contains { $0 != 0 } } && outlined.contains { $0.contains { $0 == 0 } })
  }
}

/// One dark set, in however many frames, excludes its own pattern alone; and of a source without darks nothing is excluded.
@Test func fewDarkSetsExcludeNoPattern() throws {
  try withScratch { folder in
    let corpus = try madeCorpus(in: folder, side: side) { _, _, random in noise(&random) }
    var acceptance = AuditAcceptance()
    acceptance.tolerance = 0.2
    let finding = try DarkFrames().finding(
      TaskSubject(fresh(Flip(), corpus), path: "test", corpus: corpus, examples: 400, plantedSteps: 0, acceptance: acceptance))
    // Runs 4 to 6, of which none has pedestals.
    #expect(finding.verdict == .undecided && finding.statement.contains("made: 3 dark sets"), "\(finding.statement)")
    #expect(finding.score!.count == 400)
  }
}

/// A pinwheel is its own image in every quarter turn, and in no mirror.
@Test func theMirrorsAreTriedWhereTurnsShowNothing() throws {
  try withScratch { folder in
    let corpus = try madeCorpus(in: folder, side: side) { _, _, random in
      var pixels = Tensor<Float>([side, side], noise(&random).map { $0 + 5 })
      for turn in WhichSymmetry.Kind.rotations.elements {
        var blade = Tensor<Float>(repeating: 0, [side, side])
        for column in 2..<8 { blade.elements[2 * side + column] = 1 }
        let turned = turn(blade)
        for i in turned.elements.indices where turned.elements[i] > 0 { pixels.elements[i] = -1000 }
      }
      return pixels.elements
    }
    let subject = try TaskSubject(
      fresh(WhichSymmetry(.square, showsOneSidedPixels: true), corpus), path: "test", corpus: corpus, examples: 64, plantedSteps: 0)
    let image = try subject.held.image(0)
    #expect(image.maskOverlap(under: WhichSymmetry.Kind.rotations.elements[1], minimumWeight: 0.5) == 1 && image.maskOverlap(under: .mirror, minimumWeight: 0.5) < 1)
    let finding = try MirroredGeometry().finding(subject)
    #expect(finding.score != nil && finding.statement.contains("overlap by 0."), "\(finding.statement)")
  }
}

/// Company is asked about with pictures that the network does not know by heart, and where these fill a batch.
@Test func companyIsOfHeldOutPictures() throws {
  try withScratch { folder in
    let corpus = try madeCorpus(in: folder, side: side) { _, _, random in noise(&random) }
    // 80 pictures of the test, 120 of the training.
    for (batch, verdict) in [(100, ControlFinding.Verdict.undecided), (16, .passed)] {
      var acceptance = AuditAcceptance()
      acceptance.tolerance = 0.2
      let finding = try BatchStatistics().finding(
        TaskSubject(fresh(Flip(), corpus, batch: batch), path: "test", corpus: corpus, examples: 400, plantedSteps: 0, acceptance: acceptance))
      #expect(finding.verdict == verdict, "\(finding.statement)")
      #expect((verdict == .undecided) == finding.statement.contains("80 held-out pictures"))
    }
  }
}

/// A dark that is alone in its run has no neighbour; the others are asked all the same.
@Test func aLoneDarkIsNoReasonForNoAudit() throws {
  try withScratch { folder in
    let corpus = try madeCorpus(in: folder, side: side) { _, _, random in noise(&random) }
    let darks = DarkFrames.select(corpus.records(in: .test)), last = try #require(darks.last), lone = darks.filter { $0.run != last.run } + [last]
    let refused = #expect(throws: InputError.self) { try ShotNeighbour.all(of: lone, path: "records.csv") }
    #expect(refused?.place == "record \(last.id)")
    let accompanied = ShotNeighbour.accompanied(lone)
    #expect(accompanied.count == lone.count - 1)
    #expect(try ShotNeighbour.all(of: accompanied, path: "records.csv").count == accompanied.count)
  }
}
