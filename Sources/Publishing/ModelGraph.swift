import Engine
import Graphs
import Networks
import Pretexts
import Tensors

/// The graphs of a published network: its backbone alone, and the task that it was trained on.
struct ModelGraph: Sendable {
  /// What parameters of the backbone are called in the program but not in the published file.
  static let prefix = "backbone."

  let backbone: any Backbone
  let task: any PretextTask
  let side: Int
  let classes: Int

  /// `image [N,1,S,S]` -> `codeword [N,D]`; `stage.1`, `stage.2`, … `[N,C]`, the mean of each stage over the picture; and where the
  /// backbone has several codewords, each as `codeword.<name>`.
  func trunk(batch: Int, side other: Int? = nil) -> Program {
    let (builder, side) = (GraphBuilder(), other ?? side), scope = Scope(builder, mode: .inference)
    let image = builder.input("image", [batch, 1, side, side])
    let encoding = backbone.encoding(of: image, in: scope["backbone"])
    var outputs = ["codeword": encoding.codeword]
    for (stage, map) in encoding.stages.enumerated() { outputs["stage.\(stage + 1)"] = map.globalAverage() }
    if encoding.codewords.count > 1 {
      for codeword in encoding.codewords { outputs["codeword.\(codeword.name)"] = codeword.value }
    }
    return Program(inputs: ["image": image], parameters: scope.parameters, outputs: outputs)
  }

  /// The extents of the last feature map, `[C,H,W]`.
  var lastStage: Shape {
    let builder = GraphBuilder(), scope = Scope(builder, mode: .inference)
    let stages = backbone.stages(builder.input("image", [1, 1, side, side]), in: scope["backbone"])
    return Shape(Array(stages[stages.count - 1].shape.extents.dropFirst()))
  }

  /// Where the first layer's numbers are, in the published file.
  var firstConvolution: String {
    let name = trunk(batch: 1).parameters[0].path.dropFirst(Self.prefix.count)
    return String(name.hasSuffix(".weight") ? name.dropLast(".weight".count) : name)
  }

  /// Numbers in a codeword.
  var codewordWidth: Int { trunk(batch: 1).outputs["codeword"]!.shape[1] }

  /// Whether the parameters depend on the size of the picture, as those of fully connected layers do.
  var isBoundToSide: Bool {
    trunk(batch: 1).parameters.map(\.value.shape) != trunk(batch: 1, side: side + 32).parameters.map(\.value.shape)
  }

  /// Whether the settings give the network its name's usual parameters.
  var hasUsualShapes: Bool {
    func usual<B: Backbone>(_ backbone: B) -> any Backbone {
      var other = B()
      other.inputs = backbone.inputs
      return other
    }
    func layout(_ backbone: any Backbone) -> [String] {
      ModelGraph(backbone: backbone, task: task, side: side, classes: classes).trunk(batch: 1).parameters.map { "\($0.path) \($0.value.shape)" }
    }
    return layout(backbone) == layout(usual(backbone))
  }

  /// The fields of the task -> `logits`, and the parameters of backbone and head.
  func task(batch: Int) -> Program {
    let builder = GraphBuilder(), scope = Scope(builder, mode: .inference)
    let fields = task.fields(side: side, classes: classes).sorted { $0.key < $1.key }
    let inputs = Dictionary(uniqueKeysWithValues: fields.map { ($0.key, builder.input($0.key, [batch] + $0.value)) })
    let objective = task.objective(inputs, backbone: backbone, in: scope)
    return Program(inputs: inputs, parameters: scope.parameters, outputs: Dictionary(uniqueKeysWithValues: objective.judged.map { ($0.question.output, $0.values) }))
  }

  /// A batch of the task: every field that is a picture shows `images [N,1,S,S]`, every other field is 0.
  func fields(showing images: Tensor<Float>) -> [String: Tensor<Float>] {
    task.fields(side: side, classes: classes).mapValues { shape in
      shape == [1, side, side] ? images : Tensor(repeating: 0, [images.shape[0]] + shape)
    }
  }

  /// Runs the trunk in float32; `weights` are laid out for it.
  func means(_ weights: Weights, of images: Tensor<Float>) throws(EngineError) -> [String: Tensor<Float>] {
    try Plan(trunk(batch: images.shape[0]), precision: .float32).evaluate(["image": images], weights)
  }
}
