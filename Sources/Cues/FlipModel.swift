import Engine
import Evaluation
import Graphs
import Host
import Networks
import Pretexts
import Tensors
import Training

/// A trained flip detector, frozen, ready to be asked about pictures. Belongs to one thread.
public final class FlipModel {
  public let flip: Flip
  public let checkpoint: Checkpoint
  private let plan: Plan
  private let batch: Int
  private let weighting: GradCAM.Weighting

  /// - Parameter stage: the stage whose maps are attributed, from 1; the one before the last where left out, since the last
  ///   is coarse.
  /// Throws when the checkpoint is not of a flip task.
  public init(_ checkpoint: Checkpoint, path: String, stage: Int? = nil, weighting: GradCAM.Weighting = .local, batch: Int = 16) throws {
    let recipe = checkpoint.description.recipe
    guard let flip = try recipe.task.task(path: path) as? Flip else {
      throw InputError(path: path, place: "recipe.task.name", expected: Flip.name, found: recipe.task.name)
    }
    guard flip.tiles == 1 else {
      // Maps are too coarse to be mirrored tile by tile.
      throw InputError(path: path, place: "recipe.task.settings.tiles", expected: "1, to say where evidence lies", found: "\(flip.tiles)")
    }
    let backbone = try recipe.backbone.backbone(path: path), side = checkpoint.description.side
    let builder = GraphBuilder(), scope = Scope(builder, mode: .inference)
    let view = builder.input("view", [batch, 1, side, side])
    let (logits, stages) = flip.judged(view, backbone: backbone, in: scope)
    let chosen = stage ?? max(1, stages.count - 1)
    guard (1...stages.count).contains(chosen) else {
      throw InputError(path: path, place: "stage", expected: "1 to \(stages.count)", found: "\(chosen)")
    }
    let map = stages[chosen - 1]
    let gradient = gradients(of: logits.sum(), withRespectTo: [map])[0]
    self.flip = flip
    self.weighting = weighting
    self.checkpoint = checkpoint
    self.batch = batch
    plan = try Plan(
      Program(inputs: ["view": view], parameters: scope.parameters, outputs: ["logits": logits, "map": map, "gradient": gradient]),
      precision: .float32)
  }

  public var side: Int { checkpoint.description.side }
  public var scaling: InputScaling { checkpoint.description.scaling }

  /// What the network says of a picture as it is: the logit of "mirrored" and where that came from.
  public struct Judgement: Sendable {
    public let logit: Float
    /// Signed Grad-CAM on the map's grid, in the picture's own orientation: positive speaks for "mirrored".
    public let attribution: Tensor<Float>
  }

  /// Judges pictures in the orientation given.
  public func judge(_ images: [MaskedImage]) throws(EngineError) -> [Judgement] {
    var judgements: [Judgement] = []
    for start in stride(from: 0, to: images.count, by: batch) {
      let count = min(batch, images.count - start)
      let views = (0..<batch).map { flip.view(images[start + min($0, count - 1)], scaling) }
      let outputs = try plan.evaluate(["view": Tensor.stacked(views)], checkpoint.weights)
      let maps = outputs["map"]!, slopes = outputs["gradient"]!
      for row in 0..<count {
        var attribution = GradCAM.map(maps[first: row], gradient: slopes[first: row], weighting: weighting)
        if flip.antisymmetric {
          // The mirror image's evidence, brought back to this orientation.
          let twin = GradCAM.map(maps[first: batch + row], gradient: slopes[first: batch + row], weighting: weighting)
          let back = flip.mirrored(twin)
          for i in attribution.elements.indices { attribution.elements[i] += back.elements[i] }
        }
        judgements.append(Judgement(logit: outputs["logits"]!.elements[row], attribution: attribution))
      }
    }
    return judgements
  }

  /// The share of right answers over pictures in both orientations; an undecided logit of 0 counts half.
  ///
  /// The standard error is the larger of the binomial one over pictures and that of runs that err together, where there are several.
  public func accuracy(_ images: [MaskedImage], runs: [Int], metric: String = "flip accuracy") throws(EngineError) -> Score {
    precondition(images.count == runs.count && !images.isEmpty, "\(images.count) pictures of \(runs.count) runs")
    func share(_ logit: Float, mirrored: Bool) -> Double { logit == 0 ? 0.5 : (logit > 0) == mirrored ? 1 : 0 }
    let recorded = try judge(images), mirrored = try judge(images.map { flip.mirrored($0) })
    let right = zip(recorded, mirrored).map { (share($0.logit, mirrored: false) + share($1.logit, mirrored: true)) / 2 }
    var sheet = AnswerSheet(classes: 2)
    for (index, credit) in right.enumerated() { sheet.append(credit, picture: index, run: runs[index]) }
    let n = Double(images.count), value = Statistics.mean(right)
    // With nothing or everything right the binomial error is taken at half a picture from the end.
    let p = min(max(value, 0.5 / n), 1 - 0.5 / n)
    return Score(
      metric: metric, value: value, standardError: max((p * (1 - p) / n).squareRoot(), sheet.clusteredError), count: images.count, chance: 0.5)
  }
}
