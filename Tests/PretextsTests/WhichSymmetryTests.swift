import Networks
import Pretexts
import Tensors
import Testing

private func view(_ task: some PretextTask, _ image: MaskedImage, variant: Int?, seed: UInt64, augmenting: Bool = false) -> [String: Tensor<Float>] {
  var random = Philox(seed: seed)
  let context = ExampleContext(scaling: scaling, isAugmenting: augmenting, variant: variant)
  return task.makeExample(from: Shot(image), in: context, classes: task.classes(labels: []).count, using: &random)
}

/// A picture in which every pixel is another number.
private func numbered(_ height: Int, _ width: Int) -> Tensor<Int> { Tensor([height, width], Array(0..<height * width)) }

/// Few gaps, so that some pixels are measured under all eight symmetries.
private func sparse(_ side: Int, seed: UInt64) -> MaskedImage {
  var image = picture(side, side, seed: seed, gaps: 0.05)
  for i in image.weight.elements.indices where image.weight.elements[i] > 0 { image.weight.elements[i] = 1 }
  return image
}

/// Turned back by the answer's inverse the view is the upright one; by any other answer's it is not.
@Test(arguments: WhichSymmetry.Kind.allCases, [9, 12]) func theAnswerIsTheSymmetryThatWasApplied(kind: WhichSymmetry.Kind, side: Int) {
  let task = WhichSymmetry(kind, jitter: still), image = sparse(side, seed: 5), elements = kind.elements
  let upright = view(task, image, variant: 0, seed: 1)["view"]!.reshaped(to: [side, side])
  var seen: Set<Int> = []
  for seed in 0..<60 as Range<UInt64> {
    let made = view(task, image, variant: nil, seed: seed, augmenting: true)
    let answer = made["symmetry"]!.elements.firstIndex(of: 1)!, turned = made["view"]!.reshaped(to: [side, side])
    seen.insert(answer)
    for (index, element) in elements.enumerated() { #expect((bits(element.inverse(turned)) == bits(upright)) == (index == answer)) }
  }
  #expect(seen == Set(elements.indices))
}

@Test(arguments: WhichSymmetry.Kind.allCases) func theOutlineOfTheMaskIsTheSameInEveryVersion(kind: WhichSymmetry.Kind) {
  let image = sparse(12, seed: 6), shown = { (task: WhichSymmetry, variant: Int) in view(task, image, variant: variant, seed: 1)["view"]!.map { $0 != 0 } }
  let outlines = kind.elements.indices.map { shown(WhichSymmetry(kind, jitter: still), $0) }
  #expect(outlines.allSatisfy { $0 == outlines[0] } && outlines[0].elements.contains(true))
  let open = WhichSymmetry(kind, showsOneSidedPixels: true, jitter: still)
  #expect(shown(open, 0) != shown(open, 1))
}

/// Fixed examples: each picture in all versions, alike but for the symmetry.
@Test func pairedExamplesDifferByTheMirrorAlone() {
  let image = picture(10, 10, seed: 3)
  for axis in Flip.Axis.allCases {
    let task = Flip(antisymmetric: true, axis: axis)
    let (plain, mirrored) = (view(task, image, variant: 0, seed: 9), view(task, image, variant: 1, seed: 9))
    #expect(plain["mirrored"]!.elements == [0] && mirrored["mirrored"]!.elements == [1] && task.variants == 2)
    #expect(bits(axis.symmetry(plain["view"]!.reshaped(to: [10, 10]))) == bits(mirrored["view"]!))
  }
}

/// Every tile is mirrored where it lies: cut out by hand.
@Test(arguments: Flip.Axis.allCases) func tilesAreMirroredInPlace(axis: Flip.Axis) {
  let task = Flip(antisymmetric: true, axis: axis, tiles: 2), image = numbered(4, 6)
  let rows = axis == .leftRight
    ? [[2, 1, 0, 5, 4, 3], [8, 7, 6, 11, 10, 9], [14, 13, 12, 17, 16, 15], [20, 19, 18, 23, 22, 21]]
    : [[6, 7, 8, 9, 10, 11], [0, 1, 2, 3, 4, 5], [18, 19, 20, 21, 22, 23], [12, 13, 14, 15, 16, 17]]
  #expect(task.mirrored(image).elements == rows.flatMap { $0 })
  #expect(throws: SettingError.self) { try task.validate(side: 33) }
  #expect(throws: SettingError.self) { try Flip(antisymmetric: true, tiles: 2).validate() }
}

@Test func anAnswerThatAnAugmentationContainsIsNamed() {
  func about(_ task: any PretextTask, _ augmentations: [any Augmentation]) -> String? { task.conflict(with: augmentations)?.about }
  let mirror = Turn(mirrors: true, rotates: false), turns = Turn(mirrors: false, rotates: true)
  #expect(about(Flip(), [turns]) == nil)
  #expect(about(Flip(), [mirror]) == "mirroring left and right")
  #expect(about(Flip(antisymmetric: true, axis: .upDown), [mirror]) == nil)
  // Neither alone contains it.
  #expect(Flip(antisymmetric: true, axis: .upDown).conflict(with: [mirror, turns])?.index == 1)
  #expect(about(WhichSymmetry(.rotations), [mirror]) != nil && about(WhichSymmetry(.square), [turns]) != nil)
  #expect(about(SingleImage(), [turns]) != nil && about(CropPresence(), [turns, mirror]) == nil && about(FrameClass(), [mirror]) == nil)
  // The left piece, mirrored, still says left.
  #expect(about(CropPosition(), [mirror]) == "place" && about(CropRegion(), [turns]) == "place" && about(Jigsaw(), [mirror]) == "order of tiles")
}

/// The composition table of D4 is in SymmetryTests; the answers are its eight elements, each once, in the order of their names.
@Test func theAnswersOfTheSquareAreTurnsThenTurnsOfTheMirrorImage() {
  #expect(WhichSymmetry.Kind.square.elements.map(\.keyword) == [
    "none", "quarter-turn-left", "half-turn", "quarter-turn-right", "left-right", "transposed", "up-down", "transposed-across",
  ])
}
