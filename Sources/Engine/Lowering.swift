import Graphs
import Tensors

/// Turns graph nodes into steps: which primitive or kernel runs on which buffers, in which layout.
///
/// A value may exist in several layouts; each is made once, when a step first asks for it.
final class Lowering {
  /// A stretch of memory that steps read and write.
  enum Storage: Equatable {
    case arena(byteCount: Int)
    /// Set by the caller at run time: a batch field, a parameter, a result.
    case external(External)
  }

  enum External: Hashable {
    case field(String), parameter(String), output(String), gradient(String), update(String)
  }

  struct Location {
    let buffer: Int
    let descriptor: Descriptor
  }

  struct Step {
    enum Work {
      case primitive(PrimitiveDescriptor, [(Argument, Location)])
      case kernel(Kernel, inputs: [Location], outputs: [Location])
      case native(NativeKernel, [Location])
    }
    let node: String
    let work: Work
    /// Depends on frozen parameters alone.
    var isConstant = false

    /// Everything that it touches.
    var locations: [Location] {
      switch work {
      case .primitive(_, let arguments): arguments.map(\.1)
      case .kernel(_, let inputs, let outputs): inputs + outputs
      case .native(_, let locations): locations
      }
    }
  }

  /// What a gradient node needs of its forward node.
  struct Forward {
    let descriptor: PrimitiveDescriptor
    var workspace: Location?
  }

  let library: Library
  let precision: Precision
  private(set) var storages: [Storage] = []
  /// Elements of each external buffer.
  private(set) var externalCounts: [Int: Int] = [:]
  private(set) var steps: [Step] = []
  private var locations: [GraphBuilder.ID: [Location]] = [:]
  private(set) var forwards: [Int: Forward] = [:]
  let builder: GraphBuilder
  let fusions: Fusions
  /// Whether parameters never change: what depends on them alone is computed once.
  let isFrozen: Bool
  /// Buffers that hold the same in every run.
  private(set) var constants: Set<Int> = []
  /// The node being lowered, for messages.
  private(set) var node = ""
  let choice: KernelChoice
  /// Whether kernels were timed that nobody knew yet.
  var hasTimed = false
  private(set) lazy var cacheSweep = CacheSweep()

  init(
    _ builder: GraphBuilder, precision: Precision, library: Library, choice: KernelChoice, fusions: Fusions = Fusions(),
    isFrozen: Bool = false
  ) {
    self.fusions = fusions
    self.isFrozen = isFrozen
    self.builder = builder
    self.precision = precision
    self.library = library
    self.choice = choice
  }

  /// An empty lowering of the same graph, on which one way to lower the current node of `other` is tried.
  init(rehearsing other: Lowering, choice: KernelChoice) {
    fusions = Fusions()
    isFrozen = other.isFrozen
    builder = other.builder
    precision = other.precision
    library = other.library
    self.choice = choice
    forwards = other.forwards
    node = other.node
    if case .timed = choice { cacheSweep = other.cacheSweep }
  }

  /// How `[N,C,H,W]` activations are stored.
  var activation: Descriptor.Number { precision == .bfloat16 ? .bfloat16 : .float32 }

  // MARK: Buffers

  func newBuffer(_ descriptor: Descriptor) -> Location {
    storages.append(.arena(byteCount: descriptor.byteCount))
    return Location(buffer: storages.count - 1, descriptor: descriptor)
  }

  func externalBuffer(_ external: External, _ shape: Shape) -> Location {
    storages.append(.external(external))
    externalCounts[storages.count - 1] = shape.count
    if isFrozen, case .parameter = external { constants.insert(storages.count - 1) }
    return Location(buffer: storages.count - 1, descriptor: .plain(shape))
  }

  /// Whether a buffer is the plan's own and may be written.
  func isArena(_ buffer: Int) -> Bool {
    if case .arena = storages[buffer] { !constants.contains(buffer) } else { false }
  }

  // MARK: Values

  /// Where `value` lies in the layout in which it was made.
  func location(of value: GraphBuilder.ID) -> Location {
    guard let first = locations[value]?.first else {
      preconditionFailure("\(builder.nodes[value.node].label): value \(value) is used before it is made")
    }
    return first
  }

