import ArgumentParser
import Corpora
import Cues
import Dispatch
import Engine
import Foundation
import Host
import Synchronization
import Training

struct Pretrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a backbone on a pretext task (or a supervised one).",
    discussion: """
      A run that was stopped or killed goes on from its last checkpoint when run again, to the same bits. SIGTERM and SIGINT save and \
      end with code 75. A run that diverged goes on from its last good checkpoint under a changed recipe with --from.

      A finished run is audited for about a fifth of the time that it took (audit.json): whether its accuracy is content. Code 1 where a \
      step of its pipeline does not commute with mirrors and the recipe does not own up to it; psimagenet audit --task asks in full.

      Example: psimagenet pretrain Datasets/demo/flip.yaml --out Checkpoints/runs/flip
      Example: psimagenet pretrain lower.yaml --out Checkpoints/runs/flip-2 --from Checkpoints/runs/flip/last.safetensors
      """)

  @Argument(help: "The recipe (YAML).") var recipe: String
  @Option(help: "Run folder.") var out: String
  @Option(help: "Instead of the recipe's seed.") var seed: UInt64?
  @Option(help: "Instead of the recipe's number of steps.") var steps: Int?
  @Option(help: "Instead of the recipe's corpus.") var corpus: String?
  @Option(help: "A safetensors file by torchvision, timm or publish for the backbone to start from, instead of the recipe's.") var weights: String?
  @Option(help: "MiB of pictures to keep in memory; the others are read from the shards when a step wants them.")
  var imageMemory = ImageSet.usualMemory >> 20
  @Option(help: "auto, float32 or bfloat16, instead of the recipe's precision.") var precision: PrecisionChoice?
  @Option(help: "A checkpoint of another run to go on from under this recipe, in a new folder.") var from: String?
  @Flag(help: "No audit at the end.") var noAudit = false
  @OptionGroup var kernels: KernelOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (0...1 << 24).contains(imageMemory) else { throw ValidationError("--image-memory is 0 to 16777216 MiB, not \(imageMemory)") }
  }

  mutating func run() throws {
    var recipe = try TrainingRecipe(reading: self.recipe)
    if let seed { recipe.seed = seed }
    if let steps { recipe.steps = steps }
    if let corpus { recipe.corpus = corpus }
    if let weights { recipe.initialWeights = weights }
    if let precision { recipe.precision = precision }
    let signals = StopSignals()
    let trainer = try Trainer(recipe, folder: out, continuing: from, kernels: kernels.choice, imageMemory: imageMemory << 20)
    if !output.quiet { FileHandle.standardError.write(Data("precision \(trainer.precision)\n".utf8)) }
    if let start = trainer.initialWeights, !output.quiet { FileHandle.standardError.write(Data((start.description + "\n").utf8)) }
    let ending = try trainer.run(shouldStop: { signals.received }, progress: output.progress)
    let metrics = try trainer.folder.metrics()
    switch ending {
    case .stopped(let step):
      try output.print(metrics) { _ in "stopped after step \(step); run the same command again to go on" }
      throw ExitCode(75)
    case .finished:
      let audit = noAudit ? nil : try audited(recipe, signals)
      try output.print(metrics) { metrics in
        metrics.suffix(2).map {
          "step \($0.step) \($0.split): loss \(String(format: "%.4f", $0.loss)), accuracy \(String(format: "%.4f", $0.accuracy)) (n = \($0.count))"
        }.joined(separator: "\n") + "\n" + words(audit) + "run folder: \(out)"
      }
      if let audit, !audit.commutation.failures.isEmpty { throw ExitCode(1) }
    }
  }

  /// The audit that a fifth of the run pays for; `nil` where the task or the corpus has nothing to audit, which is said.
  ///
  /// Ends the program with code 75 where it is asked to stop: the network is saved, and the same command makes the audit.
  private func audited(_ recipe: TrainingRecipe, _ signals: StopSignals) throws -> TaskAudit? {
    let path = RunFolder(out).last, checkpoint = try Checkpoint(reading: path), corpus = try Corpus(opening: recipe.corpus)
    let share = TaskAudit.share(of: recipe)
    do {
      let audit = try TaskAudit(
        checkpoint, path: path, corpus: corpus, examples: share.examples, plantedSteps: share.plantedSteps
      ) { [report = output.progress] progress in
        report(progress)
        if signals.received { Foundation.exit(75) }
      }
      try AtomicFile.write(CanonicalJSON.data(audit), to: out + "/audit.json")
      return audit
    } catch let error as InputError where error.kind == .malformed {
      FileHandle.standardError.write(Data("no audit: \(error.description)\n".utf8))
      return nil
    }
  }

  private func words(_ audit: TaskAudit?) -> String {
    guard let audit else { return noAudit ? "" : "no audit\n" }
    let verdict = TaskVerdict([audit])
    return "audit: \(verdict.sentence)\nin full: psimagenet audit --task \(out)\n"
  }
}

extension PrecisionChoice: ExpressibleByArgument {}

/// SIGTERM and SIGINT as a flag that a loop can look at.
final class StopSignals {
  /// May be looked at from any thread.
  final class Flag: Sendable {
    fileprivate let raised = Atomic<Bool>(false)
    var isRaised: Bool { raised.load(ordering: .relaxed) }
  }
  let flag: Flag
  private let sources: [any DispatchSourceSignal]

  var received: Bool { flag.isRaised }

  init() {
    let flag = Flag()
    self.flag = flag
    sources = [SIGTERM, SIGINT].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { flag.raised.store(true, ordering: .relaxed) }
      source.resume()
      return source
    }
  }
}
