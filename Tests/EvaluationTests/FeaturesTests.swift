import Evaluation
import Networks
import Pretexts
import Tensors
import Testing

/// fc6 and fc7 stand beside the stages, without the dropout of training, each picture by itself.
@Test func fullyConnectedCodewordsAreReadBesideTheStages() throws {
  var vgg = VGG11(), random = Philox(seed: 2)
  (vgg.width, vgg.hidden) = (2, 8)
  let images = (0..<5).map { _ in
    let pixels = Tensor<Float>([33, 33], (0..<1089).map { _ in Float(random.normal()) })
    return MaskedImage(pixels: pixels, weight: Tensor(repeating: 1, [33, 33]))
  }
  let scaling = try #require(InputScaling(fitting: images))
  let trunk = try Trunk.random(vgg, seed: 1, scaling: scaling, images: images)
  let found = try Features(trunk, batch: 4)(images), again = try Features(trunk, batch: 2)(images)
  #expect(try Features(trunk).stages == (1...5).map { "stage \($0)" } + ["fc6", "fc7"])
  for name in ["fc6", "fc7"] {
    let values = try #require(found[name]), other = try #require(again[name])
    #expect(values.shape == [5, 8])
    #expect(zip(values.elements, other.elements).allSatisfy { abs($0 - $1) <= 1e-5 * max(1, abs($1)) })
    #expect(values[first: 0] != values[first: 1])
  }
  #expect(found["pooled"] == nil && found["stage 5"]?.shape == [5, 16])
}
