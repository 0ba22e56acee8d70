import ArgumentParser
import Benchmarks
import Engine
import Foundation
import Host
import Networks
import Pretexts
import struct Reports.Table
import struct Reports.TextTable
import Training

/// Speed of the engine on this machine, beside the machine's own peaks: figures, never a pass or fail.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time training, inference, loading and start-up on this machine.",
    discussion: """
      Samples taken while anything else used 6 % of the processors or more are thrown away and counted.

      Example: psimagenet bench --what step --what inference --backbone resnet18 --side 128 --batch 32 --precision bfloat16
      """, subcommands: [BenchMeasure.self, BenchServe.self], defaultSubcommand: BenchMeasure.self)
}

/// What to run: a network and a batch shape.
struct WorkloadOptions: ParsableArguments {
  @Option(help: "Backbone: \(BackboneCatalog.all.map { $0.name }.joined(separator: ", ")).") var backbone = "resnet18"
  @Option(help: "Channels of a picture.") var channels = 1
  @Option(help: "Side of a picture, pixels.") var side = 128
  @Option(help: "Pictures a step.") var batch = 32
  @Option(help: "auto, float32 or bfloat16.") var precision = PrecisionChoice.automatic
  @OptionGroup var kernelOptions: KernelOptions

  var kernels: KernelChoice { kernelOptions.choice }

  func workload(_ kind: Workload.Kind) -> Workload {
    Workload(
      kind, backbone: backbone, channels: channels, side: side, batch: batch, precision: precision.decided().precision)
  }

  /// The same on another command line.
  func arguments(_ kind: Workload.Kind) -> [String] {
    let workload = workload(kind)
    return [
      "--kind", kind.rawValue, "--backbone", backbone, "--channels", "\(channels)", "--side", "\(side)", "--batch", "\(batch)",
      "--precision", workload.precision.rawValue,
    ] + (kernelOptions.deterministic ? ["--deterministic"] : [])
  }
}

extension Workload.Kind: ExpressibleByArgument {}

