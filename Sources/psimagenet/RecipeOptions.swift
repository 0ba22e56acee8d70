import ArgumentParser
import Cues
import Foundation
import Host
import Training

/// A training recipe: a file or a name, and what is changed in it.
struct RecipeOptions: ParsableArguments {
  @Argument(help: "The recipe: a YAML file, or the name of one that comes with the program.") var file: String?
  @Option(help: "The same.") var recipe: String?
  @Option(help: "Change one key of the recipe: KEY.KEY=VALUE, VALUE in YAML. May be given several times.") var set: [RecipeSetting] = []
  @Option(help: "Instead of the recipe's corpus.") var corpus: String?
  @Option(help: "Instead of the recipe's seed.") var seed: UInt64?

  func validate() throws {
    guard (file == nil) != (recipe == nil) else { throw ValidationError("name one recipe, as an argument or with --recipe") }
  }

  /// The file or name that was given.
  var given: String { file ?? recipe! }

  /// What errors in the recipe name.
  var source: String { FileManager.default.fileExists(atPath: given) || NamedRecipe.named(given) == nil ? given : "recipe \(given)" }

  /// Words about a recipe that was changed, whose own tell of another run.
  var aboutChanged: String { "changed from \(source)" }

  /// - Parameter further: settings that options of their own make.
  func chosen(changing further: [RecipeSetting] = []) throws -> TrainingRecipe {
    let settings = set + further
    var recipe = try TrainingRecipe(reading: given, settings: settings)
    let touched = Set(settings.map { $0.keys[0] })
    if !touched.isSubset(of: ["seed", "corpus", "name", "about"]), !touched.contains("about") { recipe.about = aboutChanged }
    if let seed { recipe.seed = seed }
    if let corpus { recipe.corpus = corpus }
    try RecipeOptions.checkCorpus(of: recipe, named: given)
    try CommutationTable.check(owns: recipe, path: source)
    return recipe
  }

  /// Throws, saying how it is made, where the corpus of a recipe that comes with the program is not there.
  static func checkCorpus(of recipe: TrainingRecipe, named given: String) throws {
    guard let named = NamedRecipe.named(given), !FileManager.default.fileExists(atPath: recipe.corpus + "/manifest.json") else { return }
    let plan = try TrainingRecipe(reading: named.name).corpus.nameInPath
    throw InputError(
      .missing, path: recipe.corpus, place: "",
      expected: "the corpus of the program's recipes, which Datasets/\(plan)-plan.yaml tells how to make; or another one by --corpus",
      found: "no corpus there")
  }
}

extension RecipeSetting: ExpressibleByArgument {
  public init?(argument: String) { self.init(parsing: argument) }
}
