import Graphs
import Networks
import Tensors

/// Codewords to the space in which views are compared: linear layers with batch normalisation and rectifiers between them,
/// `[N,D] -> [N,outputs]`. Chen et al., ICML 2020; Chen and He, CVPR 2021.
struct ProjectionHead {
  let hidden: Int
  let outputs: Int
  /// Linear layers.
  var layers = 2
  /// Whether the last layer is normalised, too (without a rectifier).
  var normalizesLast = false

  func callAsFunction(_ x: Value, in scope: Scope) -> Value {
    (0..<layers).reduce(x) { x, layer in
      let isLast = layer == layers - 1, width = isLast ? outputs : hidden, own = scope["\(layer)"]
      let isNormalized = !isLast || normalizesLast
      let y = Linear(width, bias: !isNormalized)(x, in: own)
      guard isNormalized else { return y }
      let maps = y.reshaped(to: [y.shape[0], width, 1, 1])
      return BatchNorm(rectifies: !isLast)(maps, in: own["norm"]).reshaped(to: y.shape)
    }
  }
}
