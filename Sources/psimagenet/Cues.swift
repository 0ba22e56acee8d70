import ArgumentParser
import Corpora
import Cues
import Foundation
import Host
import Training

struct CuesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cues", abstract: "Show what a flip detector used, and whether it may be believed.",
    discussion: """
      Judges held-out frames, frames with nothing but the mask, dark frames, and a planted hot pixel; writes cues.json into the run folder.

      Example: psimagenet cues runs/flip-1 --corpus corpus
      """)

  @Argument(help: "The folder of a flip run.") var folder: String
  @Option(help: "A corpus with held-out frames; the run's own where left out.") var corpus: String?
  @Option(help: "train, validation or test.") var split = "test"
  @Flag(help: "Judge the best checkpoint by validation instead of the last.") var best = false
  @OptionGroup var output: OutputOptions

  mutating func run() throws {
    guard let split = Split(rawValue: split) else { throw ValidationError("split is train, validation or test") }
    let files = RunFolder(folder), path = best ? files.best : files.last
    let checkpoint = try Checkpoint(reading: path)
    let asked = try Corpus(opening: corpus ?? checkpoint.description.recipe.corpus)
    // Of another split or corpus an audit of the run says nothing.
    let audit = split == .test ? try TaskAudit.known(in: files, best: best, corpus: asked) : nil
    let report = try CueReport(checkpoint, path: path, corpus: asked, split: split, audit: audit, progress: output.progress)
    try AtomicFile.write(CanonicalJSON.data(report), to: folder + "/cues.json")
    try output.print(report) { report in
      (report.sources.map {
        """
        \($0.name): flip accuracy \($0.isWithheld ? "WITHHELD" : "\($0.accuracy)")
          mask only    \($0.maskOnly) (\($0.maskOnlyVerdict.rawValue)); mask and its mirror image overlap by \(String(format: "%.3f", $0.maskMirrorOverlap))
          dark frames  \($0.dark.map { "\($0)" } ?? "none in the corpus") (\($0.darkVerdict?.rawValue ?? "not known"))
          \($0.verdict)
        """
      } + [
        """
        planted pixel of \(report.planted.amplitude) sigma: oracle \(String(format: "%.4f", report.planted.oracle)), linear \(report.planted.linear), \
        network \(report.planted.network), evidence at the pixel in \(report.planted.localized) \
        (gradients weighted by their mean: \(report.planted.localizedByWeighting["mean"]!))
        \(report.verdict)
        """
      ]).joined(separator: "\n")
    }
  }
}
