import Engine
import Foundation
import Graphs
import Tensors
import Testing

/// How many graphs a run composes.
private let graphs = 520

/// Plans against the interpreter on graphs that nobody thought of.
@Suite(.serialized) struct RandomGraphTests {
  /// Outputs, gradients and updates, float32.
  @Test(arguments: 0..<26) func randomGraphsAgree(batch: Int) throws {
    for index in batch * 20..<(batch + 1) * 20 { try check(index, .float32, limit: 1e-4) }
  }

  /// The same in bfloat16, on graphs without decisions on rounded values.
  @Test(arguments: 0..<8) func randomGraphsAgreeInBFloat16(batch: Int) throws {
    guard runsBFloat16 else { return }
    for index in batch * 20..<(batch + 1) * 20 { try check(index, .bfloat16, limit: 6e-2) }
  }

  /// Every operation that the graph library declares, gradients included, is run many times.
  @Test func randomGraphsContainEveryOperation() throws {
    var counts: [String: Int] = [:]
    for seed in 0..<graphs {
      for node in RandomGraph(seed: UInt64(seed)).nodes { counts["\(type(of: node.operation))", default: 0] += 1 }
    }
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/Graphs/Ops").standardized
    var declared: [String] = []
    for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
      let text = try String(contentsOf: file, encoding: .utf8)
      declared += text.matches(of: /public struct (\w+): Operation/).map { String($0.output.1) }
    }
    #expect(declared.count > 30)
    for name in declared { #expect(counts[name, default: 0] >= 20, "\(name) occurs \(counts[name, default: 0]) times") }
  }

  /// Root mean squares of differences, relative to those of the exact array; an array that nearly vanishes, as the gradient of a
  /// bias before a normalisation does, is measured by a tenth of the largest array of its kind.
  private func check(_ index: Int, _ precision: Precision, limit: Double) throws {
    guard let (graph, weights, batch) = numbered(index, precision) else {
      Issue.record("no graph \(index) without a narrow decision")
      return
    }
    let program = graph.program
    let exact = program.interpreted(
      batch.mapValues { $0.map(Double.init) },
      Dictionary(uniqueKeysWithValues: weights.slots.map { ($0.path, weights[$0.path].map(Double.init)) }))
    let plan = try Plan(program, precision: precision)
    var moved = weights, gradients = Weights(program.parameters)
    let outputs = try plan.run(batch, &moved, gradients: &gradients)
    let kinds: [(String, [String: Tensor<Double>], (String) -> Tensor<Float>)] = [
      ("output", exact.outputs, { outputs[$0]! }), ("gradient", exact.gradients, { gradients[$0] }),
      ("update", exact.updates, { moved[$0] }),
    ]
    for (kind, expected, found) in kinds {
      let largest = expected.values.map { size($0.elements) }.max() ?? 0
      for (name, tensor) in expected {
        let difference = zip(found(name).elements, tensor.elements).map { Double($0) - $1 }
        let error = size(difference) / max(size(tensor.elements), 0.1 * largest, 1e-5)
        #expect(error < limit, "\(kind) \(name) in \(precision): \(error); \(graph.listing)")
      }
    }
    for slot in weights.slots where program.updates[slot.path] == nil {
      #expect(moved[slot.path] == weights[slot.path], "\(slot.path) has moved; \(graph.listing)")
    }
  }

  /// Graph number `index` with numbers that make no decision of it narrow, and in bfloat16 no loss that nearly cancels. Some graphs have exact ties whatever the numbers, as
  /// where a window holds one pixel twice; the next seed takes their place.
  private func numbered(_ index: Int, _ precision: Precision) -> (RandomGraph, Weights, [String: Tensor<Float>])? {
    for seed in stride(from: UInt64(index), to: 100_000, by: 10_000) {
      let graph = RandomGraph(seed: seed, forksAtLeavesOnly: precision == .bfloat16), program = graph.program
      for attempt in 0..<10 as Range<UInt64> {
        let (weights, batch) = graph.draw(attempt)
        let feeds = program.inputs.map { ($0.value, batch[$0.key]!.map(Double.init)) }
          + program.parameters.map { ($0.value, weights[$0.path].map(Double.init)) }
        if graph.isDecisive(feeds, margin: 5e-5), precision == .float32 || graph.hasLargeLoss(feeds) { return (graph, weights, batch) }
      }
    }
    return nil
  }

  private func size(_ x: [Double]) -> Double { (x.reduce(0) { $0 + $1 * $1 } / Double(max(1, x.count))).squareRoot() }
}
