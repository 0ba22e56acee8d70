import ArgumentParser
import Corpora
import Exports
import Foundation
import Host

extension ExportFormat: ExpressibleByArgument {}

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Hand a corpus on as WebDataset, ImageFolder, or HDF5 for CXI and NeXus readers.",
    discussion: """
      The folder holds the data, records.csv, a card, a Croissant file and SHA256SUMS. The same corpus and settings give the same bytes; \
      a date is written only from --date or SOURCE_DATE_EPOCH.

      Examples:
        psimagenet export corpus --format webdataset --label hit --license CC-BY-4.0 --out export/wds
        psimagenet export corpus --format nexus --license CC-BY-4.0 --creator "SLAC" --out export/nexus
      """)

  @Argument(help: "The corpus.") var corpus: String
  @Option(help: "webdataset, imagefolder or nexus.") var format: ExportFormat
  @Option(help: "Folder to write; nothing may stand there.") var out: String
  @Option(help: "The label that gives the class (needed for imagefolder); pictures without it are left out.") var label: String?
  @Option(help: "SPDX identifier of the terms for the data, such as CC-BY-4.0.") var license: String
  @Option(help: "Who made the data set.") var creator: String?
  @Option(help: "How to cite it.") var citation: String?
  @Option(help: "Its page.") var url: String?
  @Option(help: "When it is published, such as 2026-11-21.") var date: String?
  @Option(name: .customLong("data-version"), help: "Its version.") var version = "1.0.0"
  @Option(help: "Pictures in one tar or HDF5 file.") var picturesPerFile: Int?
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if let picturesPerFile, picturesPerFile < 1 { throw ValidationError("--pictures-per-file is at least 1, not \(picturesPerFile)") }
  }

  mutating func run() throws {
    let day = try date ?? Publish.sourceDate(ProcessInfo.processInfo.environment).map { String($0.prefix(10)) }
    let terms = try ExportTerms(license: license, creator: creator, citation: citation, url: url, date: day, version: version)
    let export = CorpusExport(format, terms: terms, label: label, picturesPerFile: picturesPerFile)
    let outcome = try export.write(try Corpus(opening: corpus), to: out, progress: output.progress)
    try output.print(outcome) { $0.text }
  }
}
