import Engine
import Host

/// All that one run of the benchmark measured.
public struct BenchReport: Codable, Hashable, Sendable {
  public var machine: BenchMachine
  /// `nil` where they were not asked for.
  public var peaks: MachinePeaks?
  public var figures: [SpeedFigure]
  /// Where the time goes, by the figure's work and setting; empty unless asked for.
  public var operations: [String: OperationReport] = [:]

  public init(machine: BenchMachine, peaks: MachinePeaks?, figures: [SpeedFigure] = []) {
    (self.machine, self.peaks, self.figures) = (machine, peaks, figures)
  }

  /// Times a workload and adds its figure.
  /// - Returns: the compiled workload, for further questions.
  @discardableResult
  public mutating func add(
    _ workload: Workload, kernels: KernelChoice = .fixed, sampler: Sampler, listingOperations: Bool = false
  ) throws -> CompiledWorkload {
    let compiled = try CompiledWorkload(workload, kernels: kernels), samples = try sampler.measure { try compiled.step() }
    var note = "compiled in \(Int(compiled.compileMilliseconds)) ms, plan \(compiled.planBytes.asBytes)"
    if !compiled.slowKernels.isEmpty { note += "; without a fast kernel: " + compiled.slowKernels.joined(separator: ", ") }
    figures.append(SpeedFigure(
      workload.kind.title, workload.description, samples, images: workload.batch,
      floatingPointOperations: compiled.floatingPointOperations, peak: peaks?.product(workload.precision), bytes: compiled.planBytes,
      note: note))
    if listingOperations { operations["\(workload.kind.title), \(workload.description)"] = try compiled.operations() }
    return compiled
  }

  /// Adds time from process start to the first finished step, and the peak memory after `steps` steps, of fresh processes.
  public mutating func add(startOf process: FreshProcess, _ workload: Workload, sampler: Sampler) throws {
    let samples = try process.startUp(count: sampler.count, patience: sampler.patience)
    figures.append(SpeedFigure("process start to first step", workload.description, samples))
  }

  public mutating func add(memoryOf process: FreshProcess, _ workload: Workload, steps: Int = 10) throws {
    let bytes = try process.peakMemory(steps: steps)
    figures.append(SpeedFigure("peak memory after \(steps) steps", workload.description, Samples(), bytes: bytes, note: bytes.asBytes))
  }
}
