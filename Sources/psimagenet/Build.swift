import ArgumentParser
import Corpora
import Foundation
import Host

struct Build: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Build a labelled corpus from raw files.",
    discussion: """
      A build that was stopped or killed goes on when run again. Several processes share the work, on one machine or many with a common \
      file system; the bytes are the same.

      Examples:
        psimagenet build Datasets/real.yaml --out Datasets/built/real
        mpirun -n 8 psimagenet build Datasets/real.yaml --out Datasets/built/real
        srun -n 64 --kill-on-bad-exit=1 psimagenet build Datasets/real.yaml --out Datasets/built/real
      """)

  @Argument(help: "The recipe (YAML).") var recipe: String
  @Option(help: "Folder for the corpus.") var out: String
  @Flag(help: "Replace another corpus that stands there.") var replace = false
  @Option(help: ArgumentHelp("Which of several processes this is; mpirun and srun say it by themselves.", valueName: "number/count"))
  var rank: String?
  @OptionGroup var output: OutputOptions

  mutating func run() throws {
    let environment = ProcessInfo.processInfo.environment
    let rank = try self.rank.map(Self.rank) ?? BuildRank(environment: environment)
    // One progress line for all.
    let progress = rank.isFirst ? output.progress : { _ in }
    try CorpusBuilder.write(recipeAt: recipe, to: out, replacing: replace, rank: rank, environment: environment) { progress($0) }
    if rank.isFirst { try output.print(CorpusSummary(reading: out)) { $0.text } }
  }

  private static func rank(_ text: String) throws -> BuildRank {
    let parts = text.split(separator: "/").map { Int($0) }
    guard parts.count == 2, let number = parts[0], let count = parts[1], (0..<count).contains(number) else {
      throw ValidationError("a rank is written 0/4, 1/4, 2/4 or 3/4 among four processes, not \(text)")
    }
    return BuildRank(number, of: count)
  }
}
