import Corpora
import Foundation
import Host
import Pretexts
import Training

/// `README.md`: what the model is and is not, in Markdown with the front matter of model hubs. Nothing that was not measured.
struct ModelCard {
  let configuration: ModelConfiguration
  let provenance: Provenance
  let evidence: TrainingEvidence
  let manifest: CorpusManifest
  let task: any PretextTask
  let parameterCount: Int

  private var meaning: ModelConfiguration.Meaning { configuration.meaning }
  /// timm builds this network by its name.
  private var isInTimm: Bool { configuration.architecture == "resnet18" }
  /// Figures that must not be quoted are not.
  private var isWithheld: Bool { !(evidence.cues?.withheld.isEmpty ?? true) }

  var text: String {
    [frontMatter, introduction, training, results, cues, scalingSection, ModelUsage(configuration).text, limits, files]
      .joined(separator: "\n")
  }

  private var frontMatter: String {
    var lines = ["---", "license: \(meaning.license.lowercased())", "pipeline_tag: image-feature-extraction"]
    if isInTimm { lines.append("library_name: timm") }
    lines += ["tags:", "- image-feature-extraction"] + (isInTimm ? ["- timm"] : []) + ["- x-ray", "- psimagenet"]
    if let accuracy = evidence.validation, !isWithheld {
      lines += [
        "metrics:", "- accuracy", "model-index:", "- name: \(quoted(meaning.name))", "  results:", "  - task:",
        "      type: image-feature-extraction", "      name: \(quoted("pretext task " + meaning.task.name))", "    dataset:",
        "      name: \(quoted(manifest.name))", "      type: \(quoted(manifest.name))", "      split: validation", "    metrics:",
        "    - type: accuracy", "      value: \(accuracy.value)",
      ]
    }
    return (lines + ["---", ""]).joined(separator: "\n")
  }

  private var introduction: String {
    """
    # \(meaning.name)

    A `\(meaning.backbone.name)` backbone for one-channel pictures of \(meaning.side)×\(meaning.side) pixels from X-ray detectors, trained
    with PSImageNet on the task `\(meaning.task.name)` (answers: \(listed(meaning.classes))).
    It maps a picture to a codeword of \(configuration.featureCount) numbers. \(parameterCount) numbers in the trunk, float32; the task's head is apart, in `head.st`.

    """
  }

  private var training: String {
    let step = provenance.checkpoint.step, total = provenance.recipe.steps
    var text = """
      ## Training

      Corpus `\(manifest.name)` (manifest SHA-256 `\(provenance.corpus.manifestSHA256)`), split by \(manifest.splitBy.rawValue).
      The recipe uses \(evidence.pictures.values.reduce(0) { $0 + $1.values.reduce(0, +) }) of its \(evidence.corpusPictures) pictures.

      | split | pictures | runs |
      |---|---|---|

      """
    for split in Split.allCases { text += "| \(split.rawValue) | \(evidence.count(split)) | \(evidence.runs(split)) |\n" }
    text += "\n| run | train | validation | test |\n|---|---|---|---|\n"
    for (run, counts) in evidence.pictures.sorted(by: { $0.key < $1.key }) {
      text += "| \(cell(run.description)) | " + Split.allCases.map { "\(counts[$0] ?? 0)" }.joined(separator: " | ") + " |\n"
    }
    text += "\n| source | detector | unit | pictures of the corpus | raw files |\n|---|---|---|---|---|\n"
    for source in manifest.sources {
      text += "| \(cell(source.name)) | \(cell(source.detector)) | \(cell(source.unit)) | \(source.pictures) | \(source.files.count) |\n"
    }
    return text + """

      Step \(step) of \(total), batches of \(provenance.recipe.batch), optimiser `\(provenance.recipe.optimizer.name)`, \
      seed \(provenance.seed), activations in \(provenance.recipe.precision.rawValue). One run of one seed.
      The whole recipe is `train.json`; the raw files and their SHA-256 are in `provenance.json`.

      """
  }

