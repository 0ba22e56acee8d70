import Foundation
import Tensors

/// `xᵖ` element by element, for numbers above 0 unless p is a whole number of 0 or more.
public struct Power: Operation {
  package let exponent: Double
  public init(_ exponent: Double) { self.exponent = exponent }
  public func outputShapes(_ s: [Shape]) throws(ShapeError) -> [Shape] {
    try s.require(count: 1, for: "Power")
    return s
  }
  public func reference(_ x: [Tensor<Double>]) -> [Tensor<Double>] { [x[0].map { pow($0, exponent) }] }
  /// `p·xᵖ⁻¹·dy`
  public func gradients(_ n: GradientContext) -> [Value?] {
    [n.outputGradients[0].map { n.inputs[0].power(exponent - 1).scaled(by: exponent) * $0 }]
  }
}

extension Value {
  public func power(_ exponent: Double) -> Value { builder.append(Power(exponent), [self])[0] }
  public func squareRoot() -> Value { power(0.5) }

  /// Rows of length 1: `[N,D]`, each divided by `√(Σ x² + ε)`.
  public func normalizedRows(epsilon: Double = 1e-12) -> Value {
    let width = shape[1]
    let squares = (self * self).times(constant(1, [width, 1])) + constant(epsilon, [shape[0], 1])
    return self * squares.power(-0.5).times(constant(1, [1, width]))
  }
}
