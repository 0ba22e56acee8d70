import Foundation
import Graphs
import Networks
import Tensors
import Testing

/// Forward of a backbone in inference mode on a fresh graph.
func parameters(_ backbone: some Backbone, side: Int) -> (Scope, [Value]) {
  let builder = GraphBuilder(), scope = Scope(builder, mode: .inference)
  return (scope, backbone.stages(builder.input("image", [2, 1, side, side]), in: scope))
}

@Test func resNet18HasTorchvisionsNamesAndCount() {
  let (scope, stages) = parameters(ResNet18(), side: 65)
  let paths = scope.parameters.map(\.path)
  // torchvision 0.29 resnet18: 122 entries less 20 num_batches_tracked and less fc.weight and fc.bias.
  #expect(paths.count == 122 - 20 - 2)
  #expect(Set(paths).count == paths.count)
  for name in ["conv1.weight", "bn1.running_var", "layer1.1.bn2.bias", "layer4.0.downsample.0.weight", "layer2.0.downsample.1.running_mean"] {
    #expect(paths.contains(name))
  }
  #expect(!paths.contains("layer1.0.downsample.0.weight"))
  // 11,689,512 in torchvision, less two of three stem channels (2·64·49) and the classifier (513,000); statistics are no parameters there.
  let trainable = scope.parameters.filter { $0.role == .trainable }.reduce(0) { $0 + $1.value.shape.count }
  #expect(trainable == 11_689_512 - 2 * 64 * 49 - 513_000)
  #expect(stages.map(\.shape) == [[2, 64, 17, 17], [2, 128, 9, 9], [2, 256, 5, 5], [2, 512, 3, 3]])
}

/// Counted by hand: stem 3,264; stages 73,984 + 230,144 + 919,040 + 3,673,088.
@Test func resNet10HasOneBlockAStage() {
  let (scope, stages) = parameters(ResNet10(), side: 97)
  #expect(!scope.parameters.contains { $0.path.hasPrefix("layer1.1") })
  #expect(scope.parameters.filter { $0.role == .trainable }.reduce(0) { $0 + $1.value.shape.count } == 4_899_520)
  #expect(stages.count == 4)
}

@Test func leNetHasTheTutorialsNamesAndPapersCounts() {
  let (scope, stages) = parameters(LeNet5(), side: 32)
  #expect(scope.parameters.map(\.path) == ["conv1", "conv2", "fc1", "fc2"].flatMap { ["\($0).weight", "\($0).bias"] })
  #expect(scope.parameters.first { $0.path == "fc1.weight" }?.value.shape == [120, 400])
  #expect(stages.last?.shape == [2, 84, 1, 1])
}

@Test func everyBackboneRoundTripsThroughJSON() throws {
  for type in BackboneCatalog.all {
    func check<B: Backbone>(_: B.Type) throws {
      #expect(try JSONDecoder().decode(B.self, from: JSONEncoder().encode(B())) == B())
    }
    try check(type)
  }
  #expect(BackboneCatalog.named("resnet10") != nil)
}

@Test func aScopeSharesParametersByName() {
  let builder = GraphBuilder(), scope = Scope(builder, mode: .training)
  let x = builder.input("x", [2, 4])
  _ = Linear(3)(x, in: scope["fc"])
  _ = Linear(3)(x, in: scope["fc"])
  #expect(scope.parameters.map(\.path) == ["fc.weight", "fc.bias"])
}

@Test func freshWeightsDependOnSeedAndPathOnly() {
  let (a, _) = parameters(ResNet10(width: 4), side: 33), (b, _) = parameters(ResNet10(width: 4), side: 65)
  #expect(a.initialWeights(seed: 1) == b.initialWeights(seed: 1))
  #expect(a.initialWeights(seed: 1) != a.initialWeights(seed: 2))
  let kernel = a.initialWeights(seed: 3)["layer4.0.conv2.weight"].elements.map(Double.init)
  #expect(abs(Statistics.standardDeviation(kernel) / (2.0 / (32 * 9)).squareRoot() - 1) < 0.05)
}

/// ⟨u, ∂loss/∂w⟩ of every trainable number at once, against central differences: the whole network is differentiated right.
@Test(arguments: [Scope.Mode.training, .inference]) func everyBackboneHasItsGradient(mode: Scope.Mode) {
  for backbone in [ResNet10(width: 2), ResNet18(width: 2), LeNet5()] as [any Backbone] {
    let builder = GraphBuilder(), scope = Scope(builder, mode: mode)
    let image = builder.input("image", [3, 1, 17, 17]), target = builder.input("target", [3, 2])
    let logits = Linear(2)(backbone.codewords(image, in: scope["backbone"]), in: scope["head"])
    let loss = logits.crossEntropy(target).mean()
    let program = Program(
      inputs: ["image": image, "target": target], parameters: scope.parameters, outputs: ["loss": loss], minimizing: loss)
    var random = Philox(seed: 11)
    let batch = [
      "image": Tensor([3, 1, 17, 17], (0..<867).map { _ in random.normal() }),
      "target": Tensor([3, 2], [1.0, 0, 0, 1, 0.5, 0.5]),
    ]
    let initial = scope.initialWeights(seed: 5)
    var weights: [String: Tensor<Double>] = [:], direction: [String: Tensor<Double>] = [:]
    for slot in initial.slots {
      weights[slot.path] = initial[slot.path].map(Double.init)
      if slot.role == .trainable { direction[slot.path] = Tensor(slot.shape, (0..<slot.shape.count).map { _ in random.normal() }) }
    }
    let exact = program.interpreted(batch, weights).gradients.reduce(0.0) { sum, entry in
      sum + zip(entry.value.elements, direction[entry.key]!.elements).reduce(0) { $0 + $1.0 * $1.1 }
    }
    func lossAt(_ step: Double) -> Double {
      let moved = weights.mapValues { $0 }.merging(direction) { w, d in
        Tensor(w.shape, zip(w.elements, d.elements).map { $0 + step * $1 })
      }
      return program.interpreted(batch, moved).outputs["loss"]!.elements[0]
    }
    let numeric = (lossAt(1e-7) - lossAt(-1e-7)) / 2e-7
    #expect(abs(numeric - exact) < 1e-4 * max(1, abs(exact)), "\(type(of: backbone)) in \(mode)")
  }
}