  func place(_ value: GraphBuilder.ID, at location: Location) { locations[value, default: []].append(location) }

  /// `value` in exactly this layout, reordered once if it does not exist in it yet.
  func read(_ value: GraphBuilder.ID, as descriptor: Descriptor) throws(EngineError) -> Location {
    if let known = locations[value]?.first(where: { $0.descriptor == descriptor }) { return known }
    let made = try reordered(location(of: value), to: descriptor)
    place(value, at: made)
    return made
  }

  /// `value` as row-major float32.
  func readPlain(_ value: GraphBuilder.ID) throws(EngineError) -> Location {
    try read(value, as: .plain(shape(of: value)))
  }

  /// `value` in the layout in which it was made, as the number type of activations.
  func readActivation(_ value: GraphBuilder.ID) throws(EngineError) -> Location {
    try read(value, as: location(of: value).descriptor.holding(activation))
  }

  func shape(of value: GraphBuilder.ID) -> Shape { builder.nodes[value.node].shapes[value.output] }

  private func reordered(_ from: Location, to descriptor: Descriptor) throws(EngineError) -> Location {
    let to = newBuffer(descriptor)
    try copy(from, to: to)
    return to
  }

  func copy(_ from: Location, to: Location) throws(EngineError) {
    let reorder = try PrimitiveDescriptor.reorder(from.descriptor, to.descriptor, library, node: node)
    emit(reorder, [(.source, from), (.destination, to)])
  }

  // MARK: Steps

  func emit(_ descriptor: PrimitiveDescriptor, _ arguments: [(Argument, Location)]) {
    // A change of layout of a constant is constant; other primitives read pictures.
    let isConstant = arguments.count == 2 && arguments[0].0 == .source && constants.contains(arguments[0].1.buffer)
    if isConstant { constants.insert(arguments[1].1.buffer) }
    steps.append(Step(node: node, work: .primitive(descriptor, arguments), isConstant: isConstant))
  }

  func emit(_ kernel: @escaping Kernel, inputs: [Location], outputs: [Location]) {
    steps.append(Step(node: node, work: .kernel(kernel, inputs: inputs, outputs: outputs)))
  }

  /// A parallel loop; `locations` are its inputs, then its outputs.
  func emit(_ kernel: NativeKernel, _ locations: [Location], isConstant: Bool = false) {
    if isConstant { constants.formUnion(locations.map(\.buffer)) }
    steps.append(Step(node: node, work: .native(kernel, locations), isConstant: isConstant))
  }

  func remember(_ forward: Forward, of value: GraphBuilder.ID) { forwards[value.node] = forward }

  func forward(of value: GraphBuilder.ID) -> Forward {
    guard let forward = forwards[value.node] else {
      preconditionFailure("\(node): the forward node of \(value) was not lowered before its gradient")
    }
    return forward
  }

  /// Lowers node `index`; placeholders have been placed before.
  func lower(_ index: Int) throws(EngineError) {
    let entry = builder.nodes[index]
    if entry.operation is Placeholder || fusions.absorbed.contains(index) { return }
    node = "\(type(of: entry.operation)) \(index)"
    if let fused = fusions.ends[index] {
      // Reports call it what it mostly is.
      node = "Convolution \(fused.node)"
      return try lower(fused, endingAt: index)
    }
    guard let operation = entry.operation as? any Lowerable else {
      throw .unsupported("the engine has no lowering for \(type(of: entry.operation))")
    }
    let outputs = entry.shapes.indices.map { GraphBuilder.ID(node: index, output: $0) }
    try operation.lower(entry.inputs, outputs, in: self)
  }
}

/// An operation that the engine can run. One conformance per file of `Lowerings/`.
protocol Lowerable: Operation {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in lowering: Lowering) throws(EngineError)
}

/// Work on row-major float32 arrays that no library primitive does: losses, copies, sums. Arrays are copied in and out,
/// which is cheap where it is used: on logits, codewords and one-channel pictures.
typealias Kernel = ([[Float]]) -> [[Float]]
