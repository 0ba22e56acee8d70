import ArgumentParser
import Corpora
import Host

struct Build: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Build a labelled corpus from raw files.",
    discussion: "A build that was stopped goes on when run again.\n\nExample: psimagenet build Datasets/real.yaml --out Datasets/built/real")

  @Argument(help: "The recipe (YAML).") var recipe: String
  @Option(help: "Folder for the corpus.") var out: String
  @Flag(help: "Replace another corpus that stands there.") var replace = false
  @OptionGroup var output: OutputOptions

  mutating func run() throws {
    let progress = output.progress
    let corpus = try CorpusBuilder.build(recipeAt: recipe, to: out, replacing: replace) { progress($0) }
    try output.print(CorpusSummary(corpus)) { $0.text }
  }
}
