import Foundation
import Graphs
import Tensors

/// A small graph composed at random of all operations, with everything needed to run it: parameters, fields and their numbers.
///
/// The same seed gives the same graph. Where a value decides something (rectifiers, maxima), rounding may decide otherwise on the
/// engine; such values are kept in `forks`, and `isDecisive` tells whether drawn numbers stay clear of them. In bfloat16 nothing
/// stays clear of rounding, so there forks look at fresh leaves only, whose numbers bfloat16 holds.
final class RandomGraph {
  enum Fork {
    case rectifier(Value, limit: Double?)
    case maximum(Value, Pooling)
  }

  let seed: UInt64
  let forksAtLeavesOnly: Bool
  let builder = GraphBuilder()
  private(set) var parameters: [Parameter] = []
  private(set) var fields: [String: Value] = [:]
  private(set) var updates: [String: Value] = [:]
  private(set) var outputs: [String: Value] = [:]
  private(set) var forks: [Fork] = []
  private var scales: [String: ClosedRange<Double>] = [:]
  private var live: [Value] = []
  private var used: Set<GraphBuilder.ID> = []
  var random: Philox

  init(seed: UInt64, forksAtLeavesOnly: Bool = false) {
    self.seed = seed
    self.forksAtLeavesOnly = forksAtLeavesOnly
    random = Philox(seed: seed, 77)
    let wanted = pick(2...8)
    var tries = 0
    while live.count < wanted, tries < 100 {
      tries += 1
      grow()
    }
  }

  /// The loss is a randomly weighted sum of everything that nothing else consumes.
  private(set) lazy var program: Program = {
    var loss: Value?
    terms = []
    for (index, value) in live.enumerated() where !used.contains(value.id) {
      outputs["y\(index)"] = value
      let weighted = value.shape.rank == 0 ? value : value * field("u\(index)", value.shape)
      terms.append(weighted)
      let part = value.shape.rank == 0 ? value : weighted.sum()
      loss = loss.map { $0 + part } ?? part
    }
    outputs["loss"] = loss
    // Sometimes a value in the middle is asked for, too.
    if pick(0...2) == 0, let value = live.randomElement(using: &random) { outputs["middle"] = value }
    return Program(inputs: fields, parameters: parameters, outputs: outputs, minimizing: loss, updates: updates)
  }()

  /// What the loss sums up.
  private var terms: [Value] = []

  /// Whether the loss is no small difference of large terms, whose roundings would be all that is compared: at least 0.15 of the root of
  /// their summed squares, which is the size of a sum of random signs.
  func hasLargeLoss(_ feeds: [(Value, Tensor<Double>)]) -> Bool {
    let numbers = interpret(terms, feeding: feeds).flatMap(\.elements)
    return abs(numbers.reduce(0, +)) >= 0.15 * numbers.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }

  /// The nodes that the program runs.
  var nodes: [GraphBuilder.Node] {
    let wanted = Array(program.outputs.values) + Array(program.gradients.values) + Array(program.updates.values)
    return builder.nodesNeeded(for: wanted.map(\.id)).map { builder.nodes[$0] }
  }

  /// One line a node: what to look at when a graph fails.
  var listing: String {
    let wanted = Array(program.outputs.values) + Array(program.gradients.values) + Array(program.updates.values)
    let lines = builder.nodesNeeded(for: wanted.map(\.id)).map { index in
      let node = builder.nodes[index]
      let inputs = node.inputs.map { $0.output == 0 ? "\($0.node)" : "\($0.node).\($0.output)" }.joined(separator: ", ")
      return "  \(index) \(node.operation)(\(inputs)) -> \(node.shapes.map(\.description).joined(separator: " ")) \(node.label)"
    }
    return "graph of seed \(seed)\n" + lines.joined(separator: "\n")
  }

  // MARK: Numbers

  /// Numbers for every leaf, all exact in bfloat16.
  func draw(_ attempt: UInt64) -> (weights: Weights, batch: [String: Tensor<Float>]) {
    var numbers = Philox(seed: seed, 78, attempt), weights = Weights(parameters), batch: [String: Tensor<Float>] = [:]
    func tensor(_ name: String, _ shape: Shape) -> Tensor<Float> {
      if name == "counter" { return Tensor([2], [Float(seed % 1000), Float(attempt)]) }
      let scale = scales[name, default: -1...1]
      if name.hasPrefix("mask") { return Tensor(shape, (0..<shape.count).map { _ in numbers.uniform() < 0.7 ? 1 : 0 }) }
      return Tensor(shape, (0..<shape.count).map { _ in
        Float(bitPattern: Float(numbers.uniform(scale.lowerBound, scale.upperBound)).bitPattern & 0xFFFF_0000)
      })
    }
    for parameter in parameters { weights[parameter.path] = tensor(parameter.path, parameter.value.shape) }
    for (name, value) in fields.sorted(by: { $0.key < $1.key }) { batch[name] = tensor(name, value.shape) }
    return (weights, batch)
  }

