import Graphs
import Networks
import Tensors

/// Either view's code is predicted from the other's, towards which no gradient flows. Source: Chen and He, "Exploring simple Siamese
/// representation learning", CVPR 2021.
///
/// `loss = 1 − ½·cos(p₁, z₂) − ½·cos(p₂, z₁)`, with z from three normalised layers and p by a narrow two-layer predictor.
public struct SimSiam: ViewPairTask {
  public static let name = "simsiam"
  public var pair = ViewPair()
  /// Width of codes, and of the predictor's inner layer.
  public var outputs = 256
  public var bottleneck = 64

  public init() {}

  public func validate() throws(SettingError) {
    try pair.validate()
    try SettingError.require((2...8192).contains(outputs), "outputs", "2 to 8192", outputs)
    try SettingError.require((1...8192).contains(bottleneck), "bottleneck", "1 to 8192", bottleneck)
  }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    let codewords = ViewPair.codewords(batch, backbone: backbone, in: scope), count = codewords.shape[0] / 2
    let codes = ProjectionHead(hidden: outputs, outputs: outputs, layers: 3, normalizesLast: true)(codewords, in: scope["head"]["project"])
    let predicted = ProjectionHead(hidden: bottleneck, outputs: outputs)(codes, in: scope["head"]["predict"]).normalizedRows()
    let goals = codes.normalizedRows().detached()
    // Each prediction with the other view's code.
    let swapped = Value.concatenated([goals.rows(count..<2 * count), goals.rows(0..<count)])
    let likeness = (predicted * swapped).sum().scaled(by: 1 / Double(2 * count))
    return objective(loss: likeness.constant(1, []) - likeness, codes: codes)
  }
}
