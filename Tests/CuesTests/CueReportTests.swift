import Corpora
import Cues
import Foundation
import Frames
import Host
import Networks
import Pretexts
import Tensors
import Testing
import Training

private func report(side: Int, steps: Int, hasAudit: Bool = false, frame: (Bool, inout Philox) -> [Float]) throws -> CueReport {
  try withScratch { folder in
    let corpus = try madeCorpus(in: folder, side: side) { isDark, _, random in frame(isDark, &random) }
    var recipe = TrainingRecipe()
    recipe.corpus = corpus.folder
    recipe.exclude = ["beam": ["dark"]]
    recipe.task = try Choice.of(Flip(antisymmetric: true, jitter: Jitter(intensity: 0.05, offset: 0, noise: 0.05)))
    recipe.backbone = try Choice.of(ResNet10(width: 8))
    (recipe.steps, recipe.batch, recipe.learningRate) = (steps, 32, 3e-3)
    (recipe.validateEvery, recipe.checkpointEvery) = (steps, steps)
    let trainer = try Trainer(recipe, folder: folder + "/run")
    #expect(try trainer.run() == .finished)
    var planted = PlantedPixel()
    (planted.frames, planted.steps, planted.batch) = (1000, 2, 4)
    let checkpoint = try Checkpoint(reading: trainer.folder.last)
    let audit = hasAudit ? try TaskAudit(checkpoint, path: trainer.folder.last, corpus: corpus, examples: 400, plantedSteps: 0) : nil
    return try CueReport(checkpoint, path: trainer.folder.last, corpus: corpus, planted: planted, audit: audit)
  }
}

private let side = 17

/// The heart of the product: a detector that found a hot pixel is called out, and its accuracy is withheld.
@Test func aDetectorThatFoundAHotPixelIsCalledOut() throws {
  let report = try report(side: side, steps: 120) { _, random in
    var pixels = (0..<side * side).map { _ in Float(random.normal()) }
    // A patch of the sensor that calibration forgot: in beam frames and in darks alike.
    for row in 4..<7 { for column in 2..<5 { pixels[row * side + column] += 6 } }
    return pixels
  }
  let source = try #require(report.sources.first)
  #expect(source.accuracy.value > 0.9)
  #expect(source.darkVerdict == .leak)
  #expect(source.isWithheld && report.withheld == ["made"])
  #expect(source.verdict.contains("fixed pattern") && report.verdict.hasPrefix("Withheld for made"))
  // A full mask has no handedness: exactly half, whatever the detector learnt.
  #expect(source.maskOnly.value == 0.5 && source.maskMirrorOverlap == 1)
  #expect(!source.verdict.contains("told apart"))
}

/// What the audit of the task withholds, this report does not tell, though neither of its own two controls is answered: the beam itself always lies alike,
/// so the mean image knows.
@Test func whatTheAuditWithholdsIsNotTold() throws {
  let report = try report(side: side, steps: 120, hasAudit: true) { isDark, random in
    var pixels = (0..<side * side).map { _ in Float(random.normal()) }
    if !isDark { for row in 4..<7 { for column in 2..<5 { pixels[row * side + column] += 6 } } }
    return pixels
  }
  let source = try #require(report.sources.first)
  #expect(source.darkVerdict != .leak && source.isWithheld && report.withheld == ["made"])
  #expect(report.verdict.hasPrefix("Withheld by the audit of the task: ") && report.verdict.contains("mean image"))
  #expect(source.verdict.contains("withholds the accuracy") && !source.verdict.contains("told apart"))
}

/// The same shape made by the beam: darks do not have it, and the accuracy stands.
@Test func aDetectorThatReadsTheBeamIsNotWithheld() throws {
  let report = try report(side: side, steps: 120) { isDark, random in
    var pixels = (0..<side * side).map { _ in Float(random.normal()) }
    if !isDark { for row in 4..<7 { for column in 2..<5 { pixels[row * side + column] += 6 } } }
    return pixels
  }
  let source = try #require(report.sources.first)
  #expect(source.accuracy.value > 0.9)
  #expect(source.darkVerdict != .leak && !source.isWithheld && report.withheld.isEmpty)
  // 80 frames and 180 darks cannot exclude a leak of ten points, and the report must not sound as if they did.
  #expect(source.maskOnlyVerdict == .tooFew && report.verdict.contains("too few frames"))
  #expect(source.peaks.total == 80 && source.peaks.radius.reduce(0) { $0 + $1.count } == 80)
  #expect(source.meanEvidence.count == side * side && source.examples.count == 4)
}
