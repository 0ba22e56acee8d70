import ArgumentParser
import Corpora
import Cues
import Engine
import Foundation
import Host
import Pretexts
import Reports
import Training

struct Pretrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a backbone on a pretext task (or a supervised one).",
    discussion: """
      A run that was stopped or killed goes on from its last checkpoint when run again, to the same bits. SIGTERM, SIGINT and SIGUSR1 \
      save and end with code 75. A run that diverged goes on from its last good checkpoint under a changed recipe with --from.

      A finished run is audited for about a fifth of the time that it took (audit.json): whether its accuracy is content. Code 1 where a \
      step of its pipeline does not commute with mirrors and the recipe does not own up to it; psimagenet audit --task asks in full.

      Example: psimagenet pretrain --recipe flip-xtcav-64 --dry-run
      Example: psimagenet pretrain --recipe flip-xtcav-64 --set steps=2000 --set task.settings.jitter.noise=0.1
      Example: psimagenet pretrain my/flip.yaml --out Checkpoints/runs/flip
      Example: psimagenet pretrain lower.yaml --out Checkpoints/runs/flip-2 --from Checkpoints/runs/flip/last.safetensors

      Recipes that come with the program:
      \(NamedRecipe.all.map(\.name).joined(separator: ", "))
      """)

  @OptionGroup var choice: RecipeOptions
  @Option(help: "Run folder; Checkpoints/runs/NAME-SEED where left out.") var out: String?
  @Option(help: "Instead of the recipe's number of steps.") var steps: Int?
  @Option(help: "A safetensors file by torchvision, timm or publish for the backbone to start from, instead of the recipe's.") var weights: String?
  @Option(help: "MiB of pictures to keep in memory; the others are read from the shards when a step wants them.")
  var imageMemory = ImageSet.usualMemory >> 20
  @Option(help: "auto, float32 or bfloat16, instead of the recipe's precision.") var precision: PrecisionChoice?
  @Option(help: "A checkpoint of another run to go on from under this recipe, in a new folder.") var from: String?
  @Flag(help: "No audit at the end.") var noAudit = false
  @Flag(help: "Go on with a run; refused where --out holds none.") var resume = false
  @Flag(help: "Train nothing: say what the run costs in time and memory, and draw its first batch.") var dryRun = false
  @Option(help: "The picture of the first batch that --dry-run draws.") var sheet = "batch.png"
  @OptionGroup var kernels: KernelOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (0...1 << 24).contains(imageMemory) else { throw ValidationError("--image-memory is 0 to 16777216 MiB, not \(imageMemory)") }
    guard weights == nil || from == nil else { throw ValidationError("--from goes on with a network that has its weights, --weights begins with others: give one of them") }
    guard !(resume && from != nil) else { throw ValidationError("--resume goes on with a run, --from begins a new one: give one of them") }
  }

  mutating func run() throws {
    var recipe = try choice.chosen(changing: steps.map { [RecipeSetting(["steps"], .integer($0))] } ?? [])
    if let weights { recipe.initialWeights = weights }
    if let precision { recipe.precision = precision }
    if weights != nil || precision != nil { recipe.about = choice.aboutChanged }
    let folder = out ?? "Checkpoints/runs/\(recipe.name)-\(recipe.seed)"
    let last = RunFolder(folder).last
    if resume, !FileManager.default.fileExists(atPath: last) {
      throw InputError(.missing, path: last, place: "", expected: "the checkpoint of a run to go on with", found: "nothing there")
    }
    func loaded() throws -> Trainer {
      try Trainer(
        recipe, folder: folder, continuing: from, readFrom: choice.source, kernels: kernels.choice, imageMemory: imageMemory << 20)
    }
    // Signals end a preview as they end any program.
    guard !dryRun else { return try preview(loaded()) }
    let signals = StopSignals(endingProgram: true), trainer = try loaded()
    signals.endsProgram = false
    if !output.quiet { FileHandle.standardError.write(Data("precision \(trainer.precision)\n".utf8)) }
    if let start = trainer.initialWeights, !output.quiet { FileHandle.standardError.write(Data((start.description + "\n").utf8)) }
    let ending = try trainer.run(shouldStop: { signals.received }, progress: output.progress)
    let metrics = try trainer.folder.metrics()
    switch ending {
    case .stopped(let step):
      try output.print(PretrainOutcome(.stopped, run: folder, metrics: metrics)) { _ in
        "stopped after step \(step); run the same command again to go on"
      }
      throw ExitCode(75)
    case .finished:
      // The network is saved, and the same command makes the audit.
      signals.endsProgram = true
      // What an earlier audit withholds stays withheld.
      let audit = noAudit ? try TaskAudit.known(in: RunFolder(folder), corpus: Corpus(opening: recipe.corpus)) : try audited(recipe, in: folder)
      let commutation = try audit?.commutation ?? (noAudit ? nil : commutation(recipe, in: folder))
      try output.print(PretrainOutcome(.finished, run: folder, audit: audit, commutation: commutation, metrics: metrics)) { _ in
        metrics.suffix(2).map {
          let accuracy = audit?.isWithheld == true ? "accuracy withheld" : String(format: "accuracy %.4f", $0.accuracy) + (audit == nil ? ", not audited" : "")
          let chance = $0.split == "validation" ? trainer.validationChance.map { String(format: "; guessing %.4f", $0) } ?? "" : ""
          let pictures = $0.pictures.map { " of \($0) pictures" } ?? ""
          return "step \($0.step) \($0.split): loss \(String(format: "%.4f", $0.loss)), \(accuracy) (n = \($0.count)\(pictures)\(chance))"
        }.joined(separator: "\n") + "\n" + words(audit, commutation, folder) + "run folder: \(folder)"
      }
      if let commutation, !commutation.failures.isEmpty { throw ExitCode(1) }
    }
  }

  private func preview(_ trainer: Trainer) throws {
    var preview = try trainer.preview()
    if !noAudit { preview.auditSeconds = try auditSeconds(preview) }
    try AtomicFile.write(Data(BatchSheet().picture(of: try trainer.exampleBatch()).png()), to: sheet)
    try output.print(preview) { $0.text + "\nfirst batch: \(sheet)" }
  }

  /// About fifteen passes of the network for each example of each task, and the steps of a network for the planted cue.
  private func auditSeconds(_ preview: RunPreview) throws -> Double {
    let share = try TaskAudit.share(of: preview.recipe), task = try preview.recipe.task.task(path: choice.source)
    // A pass shows every one of several tasks, and an audit asks them one by one.
    let tasks = Double((task as? Multi)?.tasks.count ?? 1)
    // Forward and backward are three passes.
    let planted = Double(3 * share.plantedSteps * (try TaskAudit.plantedBatch(of: preview.recipe))) / tasks
    return (Double(15 * share.examples) + planted) * preview.passSeconds
  }

  /// The audit that a fifth of the run pays for; `nil` where the task or the corpus has nothing to audit, which is said.
  private func audited(_ recipe: TrainingRecipe, in folder: String) throws -> TaskAudit? {
    let corpus = try Corpus(opening: recipe.corpus), share = try TaskAudit.share(of: recipe)
    do {
      return try TaskAudit.kept(
        in: RunFolder(folder), corpus: corpus, examples: share.examples, plantedSteps: share.plantedSteps, progress: output.progress)
    } catch let error as InputError where error.kind == .malformed {
      FileHandle.standardError.write(Data("no audit: \(error.description)\n".utf8))
      return nil
    }
  }

  /// What is left of an audit where the corpus has no pictures to judge the task on: the pipeline's own steps.
  private func commutation(_ recipe: TrainingRecipe, in folder: String) throws -> CommutationTable {
    let scaling = try Checkpoint(reading: RunFolder(folder).last).description.scaling
    let table = try CommutationTable(recipe, scaling: scaling, corpus: Corpus(opening: recipe.corpus))
    try AtomicFile.write(CanonicalJSON.data(table), to: folder + "/commutation.json")
    return table
  }

  private func words(_ audit: TaskAudit?, _ commutation: CommutationTable?, _ folder: String) -> String {
    guard let audit else {
      guard let commutation else { return "" }
      let failed = commutation.failures.map { "\($0.key)\($0.source.isEmpty ? "" : " (\($0.source))")" }
      return "no controls; of \(commutation.rows.count) steps of its pipeline "
        + (failed.isEmpty ? "none fails" : "these do not commute with mirrors: \(failed.joined(separator: ", "))") + " (\(folder)/commutation.json)\n"
    }
    return "audit: \(TaskVerdict(of: audit).sentence)\nin full: psimagenet audit --task \(folder)\n"
  }
}

extension PrecisionChoice: ExpressibleByArgument {}
