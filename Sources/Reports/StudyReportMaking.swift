import Corpora
import Foundation
import Host
import Training

extension StudyReport {
  func addMaking(to report: inout HTMLReport) throws(InputError) {
    report.heading("How it was made")
    var table = Table([.init("what"), .init("value")])
    table.append(["program", .text(CorpusManifest.toolVersion)])
    if let corpus {
      table.append(["corpus", .text(corpus.manifest.name)])
      table.append(["SHA-256 of its manifest", .text(try Checksum.sha256(file: corpus.folder + "/manifest.json"))])
      table.append(["SHA-256 of its recipe", .text(corpus.manifest.recipeSHA256)])
      table.append(["built by", .text(corpus.manifest.tool)])
    }
    for family in ordered(runs.map(\.family)) {
      let seeds = runs.filter { $0.family == family }.map(\.recipe.seed).sorted()
      table.append([.text("seeds of \(family)"), .text(seeds.map { "\($0)" }.joined(separator: ", "))])
    }
    report.table(table, caption: "What identifies this study. Equal checksums mean equal pictures.")
    if !published.isEmpty {
      var table = Table([.init("published checkpoint"), .init("MB", .right), .init("SHA-256 of model.safetensors, as checked")])
      for one in published { table.append([.text(one.name), .number(Double(one.bytes) / 1e6, digits: 2), .text(one.sha256)]) }
      report.table(table, caption: "Published checkpoints; the checksums were computed again for this page.")
    }
    for (name, recipe) in distinctRecipes {
      let text = String(decoding: try CanonicalJSON.data(recipe), as: UTF8.self)
      report.details("Recipe of \(name), with every default") { report in report.code(text) }
    }
    report.paragraph("To do it again:")
    report.code(commands.joined(separator: "\n"))
  }

  /// Recipes of one family that differ only in the seed are shown once. The corpus is named without this machine's folders.
  private var distinctRecipes: [(name: String, recipe: TrainingRecipe)] {
    var result: [(name: String, recipe: TrainingRecipe)] = []
    for run in runs {
      var recipe = run.recipe
      recipe.corpus = StudyReport.last(recipe.corpus)
      var seedless = recipe
      seedless.seed = 0
      let isKnown = result.contains { other in
        var known = other.recipe
        known.seed = 0
        return other.name == run.family && known == seedless
      }
      if !isKnown { result.append((run.family, recipe)) }
    }
    return result
  }

  /// Commands with relative names in place of this machine's folders.
  private var commands: [String] {
    var lines: [String] = []
    let corpusName = StudyReport.last(corpus?.folder ?? runs.first?.recipe.corpus ?? "corpus")
    if corpus != nil { lines.append("psimagenet build \(corpusName).yaml --out \(corpusName)") }
    for run in runs {
      lines.append("psimagenet pretrain \(run.family).yaml --seed \(run.recipe.seed) --out runs/\(StudyReport.last(run.folder.path))")
    }
    let given = runs.map { " --run \($0.family)=runs/\(StudyReport.last($0.folder.path))" }.joined()
    if transfer != nil && !runs.isEmpty { lines.append("psimagenet transfer --corpus \(corpusName)\(given) --out transfer.json") }
    for cue in cues {
      // The report names the run by its recipe, not by its folder.
      let folder = runs.first { $0.recipe.name == cue.run }.map { StudyReport.last($0.folder.path) } ?? cue.run
      lines.append("psimagenet cues runs/\(folder) --corpus \(corpusName) --split \(cue.split)")
    }
    let parts =
      (corpus == nil ? "" : " --corpus \(corpusName)") + given + (transfer == nil ? "" : " --transfer transfer.json")
      + (cues.isEmpty ? "" : cues.map { cue in
        " --cues runs/\(runs.first { $0.recipe.name == cue.run }.map { StudyReport.last($0.folder.path) } ?? cue.run)/cues.json"
      }.joined())
    lines.append("psimagenet report\(parts) --out report.html")
    return lines
  }

  private static func last(_ path: String) -> String { path.nameInPath }
}
