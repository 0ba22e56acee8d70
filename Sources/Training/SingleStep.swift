import Engine
import Graphs
import Host
import Networks
import Tensors

/// One training step of a whole network, classifier included, on given weights and a given batch: every number that other
/// software can be compared with.
public struct SingleStep: Sendable {
  public let backbone: any Backbone
  public let classes: Int
  public let precision: Precision

  /// - Throws: `InputError` for a network that does not exist, settings that it cannot have, and impossible numbers of classes.
  public init(network: String, settings: JSONValue = .object([:]), classes: Int, precision: Precision = .float32) throws(InputError) {
    guard (1...100_000).contains(classes) else {
      throw InputError(path: "", place: "classes", expected: "1 to 100000", found: "\(classes)")
    }
    backbone = try Choice(name: network, settings: settings).backbone(path: "")
    self.classes = classes
    self.precision = precision
  }

  /// A parameter as a file of weights has it.
  public struct NamedShape: Codable, Hashable, Sendable {
    public let name: String
    public let shape: [Int]
    /// `trainable`, or `statistic`: running means and variances.
    public let role: Parameter.Role

    public init(name: String, shape: [Int], role: Parameter.Role) {
      (self.name, self.shape, self.role) = (name, shape, role)
    }
  }

  /// Every parameter of the network, in order. `side` matters only to networks that are bound to one picture size.
  public func arrays(side: Int? = nil) throws(InputError) -> [NamedShape] {
    let side = side ?? max(32, backbone.admittedSides.smallest)
    try backbone.require(side: side, path: "")
    return network(image: [1, backbone.inputs, side, side]).scope.parameters.map {
      NamedShape(name: $0.path, shape: $0.value.shape.extents, role: $0.role)
    }
  }

  /// Runs the step in training mode, without moving any weight.
  ///
  /// - Parameters:
  ///   - weights: a safetensors file with exactly the arrays of the network, F32; step counters of batch normalisations
  ///     (`num_batches_tracked`) may be there.
  ///   - batch: a safetensors file with `image`, F32 `[N,C,H,W]` with C one or the network's inputs, and `target`: F32 of the
  ///     logits' shape (distributions over axis 1), or I64 class indices `[N]` or `[N,H,W]`.
  /// - Returns: `logits`, `loss` (mean cross entropy, nats), `logits.auxiliary.1` …, `gradient.<path>` of every trainable array and
  ///   `statistic.<path>` of every running mean and variance after the step.
  public func run(weights weightsPath: String, batch batchPath: String) throws -> [SafeTensors.Entry] {
    let (image, target) = try read(batch: batchPath)
    let (builder, scope, input, prediction) = network(image: image.shape)
    var weights = Weights(scope.parameters)
    try read(&weights, from: weightsPath)
    let targets = try distributions(target, logits: prediction.logits.shape, path: batchPath)
    let field = builder.input("target", targets.shape), loss = prediction.loss(field)
    var outputs = ["logits": prediction.logits, "loss": loss]
    for (index, logits) in prediction.auxiliaryLogits.enumerated() { outputs["logits.auxiliary.\(index + 1)"] = logits }
    let program = Program(
      inputs: ["image": input, "target": field].merging(scope.inputs) { own, _ in own }, parameters: scope.parameters, outputs: outputs,
      minimizing: loss, updates: scope.updates)
    var gradients = Weights(program.parameters)
    let fields = ["image": image, "target": targets].merging(program.maskFields(seed: 0, step: 0)) { own, _ in own }
    let results = try Plan(program, precision: precision).run(fields, &weights, gradients: &gradients)
    return results.sorted { $0.key < $1.key }.map { SafeTensors.Entry(name: $0.key, $0.value) }
      + weights.slots.map { slot in
        slot.role == .trainable
          ? SafeTensors.Entry(name: "gradient.\(slot.path)", gradients[slot.path])
          : SafeTensors.Entry(name: "statistic.\(slot.path)", weights[slot.path])
      }
  }

  private func network(image: Shape) -> (builder: GraphBuilder, scope: Scope, input: Value, prediction: Prediction) {
    let builder = GraphBuilder(), scope = Scope(builder, mode: .training), input = builder.input("image", image)
    return (builder, scope, input, backbone.prediction(of: input, classes: classes, in: scope))
  }

  private func read(batch path: String) throws(InputError) -> (image: Tensor<Float>, target: SafeTensors.Entry) {
    let contents = try SafeTensors.read(path), image = try contents.floats("image"), shape = image.shape
    guard shape.rank == 4, shape.count > 0, shape[1] == 1 || shape[1] == backbone.inputs else {
      let channels = backbone.inputs == 1 ? "1" : "1 or \(backbone.inputs)"
      throw InputError(path: path, place: "image", expected: "[N,C,H,W] with C = \(channels)", found: "\(shape)")
    }
    do { try backbone.validate(height: shape[2], width: shape[3]) } catch {
      throw InputError(path: path, place: "image", expected: error.expected, found: error.found)
    }
    guard let target = contents.tensors["target"] else {
      throw InputError(path: path, place: "target", expected: "a tensor of this name", found: "none")
    }
    return (image, target)
  }

  private func read(_ weights: inout Weights, from path: String) throws(InputError) {
    let contents = try SafeTensors.read(path)
    let counters = Set(weights.slots.filter { $0.path.hasSuffix("running_mean") }.map {
      String($0.path.dropLast("running_mean".count)) + "num_batches_tracked"
    })
    let rest = contents.tensors.filter { !counters.contains($0.key) }
    try SafeTensors.match(
      expected: weights.slots.map { ($0.path, $0.shape) }, found: .init(path: path, tensors: rest, metadata: contents.metadata))
    for slot in weights.slots { weights[slot.path] = try contents.floats(slot.path) }
  }

  /// Targets of the shape of `logits`; class indices become rows of one 1.
  private func distributions(_ target: SafeTensors.Entry, logits: Shape, path: String) throws(InputError) -> Tensor<Float> {
    let contents = SafeTensors.Contents(path: path, tensors: ["target": target], metadata: [:])
    if target.dtype == .f32, target.shape == logits { return try contents.floats("target") }
    let pixels = Shape([logits[0]] + logits.extents.dropFirst(2)), plane = pixels.extents.dropFirst().reduce(1, *)
    guard target.dtype == .i64, target.shape == pixels else {
      throw InputError(
        path: path, place: "target", expected: "F32 \(logits) or I64 \(pixels)", found: "\(target.dtype.rawValue) \(target.shape)")
    }
    var result = Tensor<Float>(repeating: 0, logits)
    for (index, label) in try contents.integers("target").elements.enumerated() {
      guard (0..<Int64(classes)).contains(label) else {
        throw InputError(path: path, place: "target, element \(index)", expected: "0 to \(classes - 1)", found: "\(label)")
      }
      result.elements[(index / plane * classes + Int(label)) * plane + index % plane] = 1
    }
    return result
  }
}
