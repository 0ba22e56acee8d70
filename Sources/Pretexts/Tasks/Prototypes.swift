import Graphs
import Networks
import Tensors

/// Pictures are clustered while the network learns the clusters: the question of DeepCluster, asked online.
///
/// Codes of length 1 are compared with K prototypes. The clusters that one view belongs to, all used alike over the batch
/// (`BalancedAssignment`), are the targets for the other view, and the other way round; no gradient flows through targets.
/// Source: Caron et al., "Deep clustering for unsupervised learning of visual features", ECCV 2018, and in this online form "Unsupervised
/// learning of visual features by contrasting cluster assignments", NeurIPS 2020. Why online: Docs/Decisions/027.
public struct Prototypes: ViewPairTask {
  public static let name = "prototypes"
  public var pair = ViewPair()
  public var clusters = 64
  public var temperature = 0.1
  /// How soft targets are; smaller is harder.
  public var epsilon = 0.05
  /// Widths of the projection head.
  public var hidden = 256
  public var outputs = 64

  public init() {}

  public func validate() throws(SettingError) {
    try pair.validate()
    try SettingError.require((2...8192).contains(clusters), "clusters", "2 to 8192", clusters)
    try SettingError.require(temperature > 0 && temperature.isFinite, "temperature", "above 0", temperature)
    try SettingError.require(epsilon > 0 && epsilon.isFinite, "epsilon", "above 0", epsilon)
    try SettingError.require((1...8192).contains(hidden), "hidden", "1 to 8192", hidden)
    try SettingError.require((2...8192).contains(outputs), "outputs", "2 to 8192", outputs)
  }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    let codewords = ViewPair.codewords(batch, backbone: backbone, in: scope), count = codewords.shape[0] / 2
    let codes = ProjectionHead(hidden: hidden, outputs: outputs)(codewords, in: scope["head"]["project"]).normalizedRows()
    let prototypes = scope["head"].parameter("prototypes", [clusters, outputs], .uniform(fan: outputs)).normalizedRows()
    let scores = codes.times(prototypes, transposingRight: true)
    let halves = [scores.rows(0..<count), scores.rows(count..<2 * count)]
    let targets = halves.map { $0.balancedAssignment(epsilon: epsilon) }
    let losses = zip(halves, targets.reversed()).map { $0.scaled(by: 1 / temperature).crossEntropy($1).mean() }
    return objective(loss: (losses[0] + losses[1]).scaled(by: 0.5), codes: codes)
  }
}
