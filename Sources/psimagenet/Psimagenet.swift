import ArgumentParser

@main
struct Psimagenet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "psimagenet", abstract: "Labelled image corpora, pretext training and honest checkpoints for X-ray detectors.",
    subcommands: [Bench.self])
}
