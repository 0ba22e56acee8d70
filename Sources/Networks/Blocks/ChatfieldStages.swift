import Graphs

/// The five convolutions of CNN-F, CNN-M and CNN-S, named `conv1` to `conv5` as in the authors' Caffe models.
///
/// Rectifier, then local response normalisation (5 channels, k = 2, α = 10⁻⁴ per channel, β = 0.75) where the table says LRN, then
/// a maximum that rounds up as Caffe's does. The table gives the factor of each pooling only; its windows are those of the
/// authors' models. Source: Chatfield et al., arXiv:1405.3531, table 1.
struct ChatfieldStages {
  struct Layer {
    let convolution: Conv2D
    var normalizes = false
    /// Side and step of the maximum that follows.
    var pooling: (kernel: Int, stride: Int)?
  }

  let layers: [Layer]

  func callAsFunction(_ image: Value, in scope: Scope) -> [Value] {
    var x = image
    return layers.enumerated().map { index, layer in
      x = layer.convolution(x, in: scope["conv\(index + 1)"]).relu()
      if layer.normalizes { x = x.normalizedAcrossChannels(size: 5, alpha: 5e-4, beta: 0.75, k: 2) }
      if let pooling = layer.pooling { x = x.pooled(.maximum, kernel: pooling.kernel, stride: pooling.stride, roundsUp: true) }
      return x
    }
  }
}
