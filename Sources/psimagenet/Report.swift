import ArgumentParser
import Corpora
import Cues
import Evaluation
import Foundation
import Host
import Reports
import Training

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Put a study on one page: corpus, training, transfer, cues and how to do it again.",
    discussion: """
      Every part is optional; what is given must be there. The page is one HTML file without scripts, with every figure in it. \
      Whatever it claims is computed from the files.

      Example: psimagenet report --corpus corpus --run flip=runs/flip-1 --transfer transfer.json --cues runs/flip-1/cues.json --out report.html
      """)

  @Option(help: "The page to write.") var out: String
  @Option(help: "Its title; of the corpus where left out.") var title: String?
  @Option(help: "A built corpus.") var corpus: String?
  @Option(name: .customLong("run"), help: "family=run folder; once per run.") var runs: [String] = []
  @Option(help: "The result of psimagenet transfer --out.") var transfer: String?
  @Option(help: "A cues.json of psimagenet cues; once per file.") var cues: [String] = []
  @Option(help: "A published checkpoint, or a folder of them.") var published: String?
  @Option(name: .customLong("note"), help: "A remark for the summary; once per remark.") var notes: [String] = []
  @OptionGroup var output: OutputOptions

  mutating func run() throws {
    let named = try runs.map { text in
      guard let separator = text.firstIndex(of: "=") else { throw ValidationError("a run is given as family=folder, not \(text)") }
      return (name: String(text[..<separator]), folder: RunFolder(String(text[text.index(after: separator)...])))
    }
    let gnuplot = try Gnuplot(searching: ProcessInfo.processInfo.environment["PATH"] ?? "")
    let opened = try corpus.map { try Corpus(opening: $0) }
    let study = try StudyReport(
      title: title ?? opened.map { "Study of \($0.manifest.name)" } ?? "Study", corpus: opened, runs: named,
      transfer: transfer.map { path in try CanonicalJSON.value(TransferProtocol.Result.self, from: AtomicFile.read(path), path: path) },
      cues: cues.map { path in try CanonicalJSON.value(CueReport.self, from: AtomicFile.read(path), path: path) }, published: published,
      notes: notes)
    try study.html(using: gnuplot).write(to: out)
    try output.print(Summary(study, page: out)) { _ in "\(study.terminalTable(width: ReportWidth.ofTerminal))\nreport: \(out)" }
  }

  /// What `--json` prints.
  private struct Summary: Encodable {
    let headline: String, findings: [String], withheld: [String], page: String
    init(_ study: StudyReport, page: String) {
      (headline, findings, withheld, self.page) = (study.headline, study.findings.map(\.sentence), study.withheldLines, page)
    }
  }
}

/// How wide the terminal says it is; `nil` where it does not say.
enum ReportWidth {
  static var ofTerminal: Int? { ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) }.flatMap { $0 >= 40 ? $0 : nil } }
}
