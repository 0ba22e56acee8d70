import Pretexts
import Tensors
import Testing

@Test func examplesStandInTheirPlacesAndPartsJoinInOrder() {
  func part(_ values: [Float]) -> ExampleBatch {
    var batch = ExampleBatch(["view": [1, 2], "answer": [3]], count: values.count)
    for (place, value) in values.enumerated() {
      batch.write("view", place) { view in for i in view.indices { view[i] = value + Float(i) } }
      batch.writeOneHot("answer", place, answer: place % 3)
    }
    return batch
  }
  let joined = ExampleBatch.joined([part([10, 20, 30]), part([40])])
  #expect(joined["view"] == Tensor([4, 1, 2], [10, 11, 20, 21, 30, 31, 40, 41]))
  #expect(joined["answer"] == Tensor([4, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0]))
}

/// Moments of parts against those of all pixels at once.
@Test func momentsJoinToThoseOfAllPixels() {
  var random = Philox(seed: 2)
  let images = (0..<5).map { _ in
    MaskedImage(
      pixels: Tensor([7, 9], (0..<63).map { _ in Float(random.normal(100, 3)) }),
      weight: Tensor([7, 9], (0..<63).map { _ in random.uniform() < 0.3 ? 0 : 1 }))
  }
  let joined = images.reduce(into: PixelMoments()) { $0.merge(PixelMoments(of: $1, minimumWeight: 0.5)) }
  let all = images.flatMap { zip($0.pixels.elements, $0.weight.elements).filter { $0.1 >= 0.5 }.map { Double($0.0) } }
  let mean = all.reduce(0, +) / Double(all.count), variance = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count)
  #expect(joined.count == Double(all.count) && abs(joined.mean - mean) < 1e-10 && abs(joined.variance - variance) < 1e-10)
}
