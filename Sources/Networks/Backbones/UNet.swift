import Graphs

/// U-Net on a residual encoder: a class for every pixel. Parameter names as in segmentation_models_pytorch's `Unet`.
///
/// The decoder enlarges the deepest map five times to the size of the encoder's map before it (each pixel becomes four; where a size
/// is odd, the nearest is taken), joins the two, and convolves twice. As a backbone for tasks about whole pictures it is its encoder alone: stages and codeword are
/// those of the residual network, and the decoder has no parameters then; `prediction` adds decoder and segmentation head.
/// Source: Ronneberger et al., arXiv:1505.04597; the residual encoder as in segmentation_models_pytorch.
public struct UNet: Backbone {
  public static let name = "unet"
  public var inputs = 1
  public var encoder = ResidualNetwork.resnet18
  /// Channels of the encoder's first stage.
  public var width = 64
  /// Channels of the last decoder block; the ones before have 2, 4, 8 and 16 times as many. 16 in segmentation_models_pytorch.
  public var decoderWidth = 16

  public init() {}

  public var classifierName: String { "segmentation_head.0" }
  /// For tasks about whole pictures.
  public var omittedParts: [String] { ["decoder."] }
  /// segmentation_models_pytorch admits multiples of 32 alone.
  public var admittedSides: AdmittedSides { AdmittedSides(from: 32) }

  public func validate() throws(SettingError) {
    try SettingError.require(inputs, in: 1...64, "inputs")
    try SettingError.require(width, in: 1...1024, "width")
    try SettingError.require(decoderWidth, in: 1...256, "decoderWidth")
  }

  private var layers: ResidualStages { encoder.stages(width: width, dropPath: 0) }

  public func encode(_ image: Value, in scope: Scope) -> Encoding { Encoding(stages: layers(image, in: scope["encoder"])) }

  /// Logits `[N,classes,H,W]`, a row a pixel.
  public func predict(_ image: Value, classes: Int, in scope: Scope) -> Prediction { predict(image, classes: classes, in: scope, decoderIn: scope) }

  /// One value a pixel, `[N,1,H,W] -> [N,1,H,W]`, with the numbers of decoder and segmentation head in another place than the encoder's.
  public func prediction(of image: Value, in encoder: Scope, decoderIn scope: Scope) -> Value {
    let seen = image.shape[1] == inputs ? image : image.concatenated(with: Array(repeating: image, count: inputs - 1), axis: 1)
    return predict(seen, classes: 1, in: encoder, decoderIn: scope).logits
  }

  /// The same with the numbers of decoder and segmentation head in another place: for tasks that keep the encoder alone.
  private func predict(_ image: Value, classes: Int, in encoder: Scope, decoderIn scope: Scope) -> Prediction {
    let stem = layers.stem(image, in: encoder["encoder"]), stages = layers.stages(after: stem, in: encoder["encoder"])
    let skips: [Value?] = [stages[2], stages[1], stages[0], stem, nil]
    var x = stages[3]
    for (index, skip) in skips.enumerated() {
      let block = scope["decoder.blocks.\(index)"], channels = decoderWidth << (4 - index)
      let goal = (skip ?? image).shape
      x = x.resized(to: [goal[2], goal[3]], by: .nearest)
      if let skip { x = x.concatenated(with: [skip], axis: 1) }
      for name in ["conv1", "conv2"] {
        x = BatchNorm(rectifies: true)(Conv2D(channels)(x, in: block[name]["0"]), in: block[name]["1"])
      }
    }
    return Prediction(
      logits: Conv2D(classes, bias: true)(x, in: scope[classifierName]), encoding: Encoding(stages: stages))
  }
}
