import Foundation
import Host
import Pretexts
import Testing
import Training

private func read(_ text: String) throws -> TrainingRecipe {
  let folder = NSTemporaryDirectory() + "recipe-\(UUID().uuidString)"
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try AtomicFile.write(Data(text.utf8), to: folder + "/r.yaml")
  do { return try TrainingRecipe(reading: folder + "/r.yaml") } catch {
    #expect(error.path == folder + "/r.yaml")
    throw error
  }
}

@Test func aRecipeOfACorpusAloneHasTheDefaults() throws {
  var expected = TrainingRecipe()
  expected.corpus = "/c"
  let recipe = try read("corpus: /c")
  #expect(recipe == expected && recipe.task.name == "flip" && recipe.steps == 1000 && recipe.batch == 64)
  #expect(recipe.schedule == Schedule(.cosine, warmupSteps: 20) && recipe.seed == 1 && recipe.precision == .automatic && recipe.labelSmoothing == 0)
  #expect(try read("corpus: /c\nprecision: bfloat16\nlabelSmoothing: 0.1").precision == .bfloat16)
  #expect(try read("corpus: here").corpus.hasSuffix("/here"))
}

@Test func givenKeysReplaceDefaultsAndWordsStayWords() throws {
  let recipe = try read("""
    name: 12
    corpus: /c
    include: {kind: [0, "1"], beam: [off]}
    task: {name: flip, settings: {antisymmetric: false, jitter: {noise: 0.5}}}
    backbone: {name: resnet10, settings: {width: 16}}
    schedule: {kind: step}
    """)
  #expect(recipe.name == "12" && recipe.include == ["kind": ["0", "1"], "beam": ["off"]])
  let task = try recipe.task.task(path: "") as? Flip
  #expect(task?.antisymmetric == false && task?.jitter == Jitter(intensity: 0.1, offset: 0.05, noise: 0.5, shift: 0.06))
  #expect(recipe.schedule == Schedule(.step, warmupSteps: 20))
}

@Test(arguments: [
  ("corpus: /c\nprojectsTemplate: true\ntask: {name: flip, settings: {tiles: 2, jitter: {shift: 0}}}", "projectsTemplate"), ("corps: /c", "corps"),
  ("corpus: /c\nprojectsTemplate: true\ntask: {name: single-image}", "projectsTemplate"),
  ("corpus: /c\nprojectsTemplate: true\ntask: {name: multi, settings: {tasks: [{name: flip}, {name: crop-position}]}}", "projectsTemplate"),
  ("corpus: /c\nprojectsTemplate: true\ntask: {name: flip}\naugmentations: [{name: beam-shift}]", "projectsTemplate"),
  ("corpus: /c\ntask: {name: flip, settings: {tiles: 2, jitter: {shift: 0}}}\naugmentations: [{name: blur}, {name: beam-shift}]", "augmentations.[1]"),
  ("corpus: /c\ntask: {name: flip, settings: {tiles: 2, jitter: {shift: 0}}}\naugmentations: [{name: turn, settings: {mirrors: false}}]", "augmentations.[0]"),
  ("corpus: /c\ntask: {name: photon-noise}\naugmentations: [{name: shot-intensity}]", "augmentations.[0]"),
  ("corpus: /c\ntask: {name: photon-noise, settings: {jitter: {noise: 0.05}}}", "task.settings.jitter"),
  ("corpus: /c\ntask: {name: multi, settings: {tasks: [{name: flip}, {name: blur, settings: {jitter: {noise: 0.1}}}]}}", "task.settings.tasks.[1].settings.jitter"), ("steps: 30", "corpus"), ("corpus: ''", "corpus"), ("corpus: /c\nsteps: many", "steps"),
  ("corpus: /c\nsteps: 0", "steps"), ("corpus: /c\nbatch: -1", "batch"), ("corpus: /c\nbatch: 9000000000000000000", "batch"),
  ("corpus: /c\nlearningRate: 0", "learningRate"), ("corpus: /c\nseed: -1", "seed"), ("corpus: /c\nprecision: float8", "precision"),
  ("corpus: /c\nlabelSmoothing: 1", "labelSmoothing"), ("corpus: /c\nlabelSmoothing: -0.1", "labelSmoothing"),
  ("corpus: /c\nvalidateEvery: 0", "validateEvery"), ("corpus: /c\ncheckpointEvery: 0", "checkpointEvery"),
  ("corpus: /c\nschedule: {kind: cosin}", "schedule.kind"), ("corpus: /c\nschedule: {warmup: 3}", "schedule.warmup"),
  ("corpus: /c\nschedule: {warmupSteps: 1000}", "schedule.warmupSteps"), ("corpus: /c\nschedule: {stepShare: 0}", "schedule.stepShare"),
  ("corpus: /c\nschedule: {stepFactor: -1}", "schedule.stepFactor"), ("corpus: /c\ninclude: {kind: wide}", "include.kind"),
  ("corpus: /c\ntask: {name: flop}", "task.name"), ("corpus: /c\ntask: {name: flip, setings: {}}", "task.setings"),
  ("corpus: /c\ntask: {settings: {}}", "task"), ("corpus: /c\ntask: flop", "task.name"),
  ("corpus: /c\ntask: {name: flip, settings: {mirror: true}}", "task.settings.mirror"),
  ("corpus: /c\ntask: {name: flip, settings: {antisymmetric: 3}}", "task.settings.antisymmetric"),
  ("corpus: /c\ntask: {name: flip, settings: {jitter: {nois: 1}}}", "task.settings.jitter.nois"),
  ("corpus: /c\ntask: {name: flip, settings: {jitter: {noise: -1}}}", "task.settings.jitter.noise"),
  ("corpus: /c\ntask: {name: crop-position, settings: {grid: 0}}", "task.settings.grid"),
  ("corpus: /c\naugmentations: [{name: turm}]", "augmentations.[0].name"), ("corpus: /c\naugmentations: {name: turn}", "augmentations"),
  ("corpus: /c\naugmentations: [{name: turn, setings: {}}]", "augmentations.[0].setings"),
  ("corpus: /c\ntask: {name: crop-position}\naugmentations: [{name: turn, settings: {mirror: 1}}]", "augmentations.[0].settings.mirror"),
  ("corpus: /c\ntask: {name: crop-position}\naugmentations: [{name: turn, settings: {mirrors: false, rotates: false}}]", "augmentations.[0].settings.rotates"),
  ("corpus: /c\naugmentations: [{name: turn}]", "augmentations.[0]"),
  ("corpus: /c\ntask: {name: flip, settings: {tiles: 0}}", "task.settings.tiles"),
  ("corpus: /c\ntask: {name: flip, settings: {axis: diagonal}}", "task.settings.axis"),
  ("corpus: /c\nbackbone: {name: vgg}", "backbone.name"), ("corpus: /c\nbackbone: {name: resnet10, settings: {width: 0}}", "backbone.settings.width"),
  ("corpus: /c\noptimizer: {name: adam}", "optimizer.name"),
  ("corpus: /c\noptimizer: {name: adamw, settings: {beta2: 1}}", "optimizer.settings.beta2"),
  ("corpus: /c\noptimizer: {name: sgd, settings: {momentum: 1.5}}", "optimizer.settings.momentum"),
]) func aMistakeInARecipeIsNamedByItsPlace(text: String, place: String) {
  let error = inputError { _ = try read(text) }
  #expect(error?.place == place, "\(error.map(\.description) ?? "")")
  #expect(error?.expected.isEmpty == false && error?.found.isEmpty == false)
}

