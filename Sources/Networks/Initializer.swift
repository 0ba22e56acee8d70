import Tensors

/// How fresh numbers of a parameter are drawn.
public enum Initializer: Hashable, Sendable {
  case constant(Float)
  /// N(0, 2/fan). Source: He et al., arXiv:1502.01852; torchvision uses the fan-out for convolutions.
  case heNormal(fan: Int)
  /// U(−1/√fan, 1/√fan), PyTorch's default for linear layers and biases.
  case uniform(fan: Int)

  func values(_ shape: Shape, using random: inout Philox) -> Tensor<Float> {
    switch self {
    case .constant(let value):
      return Tensor(repeating: value, shape)
    case .heNormal(let fan):
      let sigma = (2 / Double(fan)).squareRoot()
      return Tensor(shape, random.normals(shape.count, 0, sigma))
    case .uniform(let fan):
      let bound = 1 / Double(fan).squareRoot()
      return Tensor(shape, (0..<shape.count).map { _ in Float(random.uniform(-bound, bound)) })
    }
  }
}
