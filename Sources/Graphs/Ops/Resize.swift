import Tensors

/// Another size of a picture: `[N,C,H,W] -> [N,C,h,w]`. The centre of output pixel i lies at `(i + ½)·H/h − ½` of the input.
///
/// Nearest takes the pixel under that point; bilinear weighs the two neighbours of each axis, and the border continues outside.
/// PyTorch's `interpolate` with `nearest-exact` (equal to `nearest` for whole factors) and with `bilinear`, `align_corners=False`.
public struct Resize: Operation {
  public enum Sampling: String, Codable, Sendable { case nearest, bilinear }
  package let size: [Int]
  package let sampling: Sampling

  public init(to size: [Int], _ sampling: Sampling) {
    precondition(size.count == 2 && size.allSatisfy { $0 > 0 }, "a picture of size \(size)")
    self.size = size
    self.sampling = sampling
  }

  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    guard s.count == 1, s[0].rank == 4 else { throw ShapeError("Resize takes [N,C,H,W], got \(s)") }
    return [[s[0][0], s[0][1], size[0], size[1]]]
  }

  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let shape: Shape = [x[0].shape[0], x[0].shape[1], size[0], size[1]]
    var y = [Double](repeating: 0, count: shape.count)
    forEachTap(image: x[0].shape, output: shape) { y[$1] += $2 * x[0].elements[$0] }
    return [Tensor(shape, y)]
  }

  public func gradients(_ n: GradientContext) -> [Value?] {
    [n.outputGradients[0]?.appended(ResizeGradient(forward: self, shape: n.inputs[0].shape), [n.inputs[0]])[0]]
  }

  /// The input pixels, with weights, that output pixel `i` of an axis is made of.
  package func taps(_ i: Int, from: Int, to: Int) -> [(index: Int, weight: Double)] {
    switch sampling {
    case .nearest:
      return [((2 * i + 1) * from / (2 * to), 1)]
    case .bilinear:
      let place = max(0, (Double(i) + 0.5) * Double(from) / Double(to) - 0.5)
      let lower = min(Int(place), from - 1), weight = place - Double(lower)
      return [(lower, 1 - weight), (min(lower + 1, from - 1), weight)]
    }
  }

  /// Visits (image index, output index, weight).
  func forEachTap(image i: Shape, output o: Shape, _ body: (Int, Int, Double) -> Void) {
    let rows = (0..<o[2]).map { taps($0, from: i[2], to: o[2]) }, columns = (0..<o[3]).map { taps($0, from: i[3], to: o[3]) }
    for plane in 0..<o[0] * o[1] {
      for y in 0..<o[2] {
        for x in 0..<o[3] {
          for row in rows[y] {
            for column in columns[x] {
              body(
                (plane * i[2] + row.index) * i[3] + column.index, (plane * o[2] + y) * o[3] + x, row.weight * column.weight)
            }
          }
        }
      }
    }
  }
}

/// ∂loss/∂image of a resizing; inputs ∂loss/∂output and the image, which only names the layout to write.
public struct ResizeGradient: Operation {
  package let forward: Resize
  package let shape: Shape
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 2, for: "ResizeGradient")
    return [shape]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    var dx = [Double](repeating: 0, count: shape.count)
    forward.forEachTap(image: shape, output: x[0].shape) { dx[$0] += $2 * x[0].elements[$1] }
    return [Tensor(shape, dx)]
  }
  public func gradients(_: GradientContext) -> [Value?] { secondOrder("ResizeGradient") }
}

extension Value {
  /// This picture in height × width `size`.
  public func resized(to size: [Int], by sampling: Resize.Sampling) -> Value { builder.append(Resize(to: size, sampling), [self])[0] }
}