/// `psimagenet bench`: figures as a table or JSON.
struct BenchMeasure: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "measure", abstract: "Measure and print (what `bench` does by itself).")

  enum What: String, CaseIterable, ExpressibleByArgument { case peaks, step, inference, loading, feeding, startup, memory }

  @Option(help: "\(What.allCases.map(\.rawValue).joined(separator: ", ")); once for each, all where left out.") var what: [What] = []
  @OptionGroup var options: WorkloadOptions
  @Option(help: "Clean samples of each.") var count = 10
  @Option(help: "Seconds after which a figure is left with the samples that it has.") var patience = 60.0
  @Flag(help: "Also where the time of steps and inference goes: by kind of operation, and the longest nodes.") var operations = false
  @Option(help: "A built corpus for loading and feeding; noise of the pictures' side where left out.") var corpus: String?
  @Option(help: "Pretext task for loading and feeding: \(PretextTaskCatalog.all.map { $0.name }.joined(separator: ", ")).") var task = "flip"
  @Option(help: "MiB of pictures in memory for feeding; 0 reads each picture from its shard at each step.") var imageMemory = 0
  @OptionGroup var output: OutputOptions

  mutating func run() throws {
    guard count > 0, patience > 0 else { throw ValidationError("count and patience are positive") }
    guard let taskType = PretextTaskCatalog.named(task) else { throw ValidationError("unknown task \(task)") }
    // A child that ends early must not end this process when it is written to.
    signal(SIGPIPE, SIG_IGN)
    let wanted = what.isEmpty ? What.allCases : what, sampler = Sampler(count: count, patience: .seconds(patience))
    func say(_ text: String) {
      if !output.quiet { FileHandle.standardError.write(Data((text + "\n").utf8)) }
    }
    say("precision \(options.precision.decided())")
    var report = BenchReport(machine: .current(), peaks: nil)
    if wanted.contains(where: { [.peaks, .step, .inference].contains($0) }) {
      say("the machine's peaks")
      report.peaks = try .measure()
    }
    let training = options.workload(.training)
    for what in What.allCases where wanted.contains(what) {
      if what != .peaks { say("\(what.rawValue): \(training.description)") }
      switch what {
      case .peaks: break
      case .step: try report.add(training, kernels: options.kernels, sampler: sampler, listingOperations: operations)
      case .inference:
        try report.add(options.workload(.inference), kernels: options.kernels, sampler: sampler, listingOperations: operations)
      case .loading:
        let task = taskType.init()
        report.figures += try withCorpus { corpus in
          try [true, false].flatMap {
            try LoadingBench.figures(corpus: corpus, task: task, batch: options.batch, concurrently: $0, sampler: sampler)
          }
        }
      case .feeding:
        report.figures += try withCorpus { corpus in
          try FeedingBench.figures(
            corpus: corpus, task: taskType.init(), backbone: options.backbone, batch: options.batch, precision: training.precision,
            memory: imageMemory << 20, kernels: options.kernels, sampler: sampler)
        }
      case .startup: try report.add(startOf: fresh, training, sampler: sampler)
      case .memory: try report.add(memoryOf: fresh, training)
      }
    }
    try output.print(report, BenchMeasure.text)
  }

  private var fresh: FreshProcess {
    get throws {
      let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
      return FreshProcess(path, ["bench", "serve"] + options.arguments(.training))
    }
  }

  /// The corpus of `--corpus`, or one of noise for as long as `body` runs.
  private func withCorpus(_ body: (String) throws -> [SpeedFigure]) throws -> [SpeedFigure] {
    if let corpus { return try body(corpus) }
    let folder = NSTemporaryDirectory() + "bench-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(try SyntheticCorpus.build(in: folder, count: max(256, 2 * options.batch), side: options.side))
  }

  static func text(_ report: BenchReport) -> String {
    let machine = report.machine
    var text = "\(machine.processor); \(machine.processors) processors, \(machine.threads) threads used; "
      + "\(machine.features.joined(separator: " ")); last-level cache \(machine.lastLevelCacheBytes.map(\.asBytes) ?? "unknown"), "
      + "memory \(machine.memoryBytes.asBytes)\n\(machine.oneDNN); \(machine.openBLAS)\n"
    if let peaks = report.peaks {
      func shown(_ peak: MachinePeaks.Peak, _ unit: String) -> String { "\(Int(peak.value.rounded())) \(unit) (\(peak.way))" }
      text += "peaks: float32 \(shown(peaks.float32, "GF/s")), bfloat16 \(peaks.bfloat16.map { shown($0, "GF/s") } ?? "none"), "
        + "memory \(shown(peaks.bandwidth, "GB/s"))\n"
    }
    guard !report.figures.isEmpty else { return text }
    var table = Table([
      .init("work"), .init("of"), .init("median ms", .right), .init("min ms", .right), .init("samples", .right), .init("discarded", .right),
      .init("images/s", .right), .init("GF/s", .right), .init("% of peak", .right), .init("note"),
    ])
    func number(_ value: Double?, _ digits: Int) -> Table.Cell { value.map { .number($0, digits: digits) } ?? .missing }
    for figure in report.figures {
      table.append([
        .text(figure.work), .text(figure.setting), number(figure.median, 2), number(figure.minimum, 2), .integer(figure.samples.count),
        .integer(figure.samples.discarded), number(figure.imagesPerSecond, 0), number(figure.gigaflopsPerSecond, 0),
        number(figure.percentOfPeak, 0), .text(figure.note),
      ])
    }
    return text + TextTable(table).description + report.operations.sorted { $0.key < $1.key }.map { "\n\($0):\n" + BenchMeasure.text(of: $1) }.joined()
  }

  /// By kind, then the longest steps.
  private static func text(of report: OperationReport, longest: Int = 15) -> String {
    func share(_ milliseconds: Double) -> Table.Cell { .number(100 * milliseconds / report.milliseconds, digits: 1) }
    var kinds = Table([.init("operation"), .init("kernel"), .init("steps", .right), .init("ms", .right), .init("%", .right)])
    for kind in report.kinds {
      kinds.append([
        .text(kind.operation), .text(kind.kernel), .integer(kind.steps), .number(kind.milliseconds, digits: 2), share(kind.milliseconds),
      ])
    }
    var steps = Table([.init("longest"), .init("kernel"), .init("ms", .right), .init("%", .right), .init("GF/s", .right)])
    for step in report.steps.prefix(longest) {
      steps.append([
        .text(step.node), .text(step.kernel), .number(step.milliseconds, digits: 2), share(step.milliseconds),
        step.gigaflopsPerSecond.map { .number($0, digits: 0) } ?? .missing,
      ])
    }
    return TextTable(kinds).description + TextTable(steps).description
  }
}

/// `psimagenet bench serve`: one workload, run on request.
struct BenchServe: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Keep one workload ready and run it on request, for a driver that times programs in turn.",
    discussion: """
      Reads lines on standard input and answers each with one line of JSON: "step 8" runs and times 8 steps, "memory" tells the most \
      memory held so far, "quit" ends. The first line says that all is ready.

      Example: echo "step 8" | psimagenet bench serve --kind training --backbone resnet18 --precision float32
      """)

  @Option(help: "training or inference.") var kind = Workload.Kind.training
  @OptionGroup var options: WorkloadOptions

  mutating func run() throws {
    try StepServer(options.workload(kind), kernels: options.kernels).serve(requests: { readLine() }) {
      FileHandle.standardOutput.write(Data(($0 + "\n").utf8))
    }
  }
}
