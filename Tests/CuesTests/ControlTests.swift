import Cues
import Evaluation
import Foundation
import Networks
import Pretexts
import Tensors
import Testing
import Training

@Test func aControlFarFromChanceIsALeakOnEitherSide() {
  func verdict(_ value: Double, _ error: Double) -> ControlVerdict {
    ControlVerdict(Score(metric: "accuracy", value: value, standardError: error, count: 1000, chance: 0.5))
  }
  #expect(verdict(0.9, 0.02) == .leak)
  #expect(verdict(0.1, 0.02) == .leak)
  #expect(verdict(0.51, 0.01) == .chance)
  #expect(verdict(0.6, 0.1) == .tooFew)
  #expect(verdict(0.5, 0.2) == .tooFew)
}

@Test func aPinwheelMaskDoesNotOverlapItsMirrorImage() {
  // Left half measured: no pixel has a measured twin. A centred bar is its own mirror image.
  let half = MaskedImage(pixels: Tensor(repeating: 1, [4, 6]), weight: Tensor([4, 6], (0..<24).map { $0 % 6 < 3 ? 1 : 0 }))
  let bar = MaskedImage(pixels: Tensor(repeating: 1, [4, 6]), weight: Tensor([4, 6], (0..<24).map { (1...4).contains($0 % 6) ? 1 : 0 }))
  #expect(MaskOnly.mirrorOverlap(half, minimumWeight: 0.5) == 0)
  #expect(MaskOnly.mirrorOverlap(bar, minimumWeight: 0.5) == 1)
}

@Test func aMaskOnlyFrameHoldsNothingButTheMask() {
  let image = MaskedImage(pixels: Tensor([1, 3], [5, 0, 7]), weight: Tensor([1, 3], [1, 0, 0.5]))
  let frame = MaskOnly.frame(of: image, value: 2)
  #expect(frame.pixels.elements == [2, 0, 2] && frame.weight == image.weight)
}

@Test func everyControlFileIsCatalogued() throws {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/Cues/Controls").path
  let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0 != "Control.swift" }
  #expect(Set(files.map { String($0.dropLast(6)) }) == Set(ControlCatalog.all.map { "\($0)" }))
}

/// A checkpoint of an untrained small flip detector, made of its recipe alone.
func untrained(width: Int, side: Int, steps: Int = 1) throws -> Checkpoint {
  var recipe = TrainingRecipe()
  recipe.corpus = "none"
  recipe.backbone = try Choice.of(ResNet10(width: width))
  recipe.task = try Choice.of(Flip())
  let weights = try Checkpoint.freshWeights(recipe, side: side, classes: Flip().classes(labels: []), seed: 3)
  return Checkpoint(
    description: .init(
      recipe: recipe, scaling: InputScaling(mean: 0, deviation: 1), side: side, classes: Flip().classes(labels: []), corpus: ""),
    weights: weights, optimizer: OptimizerState(moments: 2, count: weights.storage.count))
}

/// The oracle of pretext.md 3.1, Φ(A/√2): the linear detector has to come within two points of it.
@Test(arguments: [1.0, 2.0, 3.0]) func aPlantedPixelIsFoundAsWellAsTheoryAllows(amplitude: Double) throws {
  var planted = PlantedPixel()
  (planted.amplitude, planted.frames, planted.steps, planted.batch) = (amplitude, 8000, 2, 4)
  let outcome = try planted.run(like: untrained(width: 2, side: 9), path: "test")
  #expect(abs(outcome.linear.value - outcome.oracle) < 0.02)
  #expect(abs(outcome.oracle - Statistics.normalCDF(amplitude / 2.0.squareRoot())) < 1e-12)
}

/// Swapping left and right negates the answer and mirrors the evidence with its sign turned.
@Test func judgementsOfMirrorTwinsAreOpposite() throws {
  let model = try FlipModel(untrained(width: 4, side: 33), path: "test")
  var random = Philox(seed: 4)
  let images = (0..<5).map { _ in
    MaskedImage(pixels: Tensor([33, 33], (0..<1089).map { _ in Float(random.normal()) }), weight: Tensor(repeating: 1, [33, 33]))
  }
  let recorded = try model.judge(images), mirrored = try model.judge(images.map { Symmetry.mirror($0) })
  for (a, b) in zip(recorded, mirrored) {
    #expect(abs(a.logit + b.logit) < 1e-5)
    let back = Symmetry.mirror(b.attribution)
    #expect(zip(a.attribution.elements, back.elements).allSatisfy { abs($0 + $1) < 1e-4 })
  }
  // So an antisymmetric detector is exactly as right on the mirrored set, and a symmetric frame is a coin toss.
  let score = try model.accuracy(images, runs: [0, 0, 1, 1, 2])
  let mirroredScore = try model.accuracy(images.map { Symmetry.mirror($0) }, runs: [0, 0, 1, 1, 2])
  // The mirrored set, taken as recorded, is answered the other way round throughout.
  #expect(abs(mirroredScore.value - (1 - score.value)) < 1e-12)
  let flat = MaskedImage(pixels: Tensor(repeating: 1, [33, 33]), weight: Tensor(repeating: 1, [33, 33]))
  #expect(try model.accuracy([flat], runs: [0]).value == 0.5)
}

@Test func onlyFlipRunsHaveCues() throws {
  var checkpoint = try untrained(width: 2, side: 17)
  checkpoint.description.recipe.task = try Choice.of(CropPosition())
  #expect { try FlipModel(checkpoint, path: "run/last") } throws: { "\($0)" == "run/last: recipe.task.name: expected flip, found crop-position" }
}
