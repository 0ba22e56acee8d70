import Graphs
import Networks
import Tensors

/// What is this frame? The supervised trunk that pretexts are compared with: a plain classifier of one corpus label.
public struct FrameClass: PretextTask {
  public static let name = "frame-class"
  public var label: String? { target }
  /// The corpus label to predict, such as `kind`.
  public var target = "kind"
  public var jitter = Jitter()

  public init() {}
  public init(label: String) { target = label }

  private enum CodingKeys: String, CodingKey { case target = "label", jitter }

  public func validate() throws(SettingError) { try jitter.validate() }

  public func classes(labels: [String]) -> [String] { labels }

  public func fields(side: Int, classes: Int) -> [String: Shape] { ["view": [1, side, side], "class": [classes]] }

  public func makeExample(
    from image: MaskedImage, answer: Int?, classes: Int, scaling: InputScaling, augmenting: Bool, using random: inout Philox
  ) -> [String: Tensor<Float>] {
    guard let answer, answer < classes else { preconditionFailure("frame-class needs an answer below \(classes), got \(answer ?? -1)") }
    var view = scaling.channel(image), oneHot = [Float](repeating: 0, count: classes)
    if augmenting { jitter.apply(to: &view, using: &random) }
    oneHot[answer] = 1
    return ["view": view, "class": Tensor([classes], oneHot)]
  }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    Objective(classifying: backbone.encoding(of: batch["view"]!, in: scope["backbone"]), batch, target: "class", in: scope)
  }
}
