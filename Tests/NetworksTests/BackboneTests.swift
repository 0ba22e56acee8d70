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
