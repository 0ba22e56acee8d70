import Graphs

/// The convolutions of the VGG networks: five stages of 3×3 convolutions with bias, each ending in a 2×2 maximum.
///
/// Parameters are numbered as in torchvision's `nn.Sequential`, where rectifiers, normalisations and poolings count.
struct VGGStages {
  /// Convolutions in each stage.
  let convolutions: [Int]
  let width: Int
  let batchNorm: Bool

  /// `[N,C,H,W]` to `[N,w,H/2,W/2]`, …, `[N,8w,H/32,W/32]`, after pooling.
  func callAsFunction(_ image: Value, in scope: Scope) -> [Value] {
    var x = image, index = 0
    return convolutions.enumerated().map { stage, count in
      for _ in 0..<count {
        x = Conv2D(width * min(8, 1 << stage), bias: true)(x, in: scope["\(index)"])
        x = batchNorm ? BatchNorm(rectifies: true)(x, in: scope["\(index + 1)"]) : x.relu()
        index += batchNorm ? 3 : 2
      }
      x = x.pooled(.maximum, kernel: 2, stride: 2)
      index += 1
      return x
    }
  }
}
