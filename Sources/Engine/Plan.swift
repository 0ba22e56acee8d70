import Graphs
import Tensors

/// A program compiled for one batch shape: primitives in order, layouts propagated, one block of memory.
///
/// Belongs to the thread that made it. Cost of making one: some milliseconds per convolution.
public final class Plan {
  public let precision: Precision
  /// Bytes of intermediate results, after sharing.
  public let memoryBytes: Int
  /// The kernels that oneDNN chose, by node, for reports.
  public private(set) var kernels: [(node: String, kernel: String)] = []

  private let program: Program
  private let layout: Weights
  private let library: Library
  private let runner: Runner
  private let outputShapes: [String: Shape]
  /// Gradients that nobody asked for.
  private var unread: [Float] = []

  /// - Parameters:
  ///   - choice: How kernels are picked where several compute the same thing.
  ///   - memoryLimit: The most bytes that intermediate results may take; looked at before they are taken.
  /// - Throws: `EngineError` where the machine cannot run an operation in `precision`, and `.memory` beyond the limit.
  public convenience init(_ program: Program, precision: Precision, choice: KernelChoice = .fixed, memoryLimit: Int = .max) throws(EngineError) {
    try self.init(program, precision: precision, choice: choice, memoryLimit: memoryLimit, isFrozen: false)
  }

  /// - Parameter isFrozen: Every run will get the same weights.
  init(_ program: Program, precision: Precision, choice: KernelChoice, memoryLimit: Int, isFrozen: Bool) throws(EngineError) {
    self.program = program
    self.precision = precision
    layout = Weights(program.parameters)
    library = try Library()
    outputShapes = program.outputs.mapValues(\.shape)

    let wanted = Array(program.outputs.values) + Array(program.gradients.values) + Array(program.updates.values)
    guard let builder = wanted.first?.builder else { throw .unsupported("a program without results") }
    let needed = builder.nodesNeeded(for: wanted.map(\.id)), neededSet = Set(needed)
    let fusions = Fusions(builder, needed: needed, wanted: wanted.map(\.id), isFrozen: isFrozen)
    let lowering = Lowering(builder, precision: precision, library: library, choice: choice, fusions: fusions, isFrozen: isFrozen)
    for (name, value) in program.inputs where neededSet.contains(value.id.node) {
      lowering.place(value.id, at: lowering.externalBuffer(.field(name), value.shape))
    }
    for parameter in program.parameters where neededSet.contains(parameter.value.id.node) {
      lowering.place(parameter.value.id, at: lowering.externalBuffer(.parameter(parameter.path), parameter.value.shape))
    }
    for node in needed { try lowering.lower(node) }
    if case .timed(let timings) = choice, lowering.hasTimed { timings.save() }
    // Results leave in a fixed order, so that a plan made twice is the same plan.
    for (name, value) in program.outputs.sorted(by: { $0.key < $1.key }) {
      try lowering.copy(lowering.location(of: value.id), to: lowering.externalBuffer(.output(name), value.shape))
    }
    for (path, value) in program.gradients.sorted(by: { $0.key < $1.key }) {
      try lowering.copy(lowering.location(of: value.id), to: lowering.externalBuffer(.gradient(path), value.shape))
    }
    for (path, value) in program.updates.sorted(by: { $0.key < $1.key }) {
      try lowering.copy(lowering.location(of: value.id), to: lowering.externalBuffer(.update(path), value.shape))
    }
    runner = try Runner(lowering, layout: layout, memoryLimit: memoryLimit)
    memoryBytes = runner.arenaBytes
    kernels = runner.kernels
  }

  /// One training step: gradients into `gradients`, new statistics into `weights`, named outputs back.
  ///
  /// Throws `.mismatch` when a field is absent or of another shape than compiled. `weights` and `gradients` must have been
  /// laid out for this program's parameters; anything else traps.
  public func run(_ batch: [String: Tensor<Float>], _ weights: inout Weights, gradients: inout Weights) throws(EngineError)
    -> [String: Tensor<Float>]
  {
    precondition(weights.slots == layout.slots && gradients.slots == layout.slots, "weights of another network")
    try check(batch)
    let results = try runner.run(batch, weights, &gradients.storage, outputs: outputShapes)
    for (path, values) in results.updates { weights.storage.replaceSubrange(layout.slot(path)!.range, with: values) }
    return results.outputs
  }

  /// Named outputs only; `weights` stay as they are.
  public func evaluate(_ batch: [String: Tensor<Float>], _ weights: Weights) throws(EngineError) -> [String: Tensor<Float>] {
    precondition(weights.slots == layout.slots, "weights of another network")
    try check(batch)
    // Written only by a program that has gradients, and then left unread.
    if unread.isEmpty && !program.gradients.isEmpty { unread = Array(repeating: 0, count: layout.storage.count) }
    return try runner.run(batch, weights, &unread, outputs: outputShapes).outputs
  }

  /// One step of each node: its name, the kernel that runs it and its milliseconds, the median of `repeats` runs.
  ///
  /// Every node is waited for, so that the sum is a little more than the time of a run.
  public func profile(_ batch: [String: Tensor<Float>], _ weights: Weights, repeats: Int = 5) throws(EngineError)
    -> [(node: String, kernel: String, milliseconds: Double)]
  {
    try check(batch)
    var gradients = [Float](repeating: 0, count: layout.storage.count)
    var times = [[Double]](repeating: [], count: runner.kernels.count)
    let clock = ContinuousClock()
    for _ in 0..<max(1, repeats) {
      var last = clock.now
      _ = try runner.run(batch, weights, &gradients, outputs: outputShapes) { index in
        let now = clock.now
        times[index].append((now - last) / .milliseconds(1))
        last = now
      }
    }
    return zip(runner.kernels, times).filter { !$1.isEmpty }.map { ($0.node, $0.kernel, $1.sorted()[$1.count / 2]) }
  }

  private func check(_ batch: [String: Tensor<Float>]) throws(EngineError) {
    for (name, value) in program.inputs {
      guard let tensor = batch[name] else {
        throw .mismatch(field: name, expected: "\(value.shape)", found: "no such field in the batch")
      }
      guard tensor.shape == value.shape else {
        throw .mismatch(field: name, expected: "\(value.shape)", found: "\(tensor.shape)")
      }
    }
  }
}
