import Tensors

/// The largest or the mean value of each window of `[N,C,H,W]`, `H' = ⌊(H + 2·padding − kernel)/stride⌋ + 1`. Padding never wins.
///
/// Rounding up instead of down (PyTorch's `ceil_mode`) lets a last window hang over the border; it must begin inside the image
/// or its left padding. Padding does not count in a mean unless `countsPadding` (PyTorch's `count_include_pad`).
public struct Pooling: Operation {
  public enum Kind: String, Codable, Sendable { case maximum, average }
  package let kind: Kind
  package let kernel: Int
  package let stride: Int
  package let padding: Int
  package let roundsUp: Bool
  package let countsPadding: Bool

  /// Traps when a mean over counted padding rounds up: what an overhanging window counts differs between programs.
  public init(
    _ kind: Kind, kernel: Int, stride: Int, padding: Int = 0, roundsUp: Bool = false, countsPadding: Bool = false
  ) {
    precondition(kernel > 0 && stride > 0 && padding >= 0 && padding < kernel, "pooling \(kernel)/\(stride)/\(padding)")
    precondition(!countsPadding || (kind == .average && !roundsUp), "padding counts in means that round down only")
    self.kind = kind
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    self.roundsUp = roundsUp
    self.countsPadding = countsPadding
  }

  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 1, for: "Pooling")
    guard s[0].rank == 4 else { throw ShapeError("Pooling takes [N,C,H,W], got \(s[0])") }
    let spanned = (0..<2).map { s[0][2 + $0] + 2 * padding - kernel }
    guard spanned.allSatisfy({ $0 >= 0 }) else { throw ShapeError("window \(kernel) is larger than image \(s[0])") }
    return [outputShape(image: s[0])]
  }

  func outputShape(image: Shape) -> Shape {
    func windows(_ extent: Int) -> Int {
      let steps = (extent + 2 * padding - kernel + (roundsUp ? stride - 1 : 0)) / stride
      return roundsUp && steps * stride >= extent + padding ? steps : steps + 1
    }
    return [image[0], image[1], windows(image[2]), windows(image[3])]
  }

  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let shape = outputShape(image: x[0].shape)
    var y = [Double](repeating: 0, count: shape.count)
    forEachWindow(image: x[0].shape, output: shape) { window, output in
      y[output] = kind == .maximum
        ? window.map { x[0].elements[$0] }.max()! : window.reduce(0) { $0 + x[0].elements[$1] } / divisor(window)
    }
    return [Tensor(shape, y)]
  }

  public func gradients(_ n: GradientContext) -> [Value?] {
    [n.outputGradients[0].map { $0.builder.append(PoolingGradient(forward: self), [n.inputs[0], n.outputs[0], $0])[0] }]
  }

  /// What the sum over a window of real pixels is divided by.
  func divisor(_ window: [Int]) -> Double { Double(countsPadding ? kernel * kernel : window.count) }

  /// Visits each window as the indices of its real (unpadded) pixels, with the index of its output.
  func forEachWindow(image i: Shape, output o: Shape, _ body: ([Int], Int) -> Void) {
    for plane in 0..<o[0] * o[1] {
      for y in 0..<o[2] {
        for x in 0..<o[3] {
          var window: [Int] = []
          for iy in max(0, y * stride - padding)..<min(i[2], y * stride - padding + kernel) {
            for ix in max(0, x * stride - padding)..<min(i[3], x * stride - padding + kernel) {
              window.append((plane * i[2] + iy) * i[3] + ix)
            }
          }
          body(window, (plane * o[2] + y) * o[3] + x)
        }
      }
    }
  }
}

/// ∂loss/∂image of a pooling; inputs image, output, ∂loss/∂output. The first of equal maxima takes all.
public struct PoolingGradient: Operation {
  package let forward: Pooling
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 3, for: "PoolingGradient")
    return [s[0]]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    var dx = Tensor<Double>(repeating: 0, x[0].shape)
    forward.forEachWindow(image: x[0].shape, output: x[1].shape) { window, output in
      if forward.kind == .maximum {
        dx.elements[window.first { x[0].elements[$0] == x[1].elements[output] }!] += x[2].elements[output]
      } else {
        for i in window { dx.elements[i] += x[2].elements[output] / forward.divisor(window) }
      }
    }
    return [dx]
  }
  public func gradients(_: GradientContext) -> [Value?] { secondOrder("PoolingGradient") }
}

/// The mean over height and width: `[N,C,H,W] -> [N,C]`.
public struct GlobalAverage: Operation {
  public init() {}
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    guard s.count == 1, s[0].rank == 4 else { throw ShapeError("GlobalAverage takes [N,C,H,W], got \(s)") }
    return [[s[0][0], s[0][1]]]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let s = x[0].shape, plane = s[2] * s[3]
    return [
      Tensor([s[0], s[1]], (0..<s[0] * s[1]).map { p in
        x[0].elements[p * plane..<(p + 1) * plane].reduce(0, +) / Double(plane)
      })
    ]
  }
  public func gradients(_ n: GradientContext) -> [Value?] {
    [n.outputGradients[0].map { $0.builder.append(GlobalAverageGradient(shape: n.inputs[0].shape), [$0, n.inputs[0]])[0] }]
  }
}

/// ∂loss/∂image of a global average; inputs ∂loss/∂output and the image, which only names the layout to write.
public struct GlobalAverageGradient: Operation {
  let shape: Shape
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 2, for: "GlobalAverageGradient")
    return [shape]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let plane = shape[2] * shape[3]
    return [Tensor(shape, (0..<shape.count).map { x[0].elements[$0 / plane] / Double(plane) })]
  }
  public func gradients(_: GradientContext) -> [Value?] { secondOrder("GlobalAverageGradient") }
}

extension Value {
  public func pooled(
    _ kind: Pooling.Kind, kernel: Int, stride: Int, padding: Int = 0, roundsUp: Bool = false, countsPadding: Bool = false
  ) -> Value {
    let operation = Pooling(
      kind, kernel: kernel, stride: stride, padding: padding, roundsUp: roundsUp, countsPadding: countsPadding)
    return builder.append(operation, [self])[0]
  }
  public func globalAverage() -> Value { builder.append(GlobalAverage(), [self])[0] }
}
