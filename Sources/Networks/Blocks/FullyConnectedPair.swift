import Graphs

/// The two fully connected layers fc6 and fc7 on a grid of means of the last stage: the codewords of AlexNet, CNN-F/M/S and VGG.
///
/// The last stage is averaged to `grid`×`grid` as torchvision does, so that the layers fit any picture; at the size of the paper the
/// average does nothing.
struct FullyConnectedPair {
  static let codewordNames = ["pooled", "fc6", "fc7"]

  /// Paths of the two layers.
  let names: (String, String)
  let hidden: Int
  let dropout: Double
  let grid: Int
  /// torchvision's AlexNet drops the inputs of both layers, all others their outputs.
  var dropsInputs = false

  func callAsFunction(_ stages: [Value], in scope: Scope) -> Encoding {
    func dropped(_ x: Value, _ drops: Bool, _ name: String) -> Value { drops ? Dropout(dropout)(x, in: scope[name]) : x }
    let last = stages.last!, fits = last.shape[2] == grid && last.shape[3] == grid
    let map = (fits ? last : last.adaptiveAverage(to: [grid, grid])).flattened()
    let first = Linear(hidden)(dropped(map, dropsInputs, names.0), in: scope[names.0]).relu()
    let fc6 = dropped(first, !dropsInputs, names.0)
    let second = Linear(hidden)(dropped(fc6, dropsInputs, names.1), in: scope[names.1]).relu()
    let fc7 = dropped(second, !dropsInputs, names.1)
    return Encoding(stages: stages, codewords: [("pooled", last.globalAverage()), ("fc6", fc6), ("fc7", fc7)])
  }
}
