import ArgumentParser
import Audits
import Corpora
import Foundation
import Host
import Reports

struct Audit: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Can this corpus be trusted? Leaks between splits, labels that are known without the picture, duplicates, damage.",
    discussion: """
      Gates: integrity (checksums), runs and dark sets in one split each, near-duplicates across splits, labels told from header, mask, \
      frame number or run alone (balanced accuracy with standard error and chance, and a one-sided bound), classes without pictures, \
      pixels that are no numbers, saturated or all-masked pictures. It also says what a flip detector could reach on masks and darks.

      Exit codes: 0 every gate passed or is undecided, 1 a gate failed (the report says which), 66 no corpus there.

      Example: psimagenet audit corpus --html audit.html --out audit.json
      """)

  @Argument(help: "A built corpus.") var corpus: String
  @Option(help: "Bounds that differ from the usual ones (JSON), such as {\"run\": 0.6}.") var bounds: String?
  @Option(help: "Write the report as JSON to this file.") var out: String?
  @Option(help: "Write the report as a page to this file.") var html: String?
  @OptionGroup var output: OutputOptions

  mutating func run() throws {
    let limits = try bounds.map { try AuditBounds(reading: $0) } ?? AuditBounds()
    let audit = try CorpusAudit(of: corpus, bounds: limits, progress: output.progress)
    if let out { try AtomicFile.write(CanonicalJSON.data(audit), to: out) }
    if let html { try audit.html(folder: corpus).write(to: html) }
    try output.print(audit) { $0.text }
    // A corpus that fails is a result, not an error of the program.
    guard audit.passed else { throw ExitCode(1) }
  }
}