  /// Whether no rounding error of size `margin` can turn a decision. Exact zeros and exact ties are made by earlier decisions.
  func isDecisive(_ feeds: [(Value, Tensor<Double>)], margin: Double) -> Bool {
    guard !forks.isEmpty, !forksAtLeavesOnly else { return true }
    let values = forks.map { fork in
      switch fork {
      case .rectifier(let value, _), .maximum(let value, _): value
      }
    }
    return zip(forks, interpret(values, feeding: feeds)).allSatisfy { fork, x in
      switch fork {
      case .rectifier(_, let limit):
        return x.elements.allSatisfy { v in (v == 0 || abs(v) > margin) && (limit.map { v == $0 || abs(v - $0) > margin } ?? true) }
      case .maximum(_, let pooling):
        return windows(pooling, x).allSatisfy { window in
          let top = window.sorted(by: >).prefix(2)
          return top.count < 2 || top[0] - top[1] > margin || (top[0] == 0 && top[1] == 0)
        }
      }
    }
  }

  private func windows(_ p: Pooling, _ x: Tensor<Double>) -> [[Double]] {
    let (rows, columns) = (x.shape[2], x.shape[3])
    var found: [[Double]] = []
    for plane in 0..<x.shape[0] * x.shape[1] {
      for y in stride(from: -p.padding, to: rows + p.padding, by: p.stride) {
        for left in stride(from: -p.padding, to: columns + p.padding, by: p.stride) {
          var window: [Double] = []
          for iy in max(0, y)..<max(max(0, y), min(rows, y + p.kernel)) {
            for ix in max(0, left)..<max(max(0, left), min(columns, left + p.kernel)) {
              window.append(x.elements[(plane * rows + iy) * columns + ix])
            }
          }
          found.append(window)
        }
      }
    }
    return found
  }

  // MARK: Leaves

  func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
  func pick<T>(_ choices: [T]) -> T { choices.randomElement(using: &random)! }
  func chance(_ percent: Int) -> Bool { pick(0...99) < percent }

  func field(_ name: String, _ shape: Shape, _ scale: ClosedRange<Double> = -1...1) -> Value {
    if let known = fields[name] { return known }
    let value = builder.input(name, shape)
    fields[name] = value
    scales[name] = scale
    return value
  }

  func parameter(_ shape: Shape, _ scale: ClosedRange<Double> = -1...1, role: Parameter.Role = .trainable) -> Value {
    let path = "p\(parameters.count)", value = builder.input(path, shape)
    parameters.append(Parameter(path: path, value: value, role: role))
    scales[path] = scale
    return value
  }

  /// A fresh input: mostly something with a gradient.
  func leaf(_ shape: Shape) -> Value { chance(75) ? parameter(shape) : field("x\(fields.count)", shape) }

  func freshMaps() -> Value {
    let channels = pick([1, 2, 3, 5, 8, 16, 16, 17, 32, 48])
    let side = channels > 16 ? 4 : 8
    return leaf([pick(1...3), channels, pick(1...side), pick(1...side)])
  }

  /// An earlier value that fits, or a fresh one.
  func maps(where fits: (Shape) -> Bool = { _ in true }) -> Value? {
    let known = live.filter { $0.shape.rank == 4 && fits($0.shape) }
    if !known.isEmpty, chance(85) { return taken(pick(known)) }
    for _ in 0..<20 {
      let made = freshMaps()
      if fits(made.shape) { return made }
      dropLeaf(made)
    }
    return known.isEmpty ? nil : taken(pick(known))
  }

  /// The operand of a decision.
  func forkedMaps() -> Value { forksAtLeavesOnly ? freshMaps() : maps() ?? freshMaps() }

  func rows() -> Value {
    let known = live.filter { $0.shape.rank == 2 }
    return !known.isEmpty && chance(85) ? taken(pick(known)) : leaf([pick(1...5), pick([1, 3, 7, 16, 20])])
  }

  func anything() -> Value {
    let known = live.filter { $0.shape.rank > 0 }
    return !known.isEmpty && chance(85) ? taken(pick(known)) : chance(70) ? freshMaps() : rows()
  }

  /// Another value of that shape: an earlier one, the same one, or a fresh one.
  func partner(of value: Value) -> Value {
    let known = live.filter { $0.shape == value.shape }
    return !known.isEmpty && chance(60) ? taken(pick(known)) : leaf(value.shape)
  }

  private func dropLeaf(_ value: Value) {
    if let last = parameters.last, last.value.id == value.id { parameters.removeLast() }
    fields = fields.filter { $0.value.id != value.id }
  }

  private func taken(_ value: Value) -> Value {
    used.insert(value.id)
    return value
  }

  /// Keeps `value` as a result, unless it has grown too large for a small graph.
  func keep(_ value: Value) {
    if value.shape.count <= 6000 { live.append(value) }
  }

  func fork(_ fork: Fork) { forks.append(fork) }
  func update(_ statistic: Value, to value: Value) { updates[parameters.first { $0.value.id == statistic.id }!.path] = value }
}