  private var results: String {
    var text = "## Measured\n\n"
    if let accuracy = evidence.validation {
      if isWithheld {
        text += "The accuracy on the pretext task is withheld: the cue report below lists what must not be quoted.\n"
      } else {
        text += """
          | figure | value |
          |---|---|
          | accuracy on the validation split, task `\(meaning.task.name)` | \(digits(accuracy.value)) ± \(digits(accuracy.standardError)) |
          | pictures (runs) behind it | \(accuracy.pictures) (\(accuracy.runs)) |
          | questions asked | \(accuracy.answers) |
          | chance: \(cell(accuracy.chanceRule)) | \(digits(accuracy.chance)) |

          The error is the binomial standard error over distinct pictures. Pictures of one run resemble each other, so the true error is larger.

          """
        if accuracy.looks > 1 {
          text += "The split was looked at \(accuracy.looks) times while training"
            + (provenance.checkpoint.file.hasPrefix("best") ? " and the best step was kept, which flatters this figure.\n" : ".\n")
        }
        text += "It says how well the pretext task is solved, not how well the codewords serve another task.\n"
      }
    } else {
      text += "No accuracy was measured at this step.\n"
    }
    return text
  }

  private var cues: String {
    guard let cues = evidence.cues else {
      return "## Cues\n\nNo cue report lay with the run: what the network answers from was not examined. It may use traces of the detector.\n"
    }
    var text = "## Cues\n\n"
    text += cues.verdict.map { "Verdict of the cue report: \($0)\n" } ?? "The cue report of the run states no verdict.\n"
    if !cues.withheld.isEmpty { text += "\nWithheld by it:\n\n" + cues.withheld.map { "- \($0)\n" }.joined() }
    switch cues.step {
    case meaning.step? where cues.weights == nil: text += "\nThe report judged a network of this run after as many steps; by which weights, it does not record.\n"
    case meaning.step? where cues.weights == evidence.weights: text += "\nThe report judged this very network.\n"
    case meaning.step?: text += "\nThe report judged another training of this run, with other weights; the published network was not examined.\n"
    case let step?:
      text += "\nThe report judged the network of step \(step) of this run, not that of step \(meaning.step), which is published and was not examined.\n"
    case nil: text += "\nThe report judged a checkpoint of this run; which step, it does not record.\n"
    }
    return text
  }

  private var scalingSection: String {
    let scaling = meaning.scaling
    var text = """
      ## Input

      `(x − \(scaling.mean)) / \(scaling.deviation)` of the tone-mapped picture x, one channel; 0 after scaling where less than
      \(scaling.minimumWeight) of a pixel was measured (set x to the mean there). Tone map of each source:

      | source | unit | value |
      |---|---|---|

      """
    for source in meaning.sources {
      let tone = source.tone
      text += "| \(cell(source.name)) | \(cell(source.unit)) | \(tone.curve.rawValue)((x − \(tone.offset)) / \(tone.scale))"
        + "\(tone.perImage ? ", stretched to 0...1 per picture" : "") |\n"
    }
    text += "\nThe task changed pictures further while training, with the settings under `psimagenet.task` of `config.json`."
    if let flip = task as? Flip, !flip.showsOneSidedPixels {
      text += "\nIt showed only pixels whose mirror twin was measured too, and 0 elsewhere; do the same where masks are not mirror-symmetric."
    }
    return text + "\n"
  }

  private var limits: String {
    var lines = [
      "Trained on one corpus; how it does on other detectors, runs or beam conditions was not measured by this run.",
      "Solving a pretext task proves nothing about physics: compare with a random and a supervised trunk before relying on it.",
    ]
    if configuration.pretrained.fixedInputSize { lines.append("Holds for pictures of \(meaning.side)×\(meaning.side) pixels only.") }
    lines += manifest.warnings.map { "Warning of the corpus: \($0)" }
    return "## Limits\n\n" + lines.map { "- \($0)\n" }.joined()
  }

  private var files: String {
    """
    ## Licence and integrity

    Weights: \(meaning.license), see `LICENSE`. Pictures of the corpus keep their own terms. `sha256sum -c SHA256SUMS` checks the files;
    `psimagenet publish --check FOLDER` also rebuilds the network and compares it with `reference.safetensors`, which any other
    software can do as well: show `input`, compare `codeword` (to \(ReferenceActivations.tolerance) of the largest magnitude).

    """
  }

  private func listed(_ classes: [String]) -> String {
    classes.count > 12 ? "\(classes.count) classes, see `config.json`" : classes.map { "\"\($0)\"" }.joined(separator: ", ")
  }

  /// Text that cannot end a table cell.
  private func cell(_ text: String) -> String {
    text.replacingOccurrences(of: "|", with: "\\|").replacingOccurrences(of: "\n", with: " ")
  }

  /// A JSON string, which is a YAML string too.
  private func quoted(_ text: String) -> String {
    let escaped = text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
    return "\"" + escaped.filter { $0 >= " " } + "\""
  }
}

private func digits(_ value: Double) -> String { String(format: "%.4f", value) }
