import Tensors

/// Gradient-weighted class activation maps, with their sign: of a yes-or-no question both answers have evidence, and a
/// rectified map of the wrong one vanishes.
public enum GradCAM {
  /// How a channel's gradient weighs its map.
  public enum Weighting: String, Codable, Sendable, CaseIterable {
    /// By its mean over the map. Source: Selvaraju et al., ICCV 2017.
    case mean
    /// Place by place, so that evidence which depends on where a feature lies keeps its sign there.
    /// Source: HiResCAM, Draelos and Carin, arXiv:2011.08891.
    case local
  }

  /// `[C,H,W]` maps and gradient -> `[H,W]`.
  public static func map(_ maps: Tensor<Float>, gradient: Tensor<Float>, weighting: Weighting) -> Tensor<Float> {
    switch weighting {
    case .mean: map(maps, gradient: gradient)
    case .local: product(maps, gradient: gradient)
    }
  }

  /// `Σ_c ∂logit/∂A_c · A_c` at each place.
  static func product(_ maps: Tensor<Float>, gradient: Tensor<Float>) -> Tensor<Float> {
    precondition(maps.shape == gradient.shape && maps.shape.rank == 3, "maps \(maps.shape), gradient \(gradient.shape)")
    let plane = maps.shape[1] * maps.shape[2]
    var sum = [Float](repeating: 0, count: plane)
    for i in maps.elements.indices { sum[i % plane] += maps.elements[i] * gradient.elements[i] }
    return Tensor([maps.shape[1], maps.shape[2]], sum)
  }

  /// `Σ_c α_c A_c` with `α_c = mean over the map of ∂logit/∂A_c`: maps and gradient `[C,H,W] -> [H,W]`.
  static func map(_ maps: Tensor<Float>, gradient: Tensor<Float>) -> Tensor<Float> {
    precondition(maps.shape == gradient.shape && maps.shape.rank == 3, "maps \(maps.shape), gradient \(gradient.shape)")
    let plane = maps.shape[1] * maps.shape[2]
    var sum = [Float](repeating: 0, count: plane)
    for channel in 0..<maps.shape[0] {
      let range = channel * plane..<(channel + 1) * plane
      let weight = gradient.elements[range].reduce(0, +) / Float(plane)
      for (i, j) in zip(range, 0..<plane) { sum[j] += weight * maps.elements[i] }
    }
    return Tensor([maps.shape[1], maps.shape[2]], sum)
  }

  /// The map on a `side`×`side` picture, bilinear between the centres of its cells: commutes with mirroring.
  public static func enlarged(_ map: Tensor<Float>, to side: Int) -> Tensor<Float> {
    let rows = map.shape[0], columns = map.shape[1]
    func places(_ count: Int) -> [(Int, Int, Float)] {
      (0..<side).map { i in
        let x = min(max((Double(i) + 0.5) * Double(count) / Double(side) - 0.5, 0), Double(count - 1)), low = Int(x)
        return (low, min(low + 1, count - 1), Float(x - Double(low)))
      }
    }
    let down = places(rows), across = places(columns)
    var elements: [Float] = []
    elements.reserveCapacity(side * side)
    for (r0, r1, fr) in down {
      for (c0, c1, fc) in across {
        let top = map.elements[r0 * columns + c0] * (1 - fc) + map.elements[r0 * columns + c1] * fc
        let bottom = map.elements[r1 * columns + c0] * (1 - fc) + map.elements[r1 * columns + c1] * fc
        elements.append(top * (1 - fr) + bottom * fr)
      }
    }
    return Tensor([side, side], elements)
  }

  /// Row and column of the strongest evidence of either sign.
  public static func peak(_ map: Tensor<Float>) -> (row: Int, column: Int) {
    let i = map.elements.indices.max { abs(map.elements[$0]) < abs(map.elements[$1]) }!
    return (i / map.shape[1], i % map.shape[1])
  }
}
