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

  func chosen() throws -> TrainingRecipe {
    var recipe = try TrainingRecipe(reading: file ?? self.recipe!, settings: set)
    if let seed { recipe.seed = seed }
    if let corpus { recipe.corpus = corpus }
    if let named = NamedRecipe.named(file ?? self.recipe!), !FileManager.default.fileExists(atPath: recipe.corpus + "/manifest.json") {
      let plan = try (TrainingRecipe(reading: named.name).corpus as NSString).lastPathComponent
      throw InputError(
        .missing, path: recipe.corpus, place: "",
        expected: "the corpus of the program's recipes, which Datasets/\(plan)-plan.yaml tells how to make; or another one by --corpus",
        found: "no corpus there")
    }
    try CommutationTable.check(owns: recipe, path: file ?? self.recipe!)
    return recipe
  }
}

extension RecipeSetting: ExpressibleByArgument {
  public init?(argument: String) { self.init(parsing: argument) }
}
