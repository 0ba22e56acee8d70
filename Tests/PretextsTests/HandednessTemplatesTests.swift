import Foundation
import Pretexts
import Tensors
import Testing

private func noise(_ side: Int, _ seed: UInt64) -> Tensor<Float> {
  var random = Philox(seed: seed)
  return Tensor([side, side], random.normals(side * side))
}

@Test(arguments: [8, 9]) func projectionLeavesNoHandednessInTheMeanAndCommutesWithEverySymmetry(side: Int) throws {
  let means = [noise(side, 1), noise(side, 2)]
  var scaling = InputScaling(mean: 0, deviation: 1)
  let templates = try #require(HandednessTemplates(means: means))
  scaling.templates = templates
  // Seven directions a picture without any symmetry.
  #expect(templates.directions.count == 14)
  func projected(_ plane: Tensor<Float>) -> Tensor<Float> {
    scaling.channel(MaskedImage(pixels: plane, weight: Tensor(repeating: 1, plane.shape))).reshaped(to: plane.shape)
  }
  for symmetry in Symmetry.allCases {
    // What is left of a mean picture is the same however it is turned.
    for mean in means {
      let own = projected(mean), turned = projected(symmetry(mean))
      #expect(zip(own.elements, turned.elements).allSatisfy { abs($0 - $1) < 1e-5 })
    }
    let picture = noise(side, 5), a = projected(symmetry(picture)), b = symmetry(projected(picture))
    #expect(zip(a.elements, b.elements).allSatisfy { abs($0 - $1) < 1e-5 })
  }
  // Fourteen of side² numbers are gone, the rest is there.
  let picture = noise(side, 6), left = projected(picture)
  func length(_ plane: Tensor<Float>) -> Float { plane.elements.reduce(0) { $0 + $1 * $1 } }
  #expect(length(left) < length(picture) && length(left) > 0.4 * length(picture))
}

/// With pixels hidden the directions are not orthogonal any more; what is left of them on the others is taken out all the same.
@Test(arguments: [0.0, 0.12, 0.5, 0.97]) func projectionLeavesNothingWherePixelsAreHidden(share: Double) throws {
  let side = 17, mean = noise(side, 1)
  var scaling = InputScaling(mean: 0, deviation: 1)
  scaling.templates = HandednessTemplates(means: [mean, noise(side, 2)])
  #expect(scaling.templates?.directions.count == 14)
  // Hidden as flip hides: wherever a pixel or its mirror twin is not measured.
  var random = Philox(seed: 9)
  var weight = Tensor<Float>(repeating: 1, [side, side])
  for i in weight.elements.indices where random.uniform(0, 1) < share / 2 { weight.elements[i] = 0 }
  let twin = Symmetry.mirror(weight)
  for i in weight.elements.indices { weight.elements[i] = min(weight.elements[i], twin.elements[i]) }
  func projected(_ plane: Tensor<Float>) -> Tensor<Float> { scaling.channel(MaskedImage(pixels: plane, weight: weight)).reshaped(to: plane.shape) }
  // The class means are the same: what the mean picture shows does not tell the hand.
  let own = projected(mean), mirrored = projected(Symmetry.mirror(mean))
  #expect(zip(own.elements, mirrored.elements).allSatisfy { abs($0 - $1) < 2e-4 })
  // Nor does the step itself: it treats both hands alike.
  let picture = noise(side, 5), a = projected(Symmetry.mirror(picture)), b = Symmetry.mirror(projected(picture))
  #expect(zip(a.elements, b.elements).allSatisfy { abs($0 - $1) < 2e-4 })
  #expect(zip(weight.elements, a.elements).allSatisfy { $0 > 0 || $1 == 0 })
}

@Test func aSymmetricMeanHasNoTemplatesAndTemplatesSurviveTheirJSON() throws {
  #expect(HandednessTemplates(means: [Tensor(repeating: 3, [5, 5])]) == nil)
  let templates = try #require(HandednessTemplates(means: [noise(5, 3)]))
  let back = try JSONDecoder().decode(HandednessTemplates.self, from: JSONEncoder().encode(templates))
  #expect(back == templates)
  #expect(throws: DecodingError.self) { try JSONDecoder().decode(HandednessTemplates.self, from: Data(#"{"directions":["AAA="]}"#.utf8)) }
}
