import Graphs
import Tensors

/// Lowered steps bound to memory, ready to run again and again.
@safe final class Runner {
  private enum Work {
    case primitive(Primitive)
    case kernel(Kernel, inputs: [Lowering.Location], outputs: [Lowering.Location])
    case native(NativeKernel, [Int])
  }

  /// Parameters and gradients lie in the caller's arrays; everything else lies in the arena.
  enum Side { case parameter, gradient }

  let arenaBytes: Int
  let kernels: [(node: String, kernel: String)]
  private let library: Library
  private var work: [(node: String, kernel: String, work: Work)] = []
  /// Which of them depend on frozen parameters alone, and whether they have run.
  private let isConstant: [Bool]
  private var hasConstants = false
  private let arena: Arena
  /// Where each buffer lies now.
  private var addresses: [UnsafeMutableRawPointer]
  /// Staging space in the arena for what is copied in and out: fields, outputs, new statistics.
  private var staged: [Lowering.External: (buffer: Int, count: Int)] = [:]
  /// Views of the caller's arrays: which side, where in it (in numbers), and the views that have to follow it.
  private var bound: [(side: Side, buffer: Int, offset: Int, views: [Memory])] = []
  private var bases: [Side: UnsafeMutablePointer<Float>] = unsafe [:]
  private var retained: [Memory] = []

  /// - Parameter layout: of the arrays that the caller will pass.
  init(_ lowering: Lowering, layout: Weights, memoryLimit: Int) throws(EngineError) {
    library = lowering.library
    // Lifetimes over steps. Staging space lives all the time, since the caller fills and reads it.
    let last = max(0, lowering.steps.count - 1)
    var lifetimes = [ClosedRange<Int>?](repeating: nil, count: lowering.storages.count)
    func touch(_ buffer: Int, _ step: Int) {
      lifetimes[buffer] = lifetimes[buffer].map { min($0.lowerBound, step)...max($0.upperBound, step) } ?? step...step
    }
    var scratch = 0
    for (index, step) in lowering.steps.enumerated() {
      for location in step.locations { touch(location.buffer, index) }
      if case .primitive(let descriptor, _) = step.work {
        scratch = max(scratch, descriptor.layout(.scratchpad)?.byteCount ?? 0)
      }
    }
    var requests = lowering.storages.enumerated().map { index, storage in
      switch storage {
      case .arena(let bytes):
        MemoryPlan.Request(
          byteCount: bytes, lifetime: lowering.constants.contains(index) ? 0...last : lifetimes[index] ?? 0...0)
      case .external(.parameter), .external(.gradient): MemoryPlan.Request(byteCount: 0, lifetime: 0...0)
      case .external: MemoryPlan.Request(byteCount: lowering.externalCounts[index, default: 0] * 4, lifetime: 0...last)
      }
    }
    requests.append(.init(byteCount: scratch, lifetime: 0...last))
    let plan = MemoryPlan(requests)
    guard plan.byteCount <= memoryLimit else { throw .memory(needed: plan.byteCount, limit: memoryLimit) }
    let arena = Arena(byteCount: plan.byteCount)
    self.arena = arena
    arenaBytes = plan.byteCount
    unsafe addresses = plan.offsets.map { unsafe arena.address(at: $0) }

    var views: [Int: [Memory]] = [:]
    for step in lowering.steps {
      switch step.work {
      case .kernel(let kernel, let inputs, let outputs):
        work.append((step.node, "kernel", .kernel(kernel, inputs: inputs, outputs: outputs)))
      case .native(let kernel, let locations):
        work.append((step.node, "native", .native(kernel, locations.map(\.buffer))))
      case .primitive(let descriptor, let arguments):
        let primitive = try Primitive(descriptor, for: step.node)
        var arguments = arguments
        if let layout = descriptor.layout(.scratchpad) {
          arguments.append((.scratchpad, .init(buffer: lowering.storages.count, descriptor: layout)))
        }
        var list: [(Argument, Memory)] = []
        for (argument, location) in arguments {
          let memory = try Memory(location.descriptor, library)
          unsafe memory.point(at: addresses[location.buffer])
          views[location.buffer, default: []].append(memory)
          list.append((argument, memory))
        }
        primitive.bind(list)
        retained += list.map(\.1)
        work.append((step.node, descriptor.kernel, .primitive(primitive)))
      }
    }
    isConstant = lowering.steps.map(\.isConstant)
    kernels = work.map { ($0.node, $0.kernel) }
    for (index, storage) in lowering.storages.enumerated() {
      guard case .external(let external) = storage else { continue }
      switch external {
      case .parameter(let path):
        bound.append((.parameter, index, layout.slot(path)!.offset, views[index, default: []]))
      case .gradient(let path):
        bound.append((.gradient, index, layout.slot(path)!.offset, views[index, default: []]))
      case .field, .output, .update: staged[external] = (index, lowering.externalCounts[index, default: 0])
      }
    }
  }

