import Corpora
import Tensors
import Testing

struct ToneMapTests {
  /// x, and asinh(u), sign(u) sqrt|u|, sign(u) log1p|u| of u = (x - 1)/4, computed with Python's math module.
  @Test(arguments: [
    (-3, -0.881373587019543, -1.0, -0.6931471805599453), (-0.5, -0.36672460423013675, -0.6123724356957945, -0.3184537311185346),
    (0, -0.24746646154726346, -0.5, -0.22314355131420976), (100, 3.902380541576353, 4.9749371855331, 3.248434627109745),
  ] as [(Float, Double, Double, Double)])
  func curvesHaveTheirAnalyticValues(x: Float, asinh: Double, sqrt: Double, log: Double) {
    for (curve, expected) in [(ToneMap.Curve.asinh, asinh), (.sqrt, sqrt), (.log, log), (.linear, (Double(x) - 1) / 4)] {
      #expect(abs(Double(ToneMap(curve, scale: 4, offset: 1).mapped(x)) - expected) < 1e-6 * max(1, abs(expected)))
    }
  }

  @Test(arguments: ToneMap.Curve.allCases)
  func signalIsRecovered(curve: ToneMap.Curve) {
    let map = ToneMap(curve, scale: 3, offset: -2)
    var last = -Float.infinity
    for x in stride(from: Float(-50), through: 4000, by: 7.3) {
      let value = map.mapped(x)
      #expect(value > last)
      last = value
      #expect(abs(map.inverted(value) - x) <= 1e-4 * max(10, abs(x)))
    }
  }

  @Test func unmeasuredPixelsHoldZero() {
    let image = MaskedImage(pixels: Tensor([1, 3], [7, 5, 9]), weight: Tensor([1, 3], [1, 0, 0.5]))
    let mapped = ToneMap(.linear, scale: 1, offset: 100).mapped(image)
    #expect(mapped.pixels.elements == [-93, 0, -91])
    #expect(mapped.weight == image.weight)
  }

  @Test func perImageStretchUsesMeasuredPixelsOnly() {
    let image = MaskedImage(pixels: Tensor([1, 4], [2, 0, 6, 4]), weight: Tensor([1, 4], [1, 0, 1, 1]))
    #expect(ToneMap(perImage: true).mapped(image).pixels.elements == [0, 0, 1, 0.5])
    let flat = MaskedImage(pixels: Tensor([1, 2], [3, 3]), weight: Tensor([1, 2], [1, 1]))
    #expect(ToneMap(perImage: true).mapped(flat).pixels.elements == [0, 0])
  }
}
