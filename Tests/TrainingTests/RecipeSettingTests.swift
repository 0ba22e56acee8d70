import Foundation
import Host
import Pretexts
import Testing
import Training

@Test func settingsReplaceSingleKeysOfARecipe() throws {
  let folder = NSTemporaryDirectory() + "setting-\(UUID().uuidString)", path = folder + "/r.yaml"
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try AtomicFile.write(Data("corpus: /c\nsteps: 30\nschedule: {warmupSteps: 3}\ntask: {name: flip, settings: {jitter: {noise: 0.5}}}".utf8), to: path)
  let settings = ["steps=12", "task.settings.jitter.shift=0", "include.beam=[off, on]", "name=off", "backbone.settings.width=16", "backbone.name=resnet10"]
  let recipe = try TrainingRecipe(reading: path, settings: settings.map { try #require(RecipeSetting(parsing: $0)) })
  #expect(recipe.steps == 12 && recipe.name == "off" && recipe.include == ["beam": ["off", "on"]] && recipe.schedule.warmupSteps == 3)
  let flip = try #require(try recipe.task.task(path: "") as? Flip)
  #expect(flip.jitter == Jitter(intensity: 0.1, offset: 0.05, noise: 0.5, shift: 0))
  #expect(recipe.backbone == Choice(name: "resnet10", settings: .object(["width": .integer(16)])))
  // The last of two wins.
  #expect(try TrainingRecipe(reading: path, settings: [.init(["steps"], .integer(40)), .init(["steps"], .integer(50))]).steps == 50)
}

@Test(arguments: [
  ("stepps=3", "stepps"), ("steps=many", "steps"), ("steps=0", "steps"), ("steps.more=1", "steps"), ("task.settings.mirror=true", "task.settings.mirror"),
  ("task.colour=1", "task.colour"), ("task.name=flop", "task.name"), ("seed=-1", "seed"), ("batch=1.5", "batch"), ("steps=20.5", "steps"),
  ("task.settings.tiles=2.5", "task.settings.tiles"), ("backbone.settings.width=0.5", "backbone.settings.width"),
  ("schedule.warmupSteps=0.1", "schedule.warmupSteps"), ("task=flop", "task.name"), ("task=3", "task"), ("schedule.warmupSteps=30", "schedule.warmupSteps"),
])
func settingsThatNoRecipeHasAreRefusedByName(text: String, place: String) throws {
  let folder = NSTemporaryDirectory() + "setting-\(UUID().uuidString)", path = folder + "/r.yaml"
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try AtomicFile.write(Data("corpus: /c\nsteps: 30".utf8), to: path)
  let setting = try #require(RecipeSetting(parsing: text))
  #expect(inputError { _ = try TrainingRecipe(reading: path, settings: [setting]) }?.place == place)
}

/// A bare name begins with the usual settings, which later changes lead into; in files, too.
@Test func aBareNameStandsForWhatIsCalledSo() throws {
  let folder = NSTemporaryDirectory() + "setting-\(UUID().uuidString)", path = folder + "/r.yaml"
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try AtomicFile.write(Data("corpus: /c\nbackbone: resnet10\naugmentations: [blur, {name: pixel-dropout}]\ntask: {name: flip, settings: {showsOneSidedPixels: true}}".utf8), to: path)
  func recipe(_ settings: String...) throws -> TrainingRecipe {
    try TrainingRecipe(reading: path, settings: settings.map { try #require(RecipeSetting(parsing: $0)) })
  }
  let own = try recipe()
  #expect(own.backbone == Choice(name: "resnet10") && own.augmentations == [Choice(name: "blur"), Choice(name: "pixel-dropout")])
  let other = try recipe("task=jigsaw", "task.settings.permutations=8", "optimizer=sgd", "augmentations=[]")
  #expect(other.task == Choice(name: "jigsaw", settings: .object(["permutations": .integer(8)])))
  #expect(other.optimizer == Choice(name: "sgd") && other.augmentations.isEmpty && other.backbone == own.backbone)
}

/// A run that is made shorter than its warm-up warms up for a tenth of its steps, unless the schedule is spoken of; a file by itself is not changed.
@Test func aShortenedRunHasAShorterWarmup() throws {
  let folder = NSTemporaryDirectory() + "setting-\(UUID().uuidString)", path = folder + "/r.yaml"
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try AtomicFile.write(Data("corpus: /c\nsteps: 200\nschedule: {warmupSteps: 20, kind: step}".utf8), to: path)
  func schedule(_ settings: String...) throws -> Schedule {
    try TrainingRecipe(reading: path, settings: settings.map { try #require(RecipeSetting(parsing: $0)) }).schedule
  }
  #expect(try schedule("steps=20") == Schedule(.step, warmupSteps: 2) && schedule("steps=5").warmupSteps == 0)
  #expect(try schedule("steps=21").warmupSteps == 20 && schedule("steps=20", "schedule.warmupSteps=7").warmupSteps == 7)
  #expect(inputError { _ = try schedule("schedule.warmupSteps=20", "steps=20") }?.place == "schedule.warmupSteps")
  try AtomicFile.write(Data("corpus: /c\nsteps: 20".utf8), to: path)
  let error = inputError { _ = try TrainingRecipe(reading: path) }
  #expect(error?.path == path && error?.place == "schedule.warmupSteps")
}

@Test(arguments: ["steps", "=3", "a..b=3", ".a=1", "steps=[1"])
func whatIsNoSettingIsNone(text: String) { #expect(RecipeSetting(parsing: text) == nil) }

@Test(arguments: NamedRecipe.all)
func everyNamedRecipeCanBeReadAndSaysWhatItCosts(recipe: NamedRecipe) throws {
  let read = try TrainingRecipe(reading: recipe.name)
  #expect(read.name == recipe.name && read.about.contains("on two cores"))
  #expect(read.corpus == (recipe.name == "thousand" ? "Datasets/built/thousand" : "Datasets/built/pretext"))
}

/// One for each task, by its name or another; a label of the corpus is asked for by `supervised`.
@Test func everyTaskHasANamedRecipe() throws {
  let asked = try Set(NamedRecipe.all.map { try TrainingRecipe(reading: $0.name).task.name })
  #expect(asked == Set(PretextTaskCatalog.all.map { $0.name }))
}

@Test func theAugmentedRecipeChangesNothingThatItsTaskAsksAbout() throws {
  let recipe = try TrainingRecipe(reading: "shot-identity-augmented")
  let used = try recipe.augmentations.map { try $0.augmentation(path: "", place: "") }
  #expect(used.map { type(of: $0).name } == ["photon-noise", "tile-gain", "shot-intensity", "dark-pattern", "saturation", "pixel-dropout", "beam-shift"])
  #expect(try recipe.task.task(path: "").conflict(with: used) == nil)
}

@Test func everyFileOfRecipesIsListed() throws {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Sources/Training/Recipes").path
  let files = try FileManager.default.contentsOfDirectory(atPath: folder)
  #expect(files.sorted() == NamedRecipe.all.map { $0.name + ".yaml" }.sorted())
  for recipe in NamedRecipe.all { #expect(try AtomicFile.read("\(folder)/\(recipe.name).yaml") == Data(recipe.yaml.utf8)) }
}

@Test func aNameThatIsNeitherFileNorRecipeNamesThoseThatThereAre() {
  let error = inputError { _ = try TrainingRecipe(reading: "flip-nothing") }
  #expect(error?.kind == .missing && error?.expected.contains("flip-xtcav-64") == true)
}
