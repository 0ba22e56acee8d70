import ArgumentParser
import Corpora
import Foundation
import Frames
import Host

struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Counts per class and split of a corpus, and a contact sheet of its pictures.",
    discussion: "Example: psimagenet show Datasets/built/real --sheet real.png --label camera")

  @Argument(help: "A built corpus.") var corpus: String
  @Option(help: "Write a contact sheet to this PNG file.") var sheet: String?
  @Option(help: "Sort the sheet by this label; by source where left out.") var label: String?
  @Option(help: "Pictures per class on the sheet.") var columns = 8
  @Option(help: "Which pictures are drawn.") var seed: UInt64 = 0
  @Flag(help: "Verify every checksum.") var verify = false
  @OptionGroup var output: OutputOptions

  mutating func run() throws {
    let opened = try Corpus(opening: corpus)
    if verify { try opened.verify(progress: output.progress) }
    if let sheet {
      let picture = try ContactSheet(label: label, columns: columns, seed: seed).picture(of: opened)
      try AtomicFile.write(Data(picture.png()), to: sheet)
    }
    try output.print(CorpusSummary(opened)) { $0.text + (sheet.map { "\ncontact sheet: \($0)" } ?? "") }
  }
}
