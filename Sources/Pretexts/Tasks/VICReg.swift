import Graphs
import Networks
import Tensors

/// Views of one picture get one code, whose numbers vary and do not repeat each other. Source: Bardes, Ponce and LeCun, "VICReg:
/// variance-invariance-covariance regularization for self-supervised learning", ICLR 2022. No negatives, and no stopped gradient.
///
/// `loss = λ·mean (z − z')² + μ·(v(z) + v(z')) + ν·(c(z) + c(z'))`, with `v` the mean over numbers of `max(0, 1 − √(variance + 1e-4))` and
/// `c` the sum of squared covariances off the diagonal over D.
public struct VICReg: ViewPairTask {
  public static let name = "vicreg"
  public var pair = ViewPair()
  /// λ, μ and ν.
  public var invariance = 25.0
  public var variance = 25.0
  public var covariance = 1.0
  /// Widths of the three layers that expand the codeword.
  public var hidden = 256
  public var outputs = 256

  public init() {}

  public func validate() throws(SettingError) {
    try pair.validate()
    for (key, weight) in [("invariance", invariance), ("variance", variance), ("covariance", covariance)] {
      try SettingError.require(weight >= 0 && weight.isFinite, key, "0 or more", weight)
    }
    try SettingError.require((1...8192).contains(hidden), "hidden", "1 to 8192", hidden)
    try SettingError.require((2...8192).contains(outputs), "outputs", "2 to 8192", outputs)
  }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    let codewords = ViewPair.codewords(batch, backbone: backbone, in: scope), count = codewords.shape[0] / 2
    let codes = ProjectionHead(hidden: hidden, outputs: outputs, layers: 3)(codewords, in: scope["head"])
    let first = codes.rows(0..<count), second = codes.rows(count..<2 * count), difference = first - second
    let spread = first.spreadAndCovariance(), other = second.spreadAndCovariance()
    let loss = (difference * difference).mean().scaled(by: invariance) + (spread.missing + other.missing).scaled(by: variance)
      + (spread.covariance + other.covariance).scaled(by: covariance)
    return objective(loss: loss, codes: codes)
  }
}

extension Value {
  /// Of rows `[N,D]`: how much spread below 1 the numbers lack on average, and the squared covariances off the diagonal over D.
  /// Variances divide by N − 1.
  package func spreadAndCovariance() -> (missing: Value, covariance: Value) {
    let (count, width) = (shape[0], shape[1]), n = Double(count)
    // Less the column means: (I − 1/N)·x.
    let centring = Tensor([count, count], (0..<count * count).map { ($0 / count == $0 % count ? 1 : 0) - 1 / n })
    let centred = constant(centring).times(self)
    let covariances = centred.times(centred, transposingLeft: true).scaled(by: 1 / max(1, n - 1))
    let diagonal = Tensor([width, width], (0..<width * width).map { $0 / width == $0 % width ? 1.0 : 0 })
    let variances = (covariances * constant(diagonal)).times(constant(1, [width, 1]))
    let missing = (constant(1, [width, 1]) - (variances + constant(1e-4, [width, 1])).squareRoot()).relu().mean()
    let off = covariances * constant(diagonal.map { 1 - $0 })
    return (missing, (off * off).sum().scaled(by: 1 / Double(width)))
  }
}
