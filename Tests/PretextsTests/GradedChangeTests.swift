import Foundation
import Networks
import Pretexts
import Tensors
import Testing

private let plain = InputScaling(mean: 0, deviation: 1)
private let photons = SignalScale(unit: "photons", signal: { $0 * $0 }, value: { $0.squareRoot() })

/// Positive noise from 2 on, with gaps.
private func frame(_ side: Int, seed: UInt64 = 1, gaps: Double = 0.1) -> MaskedImage {
  var image = picture(side, side, seed: seed, gaps: gaps)
  for i in image.pixels.elements.indices where image.weight.elements[i] > 0 {
    (image.pixels.elements[i], image.weight.elements[i]) = (abs(image.pixels.elements[i]) + 2, 1)
  }
  return image
}

private func applied(_ augmentation: some Augmentation, to image: MaskedImage, seed: UInt64) -> MaskedImage {
  var random = Philox(seed: seed)
  return augmentation.augmented(image, of: Shot(image, signal: photons), scaling: plain, using: &random)
}

private func changed(_ change: some GradedChange, _ image: MaskedImage, level: Int, seed: UInt64 = 3) -> MaskedImage {
  var random = Philox(seed: seed)
  return change.changed(image, to: level, of: Shot(image, signal: photons), scaling: plain, using: &random)
}

