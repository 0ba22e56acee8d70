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

  public func makeExample(from shot: Shot, in context: ExampleContext, using random: inout Philox, into batch: inout ExampleBatch, at place: Int) {
    context.write(shot.image, of: shot, panels: shot.panels, jitter, to: &batch, "view", place, using: &random)
    guard let answer = shot.answer else { preconditionFailure("frame-class needs an answer") }
    batch.writeOneHot("class", place, answer: answer)
  }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    Objective(classifying: backbone.encoding(of: batch["view"]!, in: scope["backbone"]), batch, target: "class", in: scope)
  }
}
