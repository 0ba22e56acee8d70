import Corpora
import Cues
import Engine
import Foundation
import Frames
import Host
import Networks
import Pretexts
import Tensors
import Testing
import Training

/// A corpus of noise and a short flip run on it; beam frames have noise of 1 and darks of a tenth.
private func made(in folder: String, _ task: any PretextTask = Flip(), _ change: (inout TrainingRecipe) -> Void = { _ in }) throws -> (corpus: Corpus, run: RunFolder) {
  EngineThreads.use(1)
  let corpus = try madeCorpus(in: folder, side: 17) { isDark, _, random in
    (0..<17 * 17).map { _ in Float(random.normal(isDark ? 0 : 0.5, isDark ? 0.1 : 1)) }
  }
  var recipe = TrainingRecipe()
  recipe.corpus = corpus.folder
  recipe.task = try Choice.of(task)
  recipe.backbone = try Choice.of(ResNet10(width: 4))
  (recipe.steps, recipe.batch, recipe.precision, recipe.validateEvery, recipe.checkpointEvery) = (4, 8, .float32, 2, 2)
  recipe.schedule = Schedule(.cosine, warmupSteps: 1)
  change(&recipe)
  let trainer = try Trainer(recipe, folder: folder + "/run")
  #expect(try trainer.run() == .finished)
  return (corpus, trainer.folder)
}

/// Who asks again, and less, loses nothing of what a thorough audit showed; nor does one of another split or corpus take its place.
@Test func aWeakerAuditDoesNotReplaceAStrongerOne() throws {
  try withScratch { folder in
    let (corpus, run) = try made(in: folder) { $0.exclude = ["beam": ["dark"]] }
    let checkpoint = try Checkpoint(reading: run.last), path = TaskAudit.file(of: run)
    func audit(_ examples: Int, split: Split = .test) throws -> TaskAudit {
      try TaskAudit(checkpoint, path: run.last, corpus: corpus, split: split, examples: examples, plantedSteps: 0)
    }
    #expect(try audit(96).keep(at: path, of: checkpoint, corpus: corpus) == nil)
    let thorough = try AtomicFile.read(path)
    let weaker = try audit(64), refusal = try #require(try weaker.keep(at: path, of: checkpoint, corpus: corpus))
    #expect(refusal.contains("asked for what this one did not (96 examples, 0 steps"))
    #expect(try audit(200, split: .validation).keep(at: path, of: checkpoint, corpus: corpus)?.contains("validation split") == true)
    var elsewhere = weaker
    elsewhere.corpusDigest = "another"
    #expect(try elsewhere.keep(at: path, of: checkpoint, corpus: corpus)?.contains("another corpus") == true)
    #expect(try AtomicFile.read(path) == thorough)
    #expect(try TaskAudit.kept(in: run, corpus: corpus, examples: 64, plantedSteps: 0).examples == 96)
    #expect(try AtomicFile.read(path) == thorough)
    // Fewer examples with a planted cue are asked anew, and the many stay where they lie; neither replaces the other.
    #expect(try TaskAudit.kept(in: run, corpus: corpus, examples: 64, plantedSteps: 10).plantedSteps == 10)
    #expect(try AtomicFile.read(path) == thorough)
    // More is asked anew, and what is no audit is written over by who asks for one.
    #expect(try TaskAudit.kept(in: run, corpus: corpus, examples: 112, plantedSteps: 0).examples == 112)
    #expect(try AtomicFile.read(path) != thorough)
    try AtomicFile.write(Data("{".utf8), to: path)
    #expect(try weaker.keep(at: path, of: checkpoint, corpus: corpus) == nil)
    #expect(try TaskAudit.known(in: run, corpus: corpus)?.examples == 64)
    // One of the same recipe, seed and step with other weights is another network, as after a training that was made anew.
    var retrained = checkpoint
    retrained.weights[retrained.weights.slots[0].path] = Tensor(repeating: 0.01, retrained.weights.slots[0].shape)
    try retrained.write(to: run.last)
    #expect(try TaskAudit.known(in: run, corpus: corpus) == nil)
    try checkpoint.write(to: run.last)
    #expect(try TaskAudit.known(in: run, corpus: corpus)?.examples == 64)
    // Where the last step is the best one, it is the best one's audit, too.
    try checkpoint.write(to: run.best)
    #expect(try TaskAudit.known(in: run, best: true, corpus: corpus)?.examples == 64)
    try retrained.write(to: run.best)
    #expect(try TaskAudit.known(in: run, best: true, corpus: corpus) == nil)
    // An audit of another network does not stand for this one.
    var earlier = checkpoint
    earlier.description.step = 2
    #expect(try TaskAudit(earlier, path: run.last, corpus: corpus, examples: 640, plantedSteps: 0).keep(at: path, of: earlier, corpus: corpus) == nil)
    #expect(try weaker.keep(at: path, of: checkpoint, corpus: corpus) == nil)
  }
}

/// Fewer examples than there are pictures are of all runs, not of the first ones.
@Test func aFewExamplesAreOfAllRuns() throws {
  try withScratch { folder in
    let (corpus, run) = try made(in: folder) { $0.exclude = ["beam": ["dark"]] }
    let subject = try TaskSubject(Checkpoint(reading: run.last), path: run.last, corpus: corpus, examples: 40, plantedSteps: 0)
    let sheet = try subject.headline.get(), darks = try subject.examiner.sheet(of: subject.darks, count: 40, seed: 0)
    // 20 pictures, each asked twice, of 80 in two runs; 40 darks of 180 in the three runs that are not trained on.
    #expect(sheet.byRun.count == 2 && Set(sheet.pictures).count == 20)
    #expect(darks.byRun.count == 3 && Set(darks.pictures).count == 40)
  }
}