/// What every augmentation keeps: sizes, gaps of value 0, the same result for the same key; and no weight out of nothing, but where pixels
/// move.
@Test(arguments: AugmentationCatalog.all.map { $0.name }) func everyAugmentationKeepsGapsAsGaps(name: String) throws {
  let augmentation = AugmentationCatalog.named(name)!.init(), image = frame(24)
  try augmentation.validate()
  try augmentation.validate(side: 24)
  var differs = false
  for seed in 0..<20 as Range<UInt64> {
    let (a, b) = (applied(augmentation, to: image, seed: seed), applied(augmentation, to: image, seed: seed))
    #expect(a == b && a.pixels.shape == image.pixels.shape)
    #expect(zip(a.pixels.elements, a.weight.elements).allSatisfy { $1 > 0 || $0 == 0 } && a.pixels.elements.allSatisfy(\.isFinite))
    let moves = augmentation.changes.contains(.place) || augmentation.changes.contains(.tileOrder) || !augmentation.symmetries.isEmpty
    if !moves { #expect(zip(a.weight.elements, image.weight.elements).allSatisfy { $0 == $1 || $0 == 0 }) }
    // Values of gaps must not count: another number under a gap changes nothing.
    var other = image
    for i in other.pixels.elements.indices where other.weight.elements[i] == 0 { other.pixels.elements[i] = 1e6 }
    let c = applied(augmentation, to: other, seed: seed)
    #expect(zip(zip(a.pixels.elements, c.pixels.elements), a.weight.elements).allSatisfy { $1 == 0 || $0.0 == $0.1 }, "\(name)")
    differs = differs || a != image
  }
  #expect(differs, "\(name) changes something")
  #expect(!augmentation.changes.isEmpty || !augmentation.symmetries.isEmpty, "\(name) says what it changes")
}

@Test func symmetriesOfTheTurnAugmentationAreThoseItApplies() {
  let image = frame(7, gaps: 0)
  for task in [Turn(mirrors: true, rotates: true), Turn(mirrors: true, rotates: false), Turn(mirrors: false, rotates: true)] {
    var seen: Set<Symmetry> = []
    for seed in 0..<100 as Range<UInt64> {
      let turned = applied(task, to: image, seed: seed)
      seen.formUnion(Symmetry.allCases.filter { $0(image) == turned })
    }
    #expect(seen == task.symmetries.union([.identity]))
  }
}

@Test func theNegativeIsAboutTheMean() {
  let image = frame(16), negative = changed(Inversion(), image, level: 1)
  #expect(changed(Inversion(), image, level: 0) == image)
  let (a, b) = (PixelMoments(of: image, minimumWeight: 0.5), PixelMoments(of: negative, minimumWeight: 0.5))
  #expect(abs(a.mean - b.mean) < 1e-5 && abs(a.variance - b.variance) < 1e-5)
  for i in image.pixels.elements.indices where image.weight.elements[i] > 0 {
    #expect(abs(Double(image.pixels.elements[i] + negative.pixels.elements[i]) - 2 * a.mean) < 1e-4)
  }
}

/// A single bright pixel becomes the Gaussian, a constant stays one whatever the mask, and mirroring commutes bit for bit.
@Test func aBlurIsTheGaussianOverWhatIsMeasured() {
  let side = 25, blur = Blur(sigmas: [0, 1.5], noise: 0)
  var spot = MaskedImage(pixels: Tensor(repeating: 0, [side, side]), weight: Tensor(repeating: 1, [side, side]))
  spot.pixels.elements[12 * side + 12] = 1
  let blurred = changed(blur, spot, level: 1)
  let norm = pow((-5...5).reduce(0.0) { $0 + exp(-Double($1 * $1) / 4.5) }, 2)
  for (row, column) in [(12, 12), (12, 14), (10, 13), (7, 12)] {
    let distance = Double((row - 12) * (row - 12) + (column - 12) * (column - 12))
    #expect(abs(Double(blurred.pixels.elements[row * side + column]) - exp(-distance / 4.5) / norm) < 1e-5)
  }
  var flat = frame(side, gaps: 0.3)
  for i in flat.pixels.elements.indices where flat.weight.elements[i] > 0 { flat.pixels.elements[i] = 7 }
  #expect(zip(changed(blur, flat, level: 1).pixels.elements, flat.weight.elements).allSatisfy { $1 == 0 ? $0 == 0 : abs($0 - 7) < 1e-4 })
  let image = frame(side)
  for symmetry in [Symmetry.mirror, .upsideDown] {
    #expect(symmetry(changed(blur, image, level: 1)) == changed(blur, symmetry(image), level: 1))
  }
}

/// Mean kept, variance n/s: 4000 pixels of 9 photons.
@Test(arguments: [1.0, 0.25]) func photonNoiseHasTheVarianceOfPoisson(share: Double) {
  let flat = MaskedImage(pixels: Tensor(repeating: 3, [80, 50]), weight: Tensor(repeating: 1, [80, 50]))
  let noisy = changed(PhotonNoise(shares: [share, 0.5]), flat, level: 0).pixels.elements.map { Double($0) * Double($0) }
  let mean = noisy.reduce(0, +) / 4000, variance = noisy.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000, expected = 9 / share
  #expect(abs(mean - 9) < 5 * (expected / 4000).squareRoot())
  #expect(abs(variance / expected - 1) < 5 * (2.0 / 4000).squareRoot() * 1.2)
  // Whole numbers of photons, over the share.
  #expect(noisy.allSatisfy { abs(($0 * share).rounded() - $0 * share) < 1e-3 })
}

/// The mean over N pixels of λ photons each has the variance λ/(s·N), with N the setting's or the corpus's, less where a pixel is measured in part.
@Test(arguments: [(25.0, nil, 1.0), (0, 100.0, 1), (4, 100, 1), (0, 100, 0.25)] as [(Double, Double?, Float)])
func photonNoiseOfAnAverageIsThatOfAllItsPixels(setting: Double, corpus: Double?, weight: Float) {
  let flat = MaskedImage(pixels: Tensor(repeating: 3, [80, 50]), weight: Tensor(repeating: weight, [80, 50])), share = 0.5
  let shot = Shot(flat, signal: SignalScale(unit: "photons", pixels: corpus, signal: { $0 * $0 }, value: { $0.squareRoot() }))
  var random = Philox(seed: 12)
  let noisy = PhotonNoise(shares: [share, 0.25], pixels: setting).changed(flat, to: 0, of: shot, scaling: plain, using: &random)
    .pixels.elements.map { Double($0) * Double($0) }
  let mean = noisy.reduce(0, +) / 4000, variance = noisy.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000
  let expected = 9 / (share * (setting > 0 ? setting : corpus!) * Double(weight))
  #expect(abs(mean - 9) < 5 * (expected / 4000).squareRoot())
  #expect(abs(variance / expected - 1) < 0.15, "\(variance), expected \(expected)")
}

@Test func aGainRangeCountsInItsSteps() {
  let image = frame(40, gaps: 0), stage = GainStage(steps: [0.02, 0.5], readout: 0.5)
  for (level, step) in [0.02, 0.5].enumerated() {
    let read = changed(stage, image, level: level)
    #expect(read.pixels.elements.allSatisfy { abs(Double($0) / step - (Double($0) / step).rounded()) < 1e-2 })
    let error = zip(read.pixels.elements, image.pixels.elements).map { Double($0 - $1) / step }
    let variance = error.reduce(0) { $0 + $1 * $1 } / 1600
    // Readout noise of half a step, and 1/12 from rounding.
    #expect(abs(variance / (0.25 + 1.0 / 12) - 1) < 5 * (2.0 / 1600).squareRoot())
  }
}

@Test func aDarkPatternIsSharedByChipsAndColumns() {
  let flat = MaskedImage(pixels: Tensor(repeating: 1, [32, 32]), weight: Tensor(repeating: 1, [32, 32]))
  var pattern = DarkPattern()
  #expect(changed(pattern, flat, level: 0) == flat)
  (pattern.pixels, pattern.columns) = (0, 0)
  let chips = changed(pattern, flat, level: 1).pixels.elements
  for row in 0..<32 { for column in 0..<32 { #expect(chips[row * 32 + column] == chips[row / 8 * 8 * 32 + column / 8 * 8]) } }
  #expect(Set(chips).count == 16)
  (pattern.chips, pattern.columns) = (0, 0.2)
  let columns = changed(pattern, flat, level: 1).pixels.elements
  for row in 0..<32 { for column in 0..<32 { #expect(columns[row * 32 + column] == columns[row / 8 * 8 * 32 + column]) } }
}

/// A numbered picture: which tiles moved is read off it, and in place nothing moves.
@Test func exactlyTwoTilesAreExchanged() {
  let image = MaskedImage(pixels: Tensor([9, 9], (1...81).map(Float.init)), weight: Tensor(repeating: 1, [9, 9])), swap = TileSwap(tiles: 3, gap: 0)
  for seed in 0..<30 as Range<UInt64> {
    #expect(changed(swap, image, level: 0, seed: seed) == image)
    let moved = changed(swap, image, level: 1, seed: seed).pixels.elements, wrong = moved.indices.filter { moved[$0] != image.pixels.elements[$0] }
    #expect(wrong.count == 18 && moved.sorted() == image.pixels.elements && Set(wrong.map { $0 / 27 * 3 + $0 % 9 / 3 }).count == 2)
  }
  // The outlines of gaps are those of both tiles, exchanged or not.
  let holes = frame(18, gaps: 0.3), task = TileSwap(tiles: 3, gap: 1)
  for seed in 0..<20 as Range<UInt64> {
    #expect(changed(task, holes, level: 0, seed: seed).weight.map { $0 > 0 } == changed(task, holes, level: 1, seed: seed).weight.map { $0 > 0 })
  }
}

/// A pixel that is measured by too little to be shown is hidden in both places, be the tiles exchanged or not.
@Test(arguments: [0.2, 0.49, 0.51]) func theOutlineDoesNotTellWhetherTilesWereExchanged(weight: Float) {
  let swap = TileSwap(tiles: 2, gap: 0)
  var image = frame(12, gaps: 0)
  image.weight.elements[3 * 12 + 4] = weight
  image.weight.elements[8 * 12 + 9] = weight
  for seed in 0..<30 as Range<UInt64> {
    let outlines = (0...1).map { changed(swap, image, level: $0, seed: seed).weight.map { $0 >= 0.5 } }
    #expect(outlines[0] == outlines[1])
  }
}

/// A factor of the signal makes one step of fewer photons or coarser counts look like the next, so nothing that draws one may be beside the question.
@Test(arguments: [WhichGainStage(), WhichPhotonNoise()] as [any PretextTask]) func stepsOfGainBearNoFactorOfTheSignal(_ task: any PretextTask) {
  for augmentation in [ShotIntensity(), TileGain()] as [any Augmentation] {
    #expect(task.conflict(with: [augmentation])?.about == "gain")
  }
  #expect(task.conflict(with: [PixelDropout()]) == nil)
}

@Test func jitterDoesNotReachTheNextStep() {
  for intensity in [0.1, 0.6] { #expect(throws: Never.self) { try WhichPhotonNoise(PhotonNoise(), jitter: Jitter(intensity: intensity, offset: 0, noise: 0)).validate() } }
  let refused = #expect(throws: SettingError.self) { try WhichPhotonNoise(PhotonNoise(), jitter: Jitter(intensity: 1, offset: 0, noise: 0)).validate() }
  #expect(refused?.key == "jitter.intensity" && refused?.expected.contains("0.69") == true)
  // Blur has no factor that would do that.
  #expect(throws: Never.self) { try WhichBlur(Blur(), jitter: Jitter(intensity: 1, offset: 0, noise: 0)).validate() }
}

@Test func aShiftedPictureBringsInNothing() {
  let image = frame(20, gaps: 0)
  var columns: [Int: Int] = [:]
  for seed in 0..<400 as Range<UInt64> {
    let moved = applied(BeamShift(reach: 0.1), to: image, seed: seed)
    let places = moved.weight.elements.indices.filter { moved.weight.elements[$0] > 0 }
    let (row, column) = (places[0] / 20, places[0] % 20), shift = column > 0 ? column : -(19 - places.map { $0 % 20 }.max()!)
    columns[shift, default: 0] += 1
    let rows = row > 0 ? 20 - row : places.last! / 20 + 1
    #expect(places.count == rows * (20 - abs(shift)) && Set(moved.pixels.elements.filter { $0 != 0 }).isSubset(of: Set(image.pixels.elements)))
  }
  #expect(Set(columns.keys) == [-2, -1, 0, 1, 2])
  for shift in 1...2 { #expect(abs(columns[shift]! - columns[-shift]!) < 60) }
}

@Test func gainsActOnTheSignalAndSaturationCutsTheTop() {
  let image = frame(16, gaps: 0)
  let bright = applied(ShotIntensity(sigma: 0.5), to: image, seed: 4)
  // value = √signal: one factor for all.
  let factors = zip(bright.pixels.elements, image.pixels.elements).map { $0 / $1 }
  #expect(factors.allSatisfy { abs($0 - factors[0]) < 1e-4 } && abs(factors[0] - 1) > 1e-3)
  let gains = zip(applied(TileGain(tiles: 2, gain: 0.1, pedestal: 0), to: image, seed: 4).pixels.elements, image.pixels.elements).map { $0 / $1 }
  for row in 0..<16 { for column in 0..<16 { #expect(abs(gains[row * 16 + column] - gains[row / 8 * 8 * 16 + column / 8 * 8]) < 1e-4) } }
  let cut = applied(Saturation(rate: 1, share: 0.2), to: image, seed: 4), top = cut.pixels.elements.max()!
  #expect(zip(cut.pixels.elements, image.pixels.elements).allSatisfy { $0 == min($1, top) } && cut.pixels.elements.count { $0 == top } < 60)
}

/// Fixed examples at every step, label and picture.
@Test func aGradedQuestionNamesTheStep() {
  let image = frame(24), task = GradedQuestion(Inversion(), jitter: still)
  for level in 0..<2 {
    var random = Philox(seed: 1)
    let context = ExampleContext(scaling: plain, isAugmenting: false, variant: level)
    let made = task.makeExample(from: Shot(image), in: context, classes: 2, using: &random)
    #expect(made["level"]!.elements.firstIndex(of: 1) == level)
    #expect(made["view"]!.elements == plain.channel(changed(Inversion(), image, level: level)).elements)
  }
  #expect(task.conflict(with: [Inversion()])?.about == "inversion" && task.conflict(with: [Blur()]) == nil)
  for type in PretextTaskCatalog.all where type.init().asks.contains(.photonNoise) { #expect(type.init().needs == [.signal]) }
}

/// Who asks how noisy a picture is bears nothing else that changes its noise; questions about other things do.
@Test func questionsAboutNoiseBearNoOtherNoise() {
  let noisy: [any Augmentation] = [Blur(), DarkPattern(), GainStage(), PhotonNoise()]
  for task in [GradedQuestion(PhotonNoise()) as any PretextTask, GradedQuestion(GainStage()), GradedQuestion(DarkPattern()), GradedQuestion(Blur())] {
    for augmentation in noisy { #expect(task.conflict(with: [augmentation]) != nil, "\(type(of: task).name) with \(type(of: augmentation).name)") }
    #expect(task.conflict(with: [Turn()]) == nil && task.conflict(with: [Inversion()]) == nil)
    // Nor does its own jitter, which training alone would show.
    #expect(task.jitters.isEmpty)
  }
  #expect(GradedQuestion(Inversion()).jitter == Jitter() && GradedQuestion(Blur(), jitter: Jitter()).jitters == [.noise])
  for augmentation in noisy { #expect(Flip().conflict(with: [augmentation]) == nil) }
}

@Test func theLaterShotIsTheOneThatTheAnswerNames() {
  let (early, late) = (frame(9, seed: 1, gaps: 0), frame(9, seed: 2, gaps: 0))
  var task = ShotOrder()
  task.jitter = still
  for seed in 0..<40 as Range<UInt64> {
    for (shot, later) in [(Shot(early, neighbour: .init(image: late, isLater: true)), true), (Shot(late, neighbour: .init(image: early, isLater: false)), false)] {
      var random = Philox(seed: seed)
      let context = ExampleContext(scaling: plain, isAugmenting: true)
      let made = task.makeExample(from: shot, in: context, classes: 2, using: &random), second = made["second"]!.elements[0] == 1
      #expect(made[second ? "shot.2" : "shot.1"]!.elements == late.pixels.elements, "\(later)")
      #expect(made[second ? "shot.1" : "shot.2"]!.elements == early.pixels.elements)
    }
  }
}
