import Graphs
import Tensors

/// `[N,C,H,W] -> [N,channels,H',W']`; `weight [channels,C/groups,kernel,kernel]`, and `bias [channels]` where asked.
///
/// With as many groups as channels it is depthwise. Fresh weights as in torchvision: fan-out `channels·kernel²`, groups or not.
public struct Conv2D: Layer {
  public var channels: Int
  public var kernel: Int
  public var stride: Int
  public var padding: Int
  public var groups: Int
  public var hasBias: Bool

  public init(
    _ channels: Int, kernel: Int = 3, stride: Int = 1, padding: Int? = nil, groups: Int = 1, bias: Bool = false
  ) {
    self.channels = channels
    self.kernel = kernel
    self.stride = stride
    self.padding = padding ?? kernel / 2
    self.groups = groups
    hasBias = bias
  }

  public func callAsFunction(_ x: Value, in scope: Scope) -> Value {
    precondition(x.shape[1] % groups == 0, "\(scope.path): \(x.shape[1]) channels do not fall into \(groups) groups")
    let depth = x.shape[1] / groups
    let weight = scope.parameter("weight", [channels, depth, kernel, kernel], .heNormal(fan: channels * kernel * kernel))
    let y = x.convolved(with: weight, stride: stride, padding: padding, groups: groups)
    guard hasBias else { return y }
    return y.addingBias(scope.parameter("bias", [channels], .uniform(fan: depth * kernel * kernel)))
  }
}

/// `[N,C,H,W] -> [N,channels,H',W']`, `H' = (H − 1)·stride − 2·padding + kernel`; `weight [C,channels,kernel,kernel]` and
/// `bias [channels]`. Names, layout and fresh weights as PyTorch's `ConvTranspose2d`, which takes `channels·kernel²` for the fan-in.
public struct ConvTranspose2D: Layer {
  public var channels: Int
  public var kernel: Int
  public var stride: Int
  public var padding: Int
  public var hasBias: Bool

  public init(_ channels: Int, kernel: Int = 2, stride: Int = 2, padding: Int = 0, bias: Bool = true) {
    self.channels = channels
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    hasBias = bias
  }

  public func callAsFunction(_ x: Value, in scope: Scope) -> Value {
    let fan = channels * kernel * kernel
    let weight = scope.parameter("weight", [x.shape[1], channels, kernel, kernel], .uniform(fan: fan))
    let y = x.convolvedTransposed(with: weight, stride: stride, padding: padding)
    return hasBias ? y.addingBias(scope.parameter("bias", [channels], .uniform(fan: fan))) : y
  }
}
