import Tensors
import Testing

private func image(_ height: Int, _ width: Int) -> MaskedImage {
  var random = Philox(seed: 4, UInt64(height), UInt64(width))
  let weight = (0..<height * width).map { _ in Float(random.next() & 3) / 3 }
  return MaskedImage(pixels: Tensor([height, width], random.normals(height * width, 0, 1)), weight: Tensor([height, width], weight))
}

/// Every pixel is one of the picture's own, the one in the middle, and none is shown twice.
@Test func aSampledPictureConsistsOfItsOwnPixels() {
  let source = MaskedImage(pixels: Tensor([1, 7], [0, 1, 2, 3, 4, 5, 6]), weight: Tensor([1, 7], [1, 1, 0, 1, 1, 0.5, 1]))
  let sampled = source.pointSampled(toHeight: 1, width: 3, later: (true, true))
  // Middles of thirds of seven: 1.17, 3.5, 5.83.
  #expect(sampled.pixels.elements == [1, 3, 5] && sampled.weight.elements == [1, 1, 0.5])
  // Middles of halves of four lie between two pixels: 1 and 3.
  let even = MaskedImage(pixels: Tensor([1, 4], [0, 1, 2, 3]), weight: Tensor(repeating: 1, [1, 4]))
  #expect(even.pointSampled(toHeight: 1, width: 2, later: (true, true)).pixels.elements == [1, 3])
  #expect(even.pointSampled(toHeight: 1, width: 2, later: (true, false)).pixels.elements == [0, 2])
}

@Test(arguments: [(12, 9, 6, 4), (13, 10, 13, 5), (20, 21, 8, 21), (9, 9, 5, 3)])
func samplingAMirroredPictureMirrorsTheSample(height: Int, width: Int, rows: Int, columns: Int) {
  let source = image(height, width)
  for later in [true, false] {
    let straight = source.pointSampled(toHeight: rows, width: columns, later: (later, later))
    for symmetry in Symmetry.allCases {
      let turned = MaskedImage(pixels: symmetry(source.pixels), weight: symmetry(source.weight))
      let size = symmetry.transposes ? (columns, rows) : (rows, columns)
      // Which of two equally near ones is later changes where an axis is reversed.
      let down = symmetry.transposes ? symmetry.reversesRows : symmetry.reversesRows, across = symmetry.reversesColumns
      let sampled = turned.pointSampled(toHeight: size.0, width: size.1, later: (later != down, later != across))
      #expect(sampled.pixels == symmetry(straight.pixels) && sampled.weight == symmetry(straight.weight), "\(symmetry)")
    }
  }
}
