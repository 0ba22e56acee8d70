import ArgumentParser
import Corpora
import Foundation
import Frames
import Host
import Reports
import Training

struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Counts per class and split of a corpus, and a contact sheet of its pictures; or a batch of a training run.",
    discussion: """
      Example: psimagenet show Datasets/built/real --sheet real.png --label camera
      Example: psimagenet show --batch flip-xtcav-64 --sheet batch.png
      """)

  @Argument(help: "A built corpus; with --batch instead of the recipe's.") var corpus: String?
  @Option(help: "Draw the first training batch of this recipe, a file or a name, as the network sees it.") var batch: String?
  @Option(help: "Change one key of that recipe: KEY.KEY=VALUE. May be given several times.") var set: [RecipeSetting] = []
  @Option(help: "Write a contact sheet to this PNG file; batch.png for a batch where left out.") var sheet: String?
  @Option(help: "Sort the sheet by this label; by source where left out.") var label: String?
  @Option(help: "Pictures per class on the sheet.") var columns = 8
  @Option(help: "Which pictures are drawn: 0 where left out, of a batch the recipe's seed.") var seed: UInt64?
  @Flag(help: "Verify every checksum.") var verify = false
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard corpus != nil || batch != nil else { throw ValidationError("name a corpus, or a recipe with --batch") }
    guard columns > 0 else { throw ValidationError("--columns is 1 or more, not \(columns)") }
    guard batch != nil || set.isEmpty else { throw ValidationError("--set changes the recipe of --batch") }
    guard batch == nil || (label == nil && !verify) else { throw ValidationError("--label and --verify are for a corpus, not for --batch") }
  }

  mutating func run() throws {
    guard let batch else { return try showCorpus(corpus!) }
    var recipe = try TrainingRecipe(reading: batch, settings: set)
    if let corpus { recipe.corpus = corpus }
    if let seed { recipe.seed = seed }
    try RecipeOptions.checkCorpus(of: recipe, named: batch)
    let shown = try LabelledBatch(first: recipe, path: batch), path = sheet ?? "batch.png"
    try AtomicFile.write(Data(BatchSheet(columns: columns).picture(of: shown).png()), to: path)
    let counts = Dictionary(grouping: shown.answers) { $0 }.mapValues(\.count)
    try output.print(counts) { counts in
      counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ") + "\nbatch: \(path)"
    }
  }

  private func showCorpus(_ corpus: String) throws {
    let opened = try Corpus(opening: corpus)
    if verify { try opened.verify(progress: output.progress) }
    if let sheet {
      let picture = try ContactSheet(label: label, columns: columns, seed: seed ?? 0).picture(of: opened)
      try AtomicFile.write(Data(picture.png()), to: sheet)
    }
    try output.print(CorpusSummary(opened)) { $0.text + (sheet.map { "\ncontact sheet: \($0)" } ?? "") }
  }
}
