import Graphs
import Tensors

/// Lowered steps bound to memory, ready to run again and again.
@safe final class Runner {
  private enum Work {
    case primitive(Primitive)
    case kernel(Kernel, inputs: [Lowering.Location], outputs: [Lowering.Location])
  }

  let arenaBytes: Int
  let kernels: [(node: String, kernel: String)]
  private let library: Library
  private var work: [(node: String, work: Work)] = []
  private let arena: Arena
  /// Where each buffer lies in the arena; externals lie behind the shared part, in staging space of their own.
  private var offsets: [Int]
  private var externals: [Lowering.External: (offset: Int, count: Int)] = [:]

  init(_ lowering: Lowering, memoryLimit: Int) throws(EngineError) {
    library = lowering.library
    var kernels: [(String, String)] = []
    // Lifetimes over steps. External buffers live all the time, since the caller fills and reads them.
    let last = max(0, lowering.steps.count - 1)
    var lifetimes = [ClosedRange<Int>?](repeating: nil, count: lowering.storages.count)
    func touch(_ buffer: Int, _ step: Int) {
      lifetimes[buffer] = lifetimes[buffer].map { min($0.lowerBound, step)...max($0.upperBound, step) } ?? step...step
    }
    var scratch = 0
    for (index, step) in lowering.steps.enumerated() {
      switch step.work {
      case .primitive(let descriptor, let arguments):
        for (_, location) in arguments { touch(location.buffer, index) }
        scratch = max(scratch, descriptor.layout(.scratchpad)?.byteCount ?? 0)
        kernels.append((step.node, descriptor.kernel))
      case .kernel(_, let inputs, let outputs):
        for location in inputs + outputs { touch(location.buffer, index) }
      }
    }
    var requests = lowering.storages.enumerated().map { index, storage in
      switch storage {
      case .arena(let bytes): MemoryPlan.Request(byteCount: bytes, lifetime: lifetimes[index] ?? 0...0)
      case .external: MemoryPlan.Request(byteCount: Runner.byteCount(of: index, in: lowering), lifetime: 0...last)
      }
    }
    requests.append(.init(byteCount: scratch, lifetime: 0...last))
    let plan = MemoryPlan(requests)
    guard plan.byteCount <= memoryLimit else { throw .memory(needed: plan.byteCount, limit: memoryLimit) }
    arena = Arena(byteCount: plan.byteCount)
    offsets = plan.offsets
    arenaBytes = plan.byteCount
    self.kernels = kernels
    for (index, storage) in lowering.storages.enumerated() {
      if case .external(let external) = storage {
        externals[external] = (plan.offsets[index], Runner.byteCount(of: index, in: lowering) / 4)
      }
    }

    for step in lowering.steps {
      switch step.work {
      case .kernel(let kernel, let inputs, let outputs):
        work.append((step.node, .kernel(kernel, inputs: inputs, outputs: outputs)))
      case .primitive(let descriptor, let arguments):
        let primitive = try Primitive(descriptor, for: step.node)
        var bound: [(Argument, Memory)] = []
        for (argument, location) in arguments {
          bound.append((argument, try memory(location.descriptor, at: offsets[location.buffer])))
        }
        if let layout = descriptor.layout(.scratchpad) {
          bound.append((.scratchpad, try memory(layout, at: plan.offsets[plan.offsets.count - 1])))
        }
        primitive.bind(bound)
        retained += bound.map(\.1)
        work.append((step.node, .primitive(primitive)))
      }
    }
  }

  private var retained: [Memory] = []

  private static func byteCount(of buffer: Int, in lowering: Lowering) -> Int {
    lowering.externalCounts[buffer, default: 0] * 4
  }

  private func memory(_ descriptor: Descriptor, at offset: Int) throws(EngineError) -> Memory {
    let memory = try Memory(descriptor, library)
    unsafe memory.point(at: arena.address(at: offset))
    return memory
  }

  struct Results {
    var outputs: [String: Tensor<Float>] = [:]
    var gradients: [(String, [Float])] = []
    var updates: [(String, [Float])] = []
  }

  func run(_ batch: [String: Tensor<Float>], weights: Weights, outputs shapes: [String: Shape]) throws(EngineError) -> Results {
    for (external, place) in externals {
      switch external {
      case .field(let name): store(batch[name]!.elements[...], at: place.offset)
      case .parameter(let path): store(weights.storage[weights.slot(path)!.range], at: place.offset)
      case .output, .gradient, .update: break
      }
    }
    for (node, work) in work {
      switch work {
      case .primitive(let primitive):
        try primitive.execute(on: library, node: node)
      case .kernel(let kernel, let inputs, let outputs):
        try library.wait()
        let results = kernel(inputs.map { load(at: offsets[$0.buffer], count: $0.descriptor.byteCount / 4) })
        for (location, values) in zip(outputs, results) { store(values[...], at: offsets[location.buffer]) }
      }
    }
    try library.wait()
    var results = Results()
    for (external, place) in externals {
      switch external {
      case .output(let name): results.outputs[name] = Tensor(shapes[name]!, load(at: place.offset, count: place.count))
      case .gradient(let path): results.gradients.append((path, load(at: place.offset, count: place.count)))
      case .update(let path): results.updates.append((path, load(at: place.offset, count: place.count)))
      case .field, .parameter: break
      }
    }
    return results
  }

  private func load(at offset: Int, count: Int) -> [Float] {
    let start = unsafe arena.address(at: offset).assumingMemoryBound(to: Float.self)
    return unsafe Array(UnsafeBufferPointer(start: start, count: count))
  }

  private func store(_ values: ArraySlice<Float>, at offset: Int) {
    unsafe values.withUnsafeBytes { unsafe arena.address(at: offset).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
  }
}
