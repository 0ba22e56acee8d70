import Graphs

/// The body shared by the residual networks, with torchvision's parameter names.
///
/// A 7×7 stride-2 stem and a 3×3 stride-2 pooling, then four stages of widths w, 2w, 4w, 8w: of basic blocks (two 3×3
/// convolutions), or of bottlenecks (1×1, 3×3 with the stride, 1×1 to four times the width).
/// Source: He et al., arXiv:1512.03385. Odd image sizes keep every stride-2 step symmetric under mirroring.
struct ResidualStages: Hashable {
  enum Block { case basic, bottleneck }

  let blocks: [Int]
  let width: Int
  var block = Block.basic
  /// Share of examples for which the last block's branch is left out in training; it grows in proportion to depth.
  var dropPath = 0.0

  /// The map after stem and activation, before pooling, `[N,w,H/2,W/2]`.
  func stem(_ image: Value, in scope: Scope) -> Value {
    BatchNorm(rectifies: true)(Conv2D(width, kernel: 7, stride: 2)(image, in: scope["conv1"]), in: scope["bn1"])
  }

  func callAsFunction(_ image: Value, in scope: Scope) -> [Value] { stages(after: stem(image, in: scope), in: scope) }

  /// Four maps, `[N,w·e,H/4,W/4]` to `[N,8w·e,H/32,W/32]`, e being 1 for basic blocks and 4 for bottlenecks.
  func stages(after stem: Value, in scope: Scope) -> [Value] {
    var x = stem.pooled(.maximum, kernel: 3, stride: 2, padding: 1), done = 0
    let total = blocks.reduce(0, +)
    return blocks.enumerated().map { stage, count in
      for index in 0..<count {
        done += 1
        let rate = dropPath * Double(done) / Double(total), place = scope["layer\(stage + 1)"]["\(index)"]
        x = residual(x, width: width << stage, stride: stage > 0 && index == 0 ? 2 : 1, dropPath: rate, in: place)
      }
      return x
    }
  }

  private func residual(_ x: Value, width: Int, stride: Int, dropPath: Double, in scope: Scope) -> Value {
    var y: Value
    switch block {
    case .basic:
      y = BatchNorm(rectifies: true)(Conv2D(width, stride: stride)(x, in: scope["conv1"]), in: scope["bn1"])
      y = BatchNorm()(Conv2D(width)(y, in: scope["conv2"]), in: scope["bn2"])
    case .bottleneck:
      y = BatchNorm(rectifies: true)(Conv2D(width, kernel: 1)(x, in: scope["conv1"]), in: scope["bn1"])
      y = BatchNorm(rectifies: true)(Conv2D(width, stride: stride)(y, in: scope["conv2"]), in: scope["bn2"])
      y = BatchNorm()(Conv2D(4 * width, kernel: 1)(y, in: scope["conv3"]), in: scope["bn3"])
    }
    y = DropPath(dropPath)(y, in: scope)
    guard stride != 1 || x.shape[1] != y.shape[1] else { return y.addedReLU(x) }
    let projected = Conv2D(y.shape[1], kernel: 1, stride: stride)(x, in: scope["downsample"]["0"])
    return y.addedReLU(BatchNorm()(projected, in: scope["downsample"]["1"]))
  }
}

/// The residual networks by name: what U-Net can have for an encoder.
public enum ResidualNetwork: String, Codable, CaseIterable, Sendable {
  case resnet10, resnet18, resnet34, resnet50

  func stages(width: Int, dropPath: Double) -> ResidualStages {
    switch self {
    case .resnet10: ResidualStages(blocks: [1, 1, 1, 1], width: width, dropPath: dropPath)
    case .resnet18: ResidualStages(blocks: [2, 2, 2, 2], width: width, dropPath: dropPath)
    case .resnet34: ResidualStages(blocks: [3, 4, 6, 3], width: width, dropPath: dropPath)
    case .resnet50: ResidualStages(blocks: [3, 4, 6, 3], width: width, block: .bottleneck, dropPath: dropPath)
    }
  }
}
