import Engine
import Graphs
import Networks
import Tensors

/// Runs a frozen trunk over pictures and keeps what each stage and each codeword says.
///
/// The features of a stage are its channels' means over the whole map and over its quarters, `[N,C,H,W] -> [N,5C]`; a map too
/// small to divide, or with so many channels that 5C would pass `widest`, gives the means over the whole map alone, `[N,C]`:
/// few labelled frames do not support more. Codewords beside the mean of the last stage (`fc6`, `fc7`) are given as they are.
/// Belongs to one thread.
public final class Features {
  public let trunk: Trunk
  /// The most features of a stage that quarters may lead to.
  public static let widest = 1024

  /// `stage 1`, shallow, to the last; then `fc6`, `fc7` where the trunk has them.
  public let stages: [String]
  private let plan: FrozenPlan
  private let batch: Int

  public init(_ trunk: Trunk, batch: Int = 32, precision: Precision = .float32) throws(EngineError) {
    self.trunk = trunk
    self.batch = batch
    let builder = GraphBuilder(), scope = Scope(builder, mode: .inference)
    let image = builder.input("image", [batch, 1, trunk.side, trunk.side])
    let encoding = trunk.backbone.encoding(of: image, in: scope["backbone"]), maps = encoding.stages
    var outputs: [String: Value] = [:]
    for (index, map) in maps.enumerated() {
      outputs["stage \(index + 1)"] = map.globalAverage()
      let side = min(map.shape[2], map.shape[3]) / 2
      if side >= 1, 5 * map.shape[1] <= Features.widest {
        outputs["stage \(index + 1), quarters"] = map.pooled(.average, kernel: (max(map.shape[2], map.shape[3]) + 1) / 2, stride: side).flattened()
      }
    }
    // The mean of the last stage is there already.
    let codewords = encoding.codewords.filter { $0.name != "pooled" }
    for codeword in codewords { outputs[codeword.name] = codeword.value }
    stages = maps.indices.map { "stage \($0 + 1)" } + codewords.map(\.name)
    plan = try FrozenPlan(
      Program(inputs: ["image": image], parameters: scope.parameters, outputs: outputs), trunk.weights, precision: precision)
  }

  /// Per stage `[N,D]`. Pictures must have the trunk's size.
  public func callAsFunction(_ images: [MaskedImage]) throws(EngineError) -> [String: Tensor<Float>] {
    var rows: [String: [Float]] = [:]
    for start in stride(from: 0, to: images.count, by: batch) {
      let count = min(batch, images.count - start)
      let channels = (0..<batch).map { trunk.scaling.channel(images[start + min($0, count - 1)]) }
      let outputs = try plan.evaluate(["image": Tensor.stacked(channels)])
      for stage in stages {
        let parts = [outputs[stage], outputs["\(stage), quarters"]].compactMap { $0 }
        for row in 0..<count {
          for part in parts { rows[stage, default: []] += part.elements[row * part.shape[1]..<(row + 1) * part.shape[1]] }
        }
      }
    }
    return rows.mapValues { Tensor([images.count, $0.count / images.count], $0) }
  }
}
