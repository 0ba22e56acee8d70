import Corpora
import Tensors
import Testing

struct FramingTests {
  private static func random(_ height: Int, _ width: Int, seed: UInt64) -> MaskedImage {
    var random = Philox(seed: seed)
    let weight = (0..<height * width).map { _ in Float(random.next() % 4 == 0 ? 0 : 1) }
    let pixels = weight.map { $0 > 0 ? Float(random.normal(10, 3)) : 0 }
    return MaskedImage(pixels: Tensor([height, width], pixels), weight: Tensor([height, width], weight))
  }

  private static func mirrored(_ image: MaskedImage) -> MaskedImage {
    func flip(_ t: Tensor<Float>) -> Tensor<Float> {
      let w = t.shape[1]
      return Tensor(t.shape, t.elements.indices.map { t.elements[$0 / w * w + w - 1 - $0 % w] })
    }
    return MaskedImage(pixels: flip(image.pixels), weight: flip(image.weight))
  }

  static let sizes = [(37, 51), (40, 40), (185, 388), (8, 300), (3, 2)]

  @Test(arguments: SourceRecipe.Fit.allCases, sizes)
  func framingCommutesWithMirroring(fit: SourceRecipe.Fit, size: (Int, Int)) {
    for target in [(33, 33), (16, 20), (65, 31)] {
      let image = Self.random(size.0, size.1, seed: 3)
      let framing = Framing(sourceHeight: size.0, sourceWidth: size.1, height: target.0, width: target.1, fit: fit)
      let framed = framing.applied(to: image)
      #expect(framed.pixels.shape == [target.0, target.1])
      #expect(Self.mirrored(framed) == framing.applied(to: Self.mirrored(image)))
    }
  }

  @Test func insideLosesNothing() {
    // A constant picture keeps its value, and margins have no weight: their shares add up.
    let image = MaskedImage(pixels: Tensor(repeating: 4, [100, 50]), weight: Tensor(repeating: 1, [100, 50]))
    let framed = Framing(sourceHeight: 100, sourceWidth: 50, height: 21, width: 21, fit: .inside).applied(to: image)
    // 21·50/100 = 10.5 columns; the nearest odd number is 11.
    #expect(abs(framed.coverage - 11.0 / 21) < 1e-9)
    for (value, weight) in zip(framed.pixels.elements, framed.weight.elements) { #expect(weight > 0 ? value == 4 : value == 0) }
  }

  /// The named pixel comes to lie in the middle, and what has no counterpart on its other side is left out.
  @Test(arguments: SourceRecipe.Fit.allCases) func aCentreComesToLieInTheMiddle(fit: SourceRecipe.Fit) {
    var image = MaskedImage(pixels: Tensor(repeating: 0, [20, 31]), weight: Tensor(repeating: 1, [20, 31]))
    image.pixels.elements[7 * 31 + 20] = 1
    let framing = Framing(sourceHeight: 20, sourceWidth: 31, height: 9, width: 9, fit: fit, centre: (row: 7, column: 20))
    if fit != .crop { #expect(framing.sourceRows == 0..<15 && framing.sourceColumns == 10..<31) }
    let framed = framing.applied(to: image).pixels.elements
    #expect(framed.indices.max { framed[$0] < framed[$1] } == 40)
    #expect(framing.source(row: 4, column: 4).map { $0 == (7, 20) } == true)
    // A half pixel: an even part.
    let between = Framing(sourceHeight: 20, sourceWidth: 31, height: 8, width: 8, fit: .stretch, centre: (row: 7.5, column: 2))
    #expect(between.sourceRows == 0..<16 && between.sourceColumns == 0..<5)
  }

  @Test func cropKeepsTheMiddle() {
    let image = MaskedImage(
      pixels: Tensor([2, 6], [0, 0, 1, 2, 0, 0, 0, 0, 3, 4, 0, 0]), weight: Tensor(repeating: 1, [2, 6]))
    let framed = Framing(sourceHeight: 2, sourceWidth: 6, height: 2, width: 2, fit: .crop).applied(to: image)
    #expect(framed.pixels.elements == [1, 2, 3, 4])
  }

  @Test(arguments: SourceRecipe.Fit.allCases)
  func pixelsAreTracedBackToWhereTheyCameFrom(fit: SourceRecipe.Fit) {
    // Each source pixel holds its own row (column): the framed value must be near that of the traced pixel.
    for axis in 0..<2 {
      let image = MaskedImage(
        pixels: Tensor([60, 90], (0..<5400).map { Float(axis == 0 ? $0 / 90 : $0 % 90) }), weight: Tensor(repeating: 1, [60, 90]))
      let framing = Framing(sourceHeight: 60, sourceWidth: 90, height: 15, width: 15, fit: fit)
      let framed = framing.applied(to: image)
      for row in 0..<15 {
        for column in 0..<15 {
          let i = row * 15 + column
          guard let source = framing.source(row: row, column: column) else {
            #expect(framed.weight.elements[i] == 0)
            continue
          }
          #expect(abs(Float(axis == 0 ? source.row : source.column) - framed.pixels.elements[i]) <= 1)
        }
      }
    }
  }
}
