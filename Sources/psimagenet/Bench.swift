import ArgumentParser
import Engine
import Foundation
import Graphs
import Networks
import Tensors
import Training

/// Speed of the engine on this machine: figures to quote beside a peer measured in the same run, never a pass or fail.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time training steps of a backbone on this machine.",
    discussion: "Example: psimagenet bench --backbone resnet18 --side 129 --batch 32 --precision bfloat16")

  @Option(help: "Backbone: \(BackboneCatalog.all.map { $0.name }.joined(separator: ", ")).") var backbone = "resnet18"
  @Option(help: "Image side in pixels.") var side = 129
  @Option(help: "Images a step.") var batch = 32
  @Option(help: "float32 or bfloat16.") var precision = "float32"
  @Option(help: "Timed steps, after one that is not.") var steps = 10

  mutating func run() throws {
    guard let type = BackboneCatalog.named(backbone) else {
      throw ValidationError("unknown backbone \(backbone); known: \(BackboneCatalog.all.map { $0.name }.joined(separator: ", "))")
    }
    guard let precision = Precision(rawValue: precision) else { throw ValidationError("precision is float32 or bfloat16") }
    let builder = GraphBuilder(), scope = Scope(builder, mode: .training)
    let image = builder.input("image", [batch, 1, side, side]), target = builder.input("target", [batch, 10])
    let loss = Linear(10)(type.init().codewords(image, in: scope["backbone"]), in: scope["fc"]).crossEntropy(target).mean()
    let program = Program(
      inputs: ["image": image, "target": target], parameters: scope.parameters, outputs: ["loss": loss], minimizing: loss,
      updates: scope.updates)
    let clock = ContinuousClock(), start = clock.now
    let plan = try Plan(program, precision: precision)
    print("compiled in \(milliseconds(clock.now - start)) ms, \(plan.memoryBytes >> 20) MiB of activations")
    let slow = plan.kernels.filter { $0.kernel.hasPrefix("ref") && !$0.node.hasPrefix("Reorder") }
    if !slow.isEmpty {
      print("without a fast kernel: " + slow.map { "\($0.node) (\($0.kernel))" }.joined(separator: ", "))
    }
    var weights = scope.initialWeights(seed: 1), gradients = Weights(program.parameters), random = Philox(seed: 2)
    let fields = [
      "image": Tensor<Float>([batch, 1, side, side], (0..<batch * side * side).map { _ in Float(random.normal()) }),
      "target": Tensor<Float>([batch, 10], (0..<batch * 10).map { $0 % 10 == $0 / 10 % 10 ? 1 : 0 }),
    ]
    let sgd = SGD()
    var state = OptimizerState(moments: SGD.moments, count: weights.storage.count), times: [Double] = [], updates: [Double] = []
    for step in 0...steps {
      let began = clock.now
      _ = try plan.run(fields, &weights, gradients: &gradients)
      let middle = clock.now
      sgd.update(&weights, gradients, &state, learningRate: 0.01)
      let ended = clock.now
      if step > 0 {
        times.append(milliseconds(ended - began))
        updates.append(milliseconds(ended - middle))
      }
    }
    func shown(_ value: Double) -> String { String(format: "%.1f", value) }
    let median = Statistics.median(times)
    print("training step (forward, backward, SGD) \(backbone) \(batch)x1x\(side)x\(side) \(precision.rawValue): "
      + "median \(shown(median)) ms, min \(shown(times.min()!)) ms of \(steps), of it SGD \(shown(Statistics.median(updates))) ms; "
      + "\(shown(1000 * Double(batch) / median)) images/s")
  }
}

/// A duration in milliseconds, to a hundredth.
func milliseconds(_ duration: Duration) -> Double {
  let (seconds, attoseconds) = duration.components
  return ((Double(seconds) * 1e3 + Double(attoseconds) * 1e-15) * 100).rounded() / 100
}
