import Graphs
import Networks
import Tensors
import Testing

/// Every backbone, narrow, with the smallest picture that shows all its layers.
private let narrow: [(name: String, settings: String, side: Int)] = [
  ("lenet5", "{}", 17), ("alexnet", #"{"width": 2, "hidden": 6, "dropout": 0}"#, 63),
  ("cnn-f", #"{"width": 2, "hidden": 6, "dropout": 0}"#, 55), ("cnn-m", #"{"width": 3, "hidden": 6, "dropout": 0}"#, 57),
  ("cnn-s", #"{"width": 3, "hidden": 6, "dropout": 0}"#, 43), ("vgg11", #"{"width": 2, "hidden": 6, "dropout": 0}"#, 32),
  ("vgg13", #"{"width": 1, "fullyConnected": false}"#, 32), ("vgg16", #"{"width": 1, "hidden": 6, "dropout": 0, "batchNorm": true}"#, 40),
  ("vgg19", #"{"width": 1, "hidden": 6, "dropout": 0}"#, 32),
  ("googlenet", #"{"width": 4, "dropout": 0, "auxiliary": true, "auxiliaryDropout": 0}"#, 31), ("resnet10", #"{"width": 2}"#, 17),
  ("resnet18", #"{"width": 2}"#, 17), ("resnet34", #"{"width": 1}"#, 33), ("resnet50", #"{"width": 1}"#, 33),
  ("densenet121", #"{"growth": 1}"#, 33), ("mobilenetv1_100", #"{"width": 1}"#, 33), ("mobilenet_v2", #"{"width": 8, "dropout": 0}"#, 65),
  ("unet", #"{"encoder": "resnet10", "width": 2, "decoderWidth": 1}"#, 32),
]

@Test func everyBackboneIsTriedNarrow() { #expect(Set(narrow.map(\.name)) == Set(BackboneCatalog.all.map { $0.name })) }

/// ⟨u, ∂loss/∂w⟩ of every trainable number at once, against central differences: the whole network is differentiated right.
@Test(arguments: narrow, [Scope.Mode.training, .inference])
func everyBackboneHasItsGradient(_ sample: (name: String, settings: String, side: Int), mode: Scope.Mode) throws {
  let backbone = try backbone(sample.name, sample.settings), images: Shape = [3, 1, sample.side, sample.side]
  let builder = GraphBuilder(), scope = Scope(builder, mode: mode), image = builder.input("image", images)
  let prediction = backbone.prediction(of: image, classes: 2, in: scope)
  let target = builder.input("target", prediction.logits.shape), loss = prediction.loss(target)
  let program = Program(
    inputs: ["image": image, "target": target], parameters: scope.parameters, outputs: ["loss": loss], minimizing: loss)
  var random = Philox(seed: 11)
  let batch = [
    "image": Tensor(images, (0..<images.count).map { _ in random.normal() }),
    "target": Tensor(target.shape, (0..<target.shape.count).map { _ in random.uniform() }),
  ]
  let initial = scope.initialWeights(seed: 5)
  var weights: [String: Tensor<Double>] = [:], direction: [String: Tensor<Double>] = [:]
  for slot in initial.slots {
    // Fresh shifts are 0, and a map that is all 0 would then lie exactly on the kink of the next rectifier.
    weights[slot.path] = initial[slot.path].map { Double($0) + (slot.path.hasSuffix("bias") ? random.normal(0, 0.1) : 0) }
    if slot.role == .trainable { direction[slot.path] = Tensor(slot.shape, (0..<slot.shape.count).map { _ in random.normal() }) }
  }
  let exact = program.interpreted(batch, weights).gradients.reduce(0.0) { sum, entry in
    sum + zip(entry.value.elements, direction[entry.key]!.elements).reduce(0) { $0 + $1.0 * $1.1 }
  }
  // The loss alone, without the gradients of the program.
  func lossAt(_ step: Double) -> Double {
    let feeds = scope.parameters.map { parameter in
      let own = weights[parameter.path]!, moved = direction[parameter.path]
      return (parameter.value, moved.map { Tensor(own.shape, zip(own.elements, $0.elements).map { $0 + step * $1 }) } ?? own)
    }
    return interpret([loss], feeding: [(image, batch["image"]!), (target, batch["target"]!)] + feeds)[0].elements[0]
  }
  let numeric = (lossAt(2e-8) - lossAt(-2e-8)) / 4e-8
  #expect(abs(numeric - exact) < 1e-4 * max(1, abs(exact)), "\(numeric) by differences, \(exact) by rule")
  #expect(exact != 0)
}
