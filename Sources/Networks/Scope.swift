import Dispatch
import Graphs
import Synchronization
import Tensors

/// A named place in a network: where a layer finds or creates its parameters.
///
/// Asking twice for the same name returns the same parameter, so calling a backbone twice shares weights.
public struct Scope {
  /// In training, normalisation uses the statistics of the batch and moves its running averages; in inference it uses those.
  public enum Mode: String, Sendable { case training, inference }

  private let registry: Registry
  public let path: String
  public let mode: Mode
  /// Other paths for some names within this place.
  private let detours: [String: String]
  /// Whose statistics layers find here; `nil` for the network's usual ones.
  private let company: String?

  public init(_ builder: GraphBuilder, mode: Mode) {
    self.init(registry: Registry(builder), path: "", mode: mode)
  }

  private init(registry: Registry, path: String, mode: Mode, detours: [String: String] = [:], company: String? = nil) {
    self.registry = registry
    self.path = path
    self.mode = mode
    self.detours = detours
    self.company = company
  }

  public subscript(name: String) -> Scope {
    Scope(registry: registry, path: detours[name] ?? (path.isEmpty ? name : "\(path).\(name)"), mode: mode, company: company)
  }

  /// The same place with statistics of its own, called `statistics.<company>.<path>`: for a network that is shown pictures of several kinds, each normalised
  /// among its own. Parameters are the same, and what belongs to `path` otherwise, such as a trunk, is complete without them. Source: Xie et al., "Adversarial examples improve image recognition", CVPR 2020 (auxiliary batch norms).
  public func inCompany(_ company: String) -> Scope {
    Scope(registry: registry, path: path, mode: mode, detours: detours, company: company)
  }

  private func statisticPath(_ name: String) -> String { (company.map { "statistics.\($0)." } ?? "") + self[name].path }

  /// The same place, in which `name` leads to `other`: how several heads stand beside each other.
  public func leading(_ name: String, to other: String) -> Scope {
    Scope(registry: registry, path: path, mode: mode, detours: detours.merging([name: self[other].path]) { $1 }, company: company)
  }

  /// A trainable array; traps when the path is known under another shape.
  public func parameter(_ name: String, _ shape: Shape, _ initializer: Initializer) -> Value {
    registry.parameter(self[name].path, shape, initializer, .trainable)
  }

  /// An array that the network moves itself while training.
  public func statistic(_ name: String, _ shape: Shape, _ initializer: Initializer) -> Value {
    registry.parameter(statisticPath(name), shape, initializer, .statistic)
  }

  /// The value that statistic `name` has after what the graph did to it so far: a network that is called twice moves it twice.
  public func latest(_ name: String, _ statistic: Value) -> Value { registry.updates[statisticPath(name)] ?? statistic }

  /// The value that statistic `name` takes after this step.
  public func update(_ name: String, to value: Value) {
    registry.updates[statisticPath(name)] = value
  }

  /// What random masks depend on besides their place, `[seed, step]`: the fed input `counter`, made when first asked for.
  /// Feed it `MaskCounter.tensor`.
  public var counter: Value { registry.input("counter", [2]) }

  /// What the network itself wants to be fed beside the caller's fields, by name: belongs into `Program.inputs`.
  public var inputs: [String: Value] { registry.inputs }

  /// A number for the random draws at this place: another one for every path, and for every use of the same path.
  public func randomStream() -> UInt64 {
    let use = registry.randomUses[path, default: 0]
    registry.randomUses[path] = use + 1
    return Philox.stream(path, within: use)
  }

  /// Every parameter of the network, in the order first asked for.
  public var parameters: [Parameter] { registry.parameters }
  /// New values of statistics by path.
  public var updates: [String: Value] { registry.updates }

  /// Fresh weights; each array's numbers depend on `seed` and its own path alone, so arrays are drawn on all cores at once.
  public func initialWeights(seed: UInt64) -> Weights {
    let drawn = Mutex(Weights(parameters))
    let work = zip(parameters, registry.initializers).map { (path: $0.path, shape: $0.value.shape, initializer: $1) }
    DispatchQueue.concurrentPerform(iterations: work.count) { index in
      let (path, shape, initializer) = work[index]
      var random = Philox(seed: seed).keyed(path)
      let values = initializer.values(shape, using: &random)
      drawn.withLock { $0[path] = values }
    }
    return drawn.withLock { $0 }
  }

  private final class Registry {
    let builder: GraphBuilder
    var parameters: [Parameter] = []
    var initializers: [Initializer] = []
    var updates: [String: Value] = [:]
    private(set) var inputs: [String: Value] = [:]
    var randomUses: [String: UInt64] = [:]
    private var index: [String: Int] = [:]

    init(_ builder: GraphBuilder) { self.builder = builder }

    func input(_ name: String, _ shape: Shape) -> Value {
      if let known = inputs[name] { return known }
      let made = builder.input(name, shape)
      inputs[name] = made
      return made
    }

    func parameter(_ path: String, _ shape: Shape, _ initializer: Initializer, _ role: Parameter.Role) -> Value {
      if let found = index[path] {
        let known = parameters[found]
        precondition(
          known.value.shape == shape && known.role == role,
          "\(path) is a \(known.role) of shape \(known.value.shape), asked as a \(role) of shape \(shape)")
        return known.value
      }
      index[path] = parameters.count
      parameters.append(Parameter(path: path, value: builder.input(path, shape), role: role))
      initializers.append(initializer)
      return parameters[parameters.count - 1].value
    }
  }
}