/// Dark frames that have classes of their own are pictures of the task, and no control.
@Test func darkFramesWithClassesOfTheirOwnAreNoLeak() throws {
  try withScratch { folder in
    let (corpus, run) = try made(in: folder, FrameClass(label: "beam"))
    let subject = try TaskSubject(Checkpoint(reading: run.last), path: run.last, corpus: corpus, examples: 200, plantedSteps: 0)
    #expect(subject.darkIsAnAnswer && subject.held.count == corpus.records(in: .test).count)
    #expect(try DarkFrames().finding(subject).verdict == .notApplicable)
  }
  // Where they are left out, and where classes are shared with frames with beam, they are asked.
  try withScratch { folder in
    let (corpus, run) = try made(in: folder) { $0.exclude = ["beam": ["dark"]] }
    let subject = try TaskSubject(Checkpoint(reading: run.last), path: run.last, corpus: corpus, examples: 200, plantedSteps: 0)
    #expect(!subject.darkIsAnAnswer && subject.darks.count > 0 && subject.held.count < corpus.records(in: .test).count)
    #expect(try DarkFrames().finding(subject).verdict != .notApplicable)
  }
}

/// Pictures that were JPEG files have a row for its blocks, which fails a run about mirrors unless the recipe owns up to it.
@Test func jpegFilesHaveARowInTheTable() throws {
  try withScratch { folder in
    for run in 1...6 {
      for shot in 0..<4 {
        var random = Philox(seed: 3, UInt64(run), UInt64(shot))
        let grey = (0..<40 * 36).map { _ in UInt8(max(0, min(255, random.normal(128, 40)))) }
        try AtomicFile.write(Data(JPEG.encode(grey: grey, rows: 40, columns: 36, quality: 80)), to: "\(folder)/raw/run\(run)/\(shot).JPG")
      }
    }
    let keys = { (runs: ClosedRange<Int>) in runs.map { RunKey(experiment: "made", run: $0) } }
    let source = SourceRecipe(name: "previews", files: ["raw/*/*.JPG"], experiment: .named("made"), run: .folder)
    let corpus = try CorpusBuilder.build(
      CorpusRecipe(
        name: "made", image: .init(height: 33, width: 33), split: SplitRule(runs: [.train: keys(1...3), .validation: keys(4...4), .test: keys(5...6)]),
        sources: [source]), relativeTo: folder, to: folder + "/corpus")
    var recipe = TrainingRecipe()
    recipe.corpus = corpus.folder
    func row(_ key: String) throws -> CommutationTable.Row? {
      try CommutationTable(recipe, scaling: InputScaling(mean: 0, deviation: 1), corpus: corpus).rows.first { $0.key == key }
    }
    let found = try #require(try row("encode"))
    #expect(found.verdict == .fails && found.source == "previews" && [97, 99, 100].contains(found.worst?.width))
    // Whole blocks commute but for the rounding of counts.
    #expect(found.residuals.filter { $0.width % 16 == 0 }.allSatisfy { $0.relative < 0.05 })
    recipe.owns = ["encode"]
    try CommutationTable.check(owns: recipe, path: "test")
    #expect(try row("encode")?.verdict == .owned)
  }
  try withScratch { folder in
    let (corpus, run) = try made(in: folder)
    let recipe = try Checkpoint(reading: run.last).description.recipe
    #expect(try !CommutationTable(recipe, scaling: InputScaling(mean: 0, deviation: 1), corpus: corpus).rows.contains { $0.key == "encode" })
  }
}

/// Tiles mirrored in place are another question than a mirror of the frame, of which the table speaks.
@Test func aTableForTilesSaysWhatItMeasured() throws {
  try withScratch { folder in
    let (corpus, run) = try made(in: folder)
    var recipe = try Checkpoint(reading: run.last).description.recipe
    func row(_ key: String) throws -> CommutationTable.Row? {
      try CommutationTable(recipe, scaling: InputScaling(mean: 0, deviation: 1), corpus: corpus).rows.first { $0.key == key }
    }
    #expect(try row("area average")?.verdict == .commutes && row("tone map")?.verdict == .commutes)
    recipe.task = try Choice.of(Flip(antisymmetric: true, tiles: 2, jitter: Jitter(intensity: 0.1, offset: 0.05, noise: 0.05)))
    #expect(try row("area average")?.verdict == .information && row("tone map")?.verdict == .commutes)
    #expect(try row("area average")?.reason?.contains("tiles") == true)
  }
}

/// A run pays for planted cues where their 150 steps see a fifth of its examples: 32 a step, or the run's own batch where views are looked for in it; of
/// each task its own.
@Test(arguments: [
  ("flip", 374, 64, 0), ("flip", 375, 64, 150), ("flip", 750, 32, 150), ("flip", 750, 31, 0), ("simclr", 749, 64, 0), ("simclr", 750, 64, 150),
  ("multi", 749, 64, 0), ("multi", 750, 64, 150),
]) func longRunsPayForAPlantedCue(task: String, steps: Int, batch: Int, planted: Int) throws {
  var recipe = TrainingRecipe()
  (recipe.task, recipe.steps, recipe.batch) = (Choice(name: task), steps, batch)
  #expect(try TaskAudit.share(of: recipe).plantedSteps == planted)
}
