import Graphs

/// MobileNet v1: 13 pairs of a depthwise 3×3 and a 1×1 convolution; 4.2 M numbers with 1000 classes, a tenth of ResNet-18's work.
/// Parameter names as in timm's `mobilenetv1_100`.
/// Source: Howard et al., arXiv:1704.04861; rectifiers stop at 6 as in timm and in the authors' code.
public struct MobileNetV1: Backbone {
  public static let name = "mobilenetv1_100"
  public var inputs = 1
  /// Channels of the stem; the stages have 2, 4, 8, 16 and 32 times as many. 32 in the paper.
  public var width = 32

  public init() {}

  public var classifierName: String { "classifier" }
  public var admittedSides: AdmittedSides { AdmittedSides(from: 1) }

  public func validate() throws(SettingError) {
    try SettingError.require(inputs, in: 1...64, "inputs")
    try SettingError.require(width, in: 1...1024, "width")
  }

  public func encode(_ image: Value, in scope: Scope) -> Encoding {
    let norm = BatchNorm(rectifies: true, upTo: 6)
    var x = norm(Conv2D(width, stride: 2)(image, in: scope["conv_stem"]), in: scope["bn1"])
    return Encoding(stages: [1, 2, 2, 6, 2].enumerated().map { stage, count in
      for index in 0..<count {
        let block = scope["blocks.\(stage).\(index)"], stride = stage > 0 && index == 0 ? 2 : 1
        x = norm(Conv2D(x.shape[1], stride: stride, groups: x.shape[1])(x, in: block["conv_dw"]), in: block["bn1"])
        x = norm(Conv2D(width << (stage + 1), kernel: 1)(x, in: block["conv_pw"]), in: block["bn2"])
      }
      return x
    })
  }
}
