import Tensors

/// Means over a fixed number of windows: `[N,C,H,W] -> [N,C,h,w]`, window i from `⌊i·H/h⌋` to `⌈(i + 1)·H/h⌉`.
///
/// As PyTorch's `AdaptiveAvgPool2d`: what gives AlexNet and VGG their fully connected layers for any image size.
public struct AdaptiveAverage: Operation {
  package let size: [Int]

  public init(to size: [Int]) {
    precondition(size.count == 2 && size.allSatisfy { $0 > 0 }, "a picture of size \(size)")
    self.size = size
  }

  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    guard s.count == 1, s[0].rank == 4 else { throw ShapeError("AdaptiveAverage takes [N,C,H,W], got \(s)") }
    return [[s[0][0], s[0][1], size[0], size[1]]]
  }

  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let shape: Shape = [x[0].shape[0], x[0].shape[1], size[0], size[1]]
    var y = [Double](repeating: 0, count: shape.count)
    forEachTap(image: x[0].shape) { y[$1] += $2 * x[0].elements[$0] }
    return [Tensor(shape, y)]
  }

  public func gradients(_ n: GradientContext) -> [Value?] {
    [n.outputGradients[0]?.appended(AdaptiveAverageGradient(forward: self, shape: n.inputs[0].shape), [n.inputs[0]])[0]]
  }

  /// The pixels of window `i` of an axis of `extent` pixels cut into `count` windows.
  package static func window(_ i: Int, of count: Int, over extent: Int) -> Range<Int> {
    i * extent / count..<((i + 1) * extent + count - 1) / count
  }

  /// Visits (image index, output index, weight).
  func forEachTap(image: Shape, _ body: (Int, Int, Double) -> Void) {
    for plane in 0..<image[0] * image[1] {
      for y in 0..<size[0] {
        for x in 0..<size[1] {
          let rows = AdaptiveAverage.window(y, of: size[0], over: image[2])
          let columns = AdaptiveAverage.window(x, of: size[1], over: image[3])
          for row in rows {
            for column in columns {
              body(
                (plane * image[2] + row) * image[3] + column, (plane * size[0] + y) * size[1] + x,
                1 / Double(rows.count * columns.count))
            }
          }
        }
      }
    }
  }
}

/// ∂loss/∂image of an adaptive average; inputs ∂loss/∂output and the image, which only names the layout to write.
public struct AdaptiveAverageGradient: Operation {
  package let forward: AdaptiveAverage
  package let shape: Shape
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 2, for: "AdaptiveAverageGradient")
    return [shape]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    var dx = [Double](repeating: 0, count: shape.count)
    forward.forEachTap(image: shape) { dx[$0] += $2 * x[0].elements[$1] }
    return [Tensor(shape, dx)]
  }
  public func gradients(_: GradientContext) -> [Value?] { secondOrder("AdaptiveAverageGradient") }
}

extension Value {
  /// Means over `size` windows, height × width, that cover the picture.
  public func adaptiveAverage(to size: [Int]) -> Value { builder.append(AdaptiveAverage(to: size), [self])[0] }
}
