import Tensors

/// `op(A)·op(B)`, where `op` transposes if asked: `[M,K]·[K,N] -> [M,N]`.
public struct MatrixProduct: Operation {
  package let transposesLeft: Bool
  package let transposesRight: Bool

  public init(transposingLeft: Bool = false, transposingRight: Bool = false) {
    transposesLeft = transposingLeft
    transposesRight = transposingRight
  }

  /// Rows, inner extent and columns of the product.
  package func extents(_ a: Shape, _ b: Shape) -> (m: Int, k: Int, n: Int) {
    transposesLeft ? (a[1], a[0], b[transposesRight ? 0 : 1]) : (a[0], a[1], b[transposesRight ? 0 : 1])
  }

  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 2, for: "MatrixProduct")
    guard s[0].rank == 2, s[1].rank == 2, extents(s[0], s[1]).k == s[1][transposesRight ? 1 : 0] else {
      throw ShapeError("cannot multiply \(s[0])\(transposesLeft ? "ᵀ" : "") by \(s[1])\(transposesRight ? "ᵀ" : "")")
    }
    let (m, _, n) = extents(s[0], s[1])
    return [[m, n]]
  }

  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let (m, k, n) = extents(x[0].shape, x[1].shape)
    var y = [Double](repeating: 0, count: m * n)
    for i in 0..<m {
      for j in 0..<n {
        for l in 0..<k {
          y[i * n + j] += x[0].elements[transposesLeft ? l * m + i : i * k + l]
            * x[1].elements[transposesRight ? j * k + l : l * n + j]
        }
      }
    }
    return [Tensor([m, n], y)]
  }

  /// With C = op(A)op(B): dA = dC·op(B)ᵀ and dB = op(A)ᵀ·dC, each transposed back where `op` transposed.
  public func gradients(_ n: GradientContext) -> [Value?] {
    guard let dc = n.outputGradients[0] else { return [nil, nil] }
    let a = n.inputs[0], b = n.inputs[1]
    return [
      transposesLeft
        ? b.times(dc, transposingLeft: transposesRight, transposingRight: true)
        : dc.times(b, transposingRight: !transposesRight),
      transposesRight
        ? dc.times(a, transposingLeft: true, transposingRight: transposesLeft)
        : a.times(dc, transposingLeft: !transposesLeft),
    ]
  }
}

/// `x + b` along axis 1: `[N,C]` or `[N,C,H,W]` with `[C]`.
public struct AddBias: Operation {
  public init() {}
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 2, for: "AddBias")
    guard s[0].rank == 2 || s[0].rank == 4, s[1] == [s[0][1]] else { throw ShapeError("bias \(s[1]) does not fit \(s[0])") }
    return [s[0]]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let plane = x[0].shape.extents.dropFirst(2).reduce(1, *), channels = x[0].shape[1]
    return [Tensor(x[0].shape, x[0].elements.indices.map { x[0].elements[$0] + x[1].elements[$0 / plane % channels] })]
  }
  public func gradients(_ n: GradientContext) -> [Value?] {
    [n.outputGradients[0], n.outputGradients[0].map { $0.builder.append(ChannelSum(), [$0])[0] }]
  }
}

/// The sum over all axes but axis 1: `[N,C]` or `[N,C,H,W] -> [C]`.
public struct ChannelSum: Operation {
  public init() {}
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    guard s.count == 1, s[0].rank == 2 || s[0].rank == 4 else { throw ShapeError("ChannelSum takes [N,C] or [N,C,H,W], got \(s)") }
    return [[s[0][1]]]
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] {
    let plane = x[0].shape.extents.dropFirst(2).reduce(1, *), channels = x[0].shape[1]
    var sum = [Double](repeating: 0, count: channels)
    for i in x[0].elements.indices { sum[i / plane % channels] += x[0].elements[i] }
    return [Tensor([channels], sum)]
  }
  public func gradients(_: GradientContext) -> [Value?] { secondOrder("ChannelSum") }
}

extension Value {
  public func times(_ other: Value, transposingLeft: Bool = false, transposingRight: Bool = false) -> Value {
    builder.append(MatrixProduct(transposingLeft: transposingLeft, transposingRight: transposingRight), [self, other])[0]
  }
  public func addingBias(_ bias: Value) -> Value { builder.append(AddBias(), [self, bias])[0] }
}
