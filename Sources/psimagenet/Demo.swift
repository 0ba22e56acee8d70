import ArgumentParser
import Corpora
import Cues
import Engine
import Evaluation
import Foundation
import Host
import struct Host.Progress
import Publishing
import Reports
import Simulation
import Training

struct Demo: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The whole road on simulated detectors: raw runs, corpus, pretexts, transfer, cues, checkpoint, report.",
    discussion: """
      Everything lands in one folder, with the recipes, so that each step can be repeated by hand. A demo that was stopped goes on \
      when run again. About 5 GB of disk for the raw runs.

      Example: psimagenet demo --out demo
      """)

  @Option(help: "Folder for runs, corpus and report.") var out = "demo"
  @Option(help: "Folder for the published checkpoint.") var checkpoints = "Checkpoints"
  @Flag(help: "Far fewer pictures and steps: to try the road, not to measure.") var quick = false
  @Flag(help: "No progress lines.") var quiet = false

  mutating func run() throws {
    let whole = DemoPlan(), plan = quick ? whole.shortened() : whole, line = quiet ? nil : ProgressLine(), progress: ProgressHandler = line?.handler ?? { _ in }
    let signals = StopSignals(), stop = signals.flag, clock = ContinuousClock(), began = clock.now
    func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    say("1/7 simulate raw runs of \(plan.cameras.map(\.rawValue).joined(separator: ", "))")
    for camera in plan.cameras { try simulate(plan.simulation(camera), progress) }

    say("2/7 build the corpus from the raw files")
    let recipePath = "\(out)/corpus.yaml", recipe = plan.corpus()
    try AtomicFile.write(recipe.yaml(), to: recipePath)
    let corpus = try CorpusBuilder.build(recipeAt: recipePath, to: "\(out)/corpus", replacing: false) { progress($0) }

    say("3/7 pretrain flip and crop-position, and the supervised trunk, from \(plan.seeds.count) seeds each")
    let trainings = try plan.trainings.map { family, recipe in
      var recipe = recipe
      recipe.corpus = "\(out)/corpus"
      return Training(family: family, recipe: recipe, folder: RunFolder("\(out)/runs/\(recipe.name)"))
    }
    for training in trainings {
      try AtomicFile.write(CanonicalJSON.data(training.recipe), to: "\(out)/recipes/\(training.recipe.name).json")
    }
    let endings = try Lanes.run(
      "pretrain", trainings, steps: trainings.reduce(0) { $0 + $1.recipe.steps }, line: line
    ) { training, progress in
      try Trainer(training.recipe, folder: training.folder.path).run(shouldStop: { stop.isRaised }, progress: progress)
    }
    guard endings.allSatisfy({ $0 == .finished }) else {
      say("stopped; run the same command again to go on")
      throw ExitCode(75)
    }

    say("4/7 transfer: what probes read from the frozen features")
    var trunks: [Trunk] = []
    for run in trainings {
      trunks.append(try Trunk(family: run.family, Checkpoint(reading: run.folder.last), path: run.folder.last))
    }
    let images = try corpus.images(corpus.records(in: .train).filter { $0.labels["beam"] != "dark" })
    trunks += try Trunk.random(beside: trunks, images: images)
    let judge = TransferProtocol(), tasks = plan.tasks
    let scored = try Lanes.run("transfer", trunks, steps: trunks.count * tasks.count, line: line) { trunk, progress in
      try judge.score(trunk, on: tasks, of: corpus, progress: progress)
    }
    let transfer = judge.result(scored, of: corpus)
    try AtomicFile.write(CanonicalJSON.data(transfer), to: "\(out)/transfer.json")

    say("5/7 audit of every pretext run, and cues: what the flip detector used")
    for family in ["flip", "crop-position"] {
      let audits = try trainings.filter { $0.family == family }.map { training in
        let share = try TaskAudit.share(of: training.recipe)
        return try TaskAudit.kept(
          in: training.folder, corpus: corpus, examples: share.examples, plantedSteps: share.plantedSteps, progress: progress)
      }
      let verdict = try TaskVerdict(audits)
      try TaskAuditReport(audits: audits, verdict: verdict).html().write(to: "\(out)/audit-\(family).html")
      say("  \(family): \(verdict.standing.rawValue), see \(out)/audit-\(family).html")
    }
    let flip = trainings.first { $0.family == "flip" }!.folder
    let cues = try CueReport(
      Checkpoint(reading: flip.last), path: flip.last, corpus: corpus, audit: TaskAudit.known(in: flip, corpus: corpus), progress: progress)
    try AtomicFile.write(CanonicalJSON.data(cues), to: flip.path + "/cues.json")

    say("6/7 publish the flip backbone to \(checkpoints)/demo")
    var publication = Publication(machine: try .current())
    publication.replaces = true
    publication.source = .last
    _ = try publication.publish(flip, as: "demo", in: checkpoints)

    say("7/7 report")
    let study = try StudyReport(
      title: "PSImageNet demo", corpus: corpus, runs: trainings.map { ($0.family, $0.folder) }, transfer: transfer, cues: [cues],
      published: "\(checkpoints)/demo",
      notes: quick ? ["This is the short demo: made with far fewer pictures and steps. Its scores show the road, not the method."] : [])
    let page = "\(out)/report.html"
    try study.html(using: Gnuplot(searching: ProcessInfo.processInfo.environment["PATH"] ?? "")).write(to: page)
    print(study.terminalTable(width: ReportWidth.ofTerminal))
    print("\npublished: \(checkpoints)/demo\nreport: \(page)\n\(Int(seconds(clock.now - began))) s in all")
  }

  private struct Training: Sendable {
    let family: String
    let recipe: TrainingRecipe
    let folder: RunFolder
  }

  /// Writes the runs unless the very same ones are there.
  private func simulate(_ plan: SimulationPlan, _ progress: @escaping ProgressHandler) throws {
    let folder = "\(out)/raw/\(plan.detector.rawValue)", path = "\(folder)/plan.json", data = try CanonicalJSON.data(plan)
    if FileManager.default.fileExists(atPath: path), try AtomicFile.read(path) == data { return }
    let name = plan.detector.rawValue
    _ = try SimulatedRuns.write(plan, to: folder) { progress(Progress("simulate \(name)", done: $0.done, total: $0.total, note: $0.note)) }
    try AtomicFile.write(data, to: path)
  }
}
