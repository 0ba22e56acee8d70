import Tensors

/// The largest or the mean value of each window of `[N,C,H,W]`. Padding never wins and never counts.
public struct Pooling: Operation {
  public enum Kind: String, Codable, Sendable { case maximum, average }
  package let kind: Kind
  package let kernel: Int
  package let stride: Int
  package let padding: Int

  public init(_ kind: Kind, kernel: Int, stride: Int, padding: Int = 0) {
    precondition(kernel > 0 && stride > 0 && padding >= 0 && padding < kernel, "pooling \(kernel)/\(stride)/\(padding)")
    self.kind = kind
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
  }

  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 1, for: "Pooling")
    guard s[0].rank == 4 else { throw ShapeError("Pooling takes [N,C,H,W], got \(s[0])") }
    let spanned = (0..<2).map { s[0][2 + $0] + 2 * padding - kernel }
    guard spanned.allSatisfy({ $0 >= 0 }) else { throw ShapeError("window \(kernel) is larger than image \(s[0])") }
    return [[s[0][0], s[0][1], spanned[0] / stride + 1, spanned[1] / stride + 1]]
  }

  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let i = x[0].shape
    let shape: Shape = [
      i[0], i[1], (i[2] + 2 * padding - kernel) / stride + 1, (i[3] + 2 * padding - kernel) / stride + 1,
    ]
    var y = [Double](repeating: 0, count: shape.count)
    forEachWindow(image: i, output: shape) { window, output in
      y[output] = kind == .maximum
        ? window.map { x[0].elements[$0] }.max()! : window.reduce(0) { $0 + x[0].elements[$1] } / Double(window.count)
    }
    return [Tensor(shape, y)]
  }

  public func gradients(_ n: GradientContext) -> [Value?] {
    [n.outputGradients[0].map { $0.builder.append(PoolingGradient(forward: self), [n.inputs[0], n.outputs[0], $0])[0] }]
  }

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
        for i in window { dx.elements[i] += x[2].elements[output] / Double(window.count) }
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
  public func pooled(_ kind: Pooling.Kind, kernel: Int, stride: Int, padding: Int = 0) -> Value {
    builder.append(Pooling(kind, kernel: kernel, stride: stride, padding: padding), [self])[0]
  }
  public func globalAverage() -> Value { builder.append(GlobalAverage(), [self])[0] }
}
