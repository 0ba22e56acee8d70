import Foundation
import Graphs
import Networks
import Tensors

/// Which views show the same picture? Source: Chen et al., "A simple framework for contrastive learning of visual representations",
/// ICML 2020. With `pair.frames` it tells pieces of one frame apart: instance discrimination on a single image.
///
/// The loss is NT-Xent: for each of 2N codes of length 1, the cross entropy of finding its partner among the other 2N − 1, by cosines
/// over the temperature τ.
public struct SimCLR: ViewPairTask {
  public static let name = "simclr"
  public var pair = ViewPair()
  public var temperature = 0.2
  /// Widths of the projection head.
  public var hidden = 256
  public var outputs = 64

  public init() {}

  public func validate() throws(SettingError) {
    try pair.validate()
    try SettingError.require(temperature > 0 && temperature.isFinite, "temperature", "above 0", temperature)
    try SettingError.require((1...8192).contains(hidden), "hidden", "1 to 8192", hidden)
    try SettingError.require((2...8192).contains(outputs), "outputs", "2 to 8192", outputs)
  }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    let codewords = ViewPair.codewords(batch, backbone: backbone, in: scope)
    let codes = ProjectionHead(hidden: hidden, outputs: outputs)(codewords, in: scope["head"]).normalizedRows()
    return objective(loss: codes.normalizedTemperatureCrossEntropy(temperature: temperature), codes: codes)
  }
}

extension Value {
  /// NT-Xent of rows `[2N,D]` of length 1, row n and row N + n belonging together; a scalar, nats.
  package func normalizedTemperatureCrossEntropy(temperature: Double) -> Value {
    let rows = shape[0]
    // A code is never its own partner: its own likeness is pushed below all others, which lie within ±1/τ.
    let own = Tensor([rows, rows], (0..<rows * rows).map { $0 / rows == $0 % rows ? -4 / temperature - 50 : 0 })
    let partner = Tensor([rows, rows], (0..<rows * rows).map { ($0 / rows + rows / 2) % rows == $0 % rows ? 1.0 : 0 })
    let likeness = times(self, transposingRight: true).scaled(by: 1 / temperature) + constant(own)
    return likeness.crossEntropy(constant(partner)).mean()
  }
}