@Test(arguments: ["", "\tcorpus: /c", "- 1", "3", "corpus: [", "\u{0}", "a: &a [*a]", "corpus: /c\ncorpus: /d"])
func textThatIsNoRecipeIsRefused(text: String) {
  #expect(inputError { _ = try read(text) }?.kind == .malformed)
}

@Test func aRecipeThatAugmentsWhatItAsksIsRefusedNamingBoth() throws {
  let error = try #require(inputError { _ = try read("corpus: /c\ntask: {name: flip}\naugmentations: [{name: turn, settings: {rotates: false}}]") })
  #expect(error.place == "augmentations.[0]" && error.expected.contains("task flip"))
  #expect(error.found == "turn, which contains what the task asks about: mirroring left and right")
  // Turns that do no harm are not named beside the mirrors that do, and all that a question about gain cannot bear is.
  let turned = try #require(inputError { _ = try read("corpus: /c\ntask: {name: flip}\naugmentations: [{name: turn}]") })
  #expect(turned.found.contains("mirroring left and right") && !turned.found.contains("quarter turn"), "\(turned)")
  let bearable = try read("corpus: /c\ntask: {name: flip}\naugmentations: [{name: turn, settings: {mirrors: false}}]")
  #expect(try bearable.chosenAugmentations(path: "").first as? Turn == Turn(mirrors: false, rotates: true))
}

/// Recipes inside checkpoints of earlier versions have no such key.
@Test func recipesWithoutAugmentationsAreRead() throws {
  guard case .object(var fields) = try JSONValue.of(TrainingRecipe()) else { return }
  fields["augmentations"] = nil
  #expect(try JSONValue.object(fields).decoded(as: TrainingRecipe.self, path: "", place: "") == TrainingRecipe())
}

/// A name that is none of a choice's is answered by those that are.
@Test(arguments: [
  ("corpus: /c\ntask: {name: flip, settings: {axis: updown}}", "left-right, up-down", "updown"),
  ("corpus: /c\nschedule: {kind: cosin}", "constant, cosine, step", "cosin"),
  ("corpus: /c\nprecision: float16", "auto, float32, bfloat16", "float16"),
]) func anUnknownChoiceIsAnsweredByTheKnownOnes(_ text: String, _ known: String, _ found: String) throws {
  let error = try #require(inputError { _ = try read(text) })
  #expect(error.expected == "one of \(known)" && error.found == found, "\(error)")
}