  struct Results {
    var outputs: [String: Tensor<Float>] = [:]
    var updates: [(path: String, values: [Float])] = []
  }

  /// Runs every step once. `parameters` is read, `gradients` is written.
  ///
  /// - Parameter observe: Called after each step with its place in `kernels`; each step is then waited for.
  @unsafe func run(
    _ batch: [String: Tensor<Float>], parameters: UnsafeMutablePointer<Float>, gradients: UnsafeMutablePointer<Float>,
    outputs shapes: [String: Shape], observe: ((Int) -> Void)? = nil
  ) throws(EngineError) -> Results {
    unsafe follow(.parameter, parameters)
    unsafe follow(.gradient, gradients)
    for case (.field(let name), let place) in staged { store(batch[name]!.elements, in: place.buffer) }
    for (index, entry) in work.enumerated() where !(hasConstants && isConstant[index]) {
      switch entry.work {
      case .primitive(let primitive):
        try primitive.execute(on: library, node: entry.node)
      case .native(let kernel, let buffers):
        try library.wait()
        unsafe kernel.run(buffers.map { unsafe addresses[$0] })
      case .kernel(let kernel, let inputs, let outputs):
        try library.wait()
        let results = kernel(inputs.map { load($0.buffer, count: $0.descriptor.byteCount / 4) })
        for (location, values) in zip(outputs, results) { store(values, in: location.buffer) }
      }
      if let observe {
        try library.wait()
        observe(index)
      }
    }
    try library.wait()
    hasConstants = true
    var results = Results()
    for (external, place) in staged {
      switch external {
      case .output(let name): results.outputs[name] = Tensor(shapes[name]!, load(place.buffer, count: place.count))
      case .update(let path): results.updates.append((path, load(place.buffer, count: place.count)))
      case .field, .parameter, .gradient: break
      }
    }
    return results
  }

  /// Points every view of one of the caller's arrays at where that array lies now.
  private func follow(_ side: Side, _ base: UnsafeMutablePointer<Float>) {
    guard unsafe bases[side] != base else { return }
    unsafe bases[side] = base
    for entry in bound where entry.side == side {
      let address = unsafe UnsafeMutableRawPointer(base + entry.offset)
      unsafe addresses[entry.buffer] = address
      for view in entry.views { unsafe view.point(at: address) }
    }
  }

  private func load(_ buffer: Int, count: Int) -> [Float] {
    let start = unsafe addresses[buffer].assumingMemoryBound(to: Float.self)
    return unsafe Array(UnsafeBufferPointer(start: start, count: count))
  }

  private func store(_ values: [Float], in buffer: Int) {
    unsafe values.withUnsafeBytes { unsafe addresses[buffer].copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
  }
}

extension Runner {
  /// Runs with the caller's arrays where they lie.
  func run(
    _ batch: [String: Tensor<Float>], _ weights: Weights, _ gradients: inout [Float], outputs: [String: Shape],
    observe: ((Int) -> Void)? = nil
  ) throws(EngineError) -> Results {
    var outcome: Result<Results, EngineError>?
    unsafe weights.storage.withUnsafeBufferPointer { w in
      unsafe gradients.withUnsafeMutableBufferPointer { g in
        outcome = Result { () throws(EngineError) in
          // An empty array has no address; nothing of this plan follows it then.
          let none = unsafe UnsafeMutablePointer<Float>(bitPattern: 64)!
          return unsafe try self.run(
            batch, parameters: UnsafeMutablePointer(mutating: w.baseAddress) ?? none, gradients: g.baseAddress ?? none,
            outputs: outputs, observe: observe)
        }
      }
    }
    return try outcome!.get()
  }
}
