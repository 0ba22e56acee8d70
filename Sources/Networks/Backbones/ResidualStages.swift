import Graphs

/// The body shared by the basic-block residual networks, with torchvision's parameter names.
///
/// A 7×7 stride-2 stem and a 3×3 stride-2 pooling, then four stages of basic blocks of widths w, 2w, 4w, 8w.
/// Source: He et al., arXiv:1512.03385. Odd image sizes keep every stride-2 step symmetric under mirroring.
struct ResidualStages {
  let blocks: [Int]
  let width: Int

  func callAsFunction(_ image: Value, in scope: Scope) -> [Value] {
    var x = Conv2D(width, kernel: 7, stride: 2)(image, in: scope["conv1"])
    x = BatchNorm(rectifies: true)(x, in: scope["bn1"]).pooled(.maximum, kernel: 3, stride: 2, padding: 1)
    return blocks.enumerated().map { stage, count in
      for block in 0..<count {
        x = basicBlock(
          x, width: width << stage, stride: stage > 0 && block == 0 ? 2 : 1, in: scope["layer\(stage + 1)"]["\(block)"])
      }
      return x
    }
  }

  private func basicBlock(_ x: Value, width: Int, stride: Int, in scope: Scope) -> Value {
    var y = Conv2D(width, stride: stride)(x, in: scope["conv1"])
    y = BatchNorm(rectifies: true)(y, in: scope["bn1"])
    y = BatchNorm()(Conv2D(width)(y, in: scope["conv2"]), in: scope["bn2"])
    guard stride != 1 || x.shape[1] != width else { return y.addedReLU(x) }
    let projected = Conv2D(width, kernel: 1, stride: stride)(x, in: scope["downsample"]["0"])
    return y.addedReLU(BatchNorm()(projected, in: scope["downsample"]["1"]))
  }
}
