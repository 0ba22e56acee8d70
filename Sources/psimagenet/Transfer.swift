import ArgumentParser
import Corpora
import Evaluation
import Foundation
import Host
import Networks
import Pretexts
import Reports
import Training

struct Transfer: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Judge trunks by what simple probes read from their frozen features.",
    discussion: """
      Runs are given as family=folder; several runs of one family are its seeds. Random trunks of the same backbone and seeds are added.

      Example: psimagenet transfer --corpus corpus --task lasing --run flip=runs/flip-1 --run flip=runs/flip-2 --run kind=runs/kind-1
      """)

  @Option(help: "A built corpus.") var corpus: String
  @Option(name: .customLong("run"), help: "family=run folder; once per run.") var runs: [String]
  @Option(
    name: .customLong("task"),
    help: "\(DownstreamTaskCatalog.all.map(\.name).joined(separator: ", ")), or any label of the corpus; all of the first where left out.")
  var tasks: [String] = []
  @Option(help: "Let the probes learn from this many labelled frames of each class alone, out of the training runs.") var labelsPerClass: Int?
  @Option(help: "How often such frames are drawn (5); scores are averaged.") var draws: Int?
  @Flag(help: "Use the best checkpoint by validation instead of the last.") var best = false
  @Option(help: "Write the result as JSON to this file.") var out: String?
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (labelsPerClass ?? 1) > 0, (draws ?? 1) > 0 else { throw ValidationError("--labels-per-class and --draws are 1 or more") }
    guard draws == nil || labelsPerClass != nil else { throw ValidationError("--draws goes with --labels-per-class") }
  }

  mutating func run() throws {
    let opened = try Corpus(opening: corpus)
    let chosen = try tasks.isEmpty ? DownstreamTaskCatalog.all : tasks.map { try opened.downstreamTask($0) }
    var trunks: [Trunk] = []
    for text in runs {
      guard let separator = text.firstIndex(of: "=") else { throw ValidationError("a run is given as family=folder, not \(text)") }
      let folder = RunFolder(String(text[text.index(after: separator)...])), path = best ? folder.best : folder.last
      let family = String(text[..<separator]), trunk = try Trunk(family: family, Checkpoint(reading: path), path: path)
      guard family != "random" else { throw ValidationError("random is what fresh weights are called: name the family of \(folder.path) otherwise") }
      guard !trunks.contains(where: { $0.family == family && $0.seed == trunk.seed }) else {
        throw ValidationError("two runs of family \(family) have seed \(trunk.seed), the second is \(folder.path): runs of a family have different seeds")
      }
      trunks.append(trunk)
    }
    // As `study` and `demo` do it: pictures with beam.
    let images = try opened.images(opened.records(in: .train).filter { $0.labels["beam"] != "dark" })
    trunks += try Trunk.random(beside: trunks, images: images)
    let judge = TransferProtocol(budgets: [labelsPerClass.map { LabelBudget(perClass: $0, draws: draws ?? 5) } ?? .everything])
    let scored = try Lanes.run("transfer", trunks, steps: trunks.count * chosen.count, line: output.quiet ? nil : ProgressLine()) { trunk, progress in
      try judge.score(trunk, on: chosen, of: opened, progress: progress)
    }
    let result = judge.result(scored, of: opened)
    guard !result.rows.isEmpty else {
      let (task, reason) = result.leftOut.min { $0.key < $1.key } ?? ("", "nothing was asked")
      throw InputError(path: corpus, place: "task \(task)", expected: "a question that the corpus can answer", found: reason)
    }
    if let out { try AtomicFile.write(CanonicalJSON.data(result), to: out) }
    try output.print(result) { result in
      var lines = result.chosen.map {
        "\($0.task)  \($0.family)  \($0.probe)  \($0.stage)  \($0.test)  run: \($0.run?.description ?? "one run only")"
      }
      for baseline in result.baselines ?? [] {
        let rest = baseline.unanswered > 0 ? ", \(baseline.unanswered) without an answer count as wrong" : ""
        lines.append("\(baseline.task)  instrument \(baseline.instrument)  \(baseline.test)\(rest)")
      }
      lines += result.leftOut.sorted { $0.key < $1.key }.map { "\($0.key) left out: \($0.value)" }
      return lines.joined(separator: "\n")
    }
  }
}
