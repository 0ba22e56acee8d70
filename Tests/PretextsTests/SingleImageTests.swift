import Foundation
import Pretexts
import Tensors
import Testing

private let plain = InputScaling(mean: 0, deviation: 1)
private let side = 32

/// Geometry only, and only what is switched on.
private func task(_ change: (inout SingleImage) -> Void = { _ in }) -> SingleImage {
  var task = SingleImage()
  (task.aspect, task.rotation, task.shear, task.mirrors) = (1, 0, 0, false)
  (task.contrast, task.brightness, task.noise) = (0, 0, 0)
  change(&task)
  return task
}

private func picture(_ value: (Int, Int) -> Float) -> MaskedImage {
  MaskedImage(
    pixels: Tensor([side, side], (0..<side * side).map { value($0 / side, $0 % side) }), weight: Tensor(repeating: 1, [side, side]))
}

private func example(_ task: SingleImage, _ image: MaskedImage, seed: UInt64, augmenting: Bool = true) -> (view: Tensor<Float>, turns: Int) {
  var random = Philox(seed: seed)
  let made = task.makeExample(from: image, answer: nil, classes: 4, scaling: plain, augmenting: augmenting, using: &random)
  return (made["view"]!, made["turns"]!.elements.firstIndex(of: 1)!)
}

/// Where a view looks, measured with two ramps: the place (x,y) of its first pixel, and how far one pixel along a row and one along
/// a column of the upright view lead. Every view of a ramp has to be a plane, since bilinear sampling is exact on it.
private struct Look {
  var place: SIMD2<Double>
  var alongRow: SIMD2<Double>
  var alongColumn: SIMD2<Double>
  let turns: Int
  let extremes: [Double]

  init(_ task: SingleImage, seed: UInt64) {
    let (x, turns) = example(task, picture { _, column in Float(column + 1) }, seed: seed)
    let (y, again) = example(task, picture { row, _ in Float(row + 1) }, seed: seed)
    #expect(turns == again)
    func at(_ i: Int, _ j: Int) -> SIMD2<Double> { SIMD2(Double(x.elements[i * side + j]), Double(y.elements[i * side + j])) }
    let last = side - 1
    (place, self.turns) = (at(0, 0), turns)
    alongRow = (at(0, last) - at(0, 0)) / Double(last)
    alongColumn = (at(last, 0) - at(0, 0)) / Double(last)
    var worst = 0.0
    for i in 0..<side {
      for j in 0..<side {
        let difference = at(i, j) - place - Double(i) * alongColumn - Double(j) * alongRow
        worst = max(worst, abs(difference.x), abs(difference.y))
      }
    }
    #expect(worst < 1e-3, "not a plane by \(worst)")
    extremes = [at(0, 0), at(0, last), at(last, 0), at(last, last)].flatMap { [$0.x, $0.y] }
    // numpy.rot90(u)[i,j] = u[j, n-1-i], so a row of the turned view is a column of the upright one, and a column a row backwards.
    for _ in 0..<turns { (alongRow, alongColumn) = (-alongColumn, alongRow) }
  }

  /// Of the frame, from the area of the parallelogram of (n-1)/n steps.
  var area: Double { abs(alongRow.x * alongColumn.y - alongRow.y * alongColumn.x) * pow(Double(side) / Double(side - 1), 2) }
}

private func angle(_ v: SIMD2<Double>) -> Double { atan2(v.y, v.x) * 180 / .pi }
private func length(_ v: SIMD2<Double>) -> Double { (v.x * v.x + v.y * v.y).squareRoot() }

@Test func theAnswerIsHowOftenTheViewIsTurned() {
  var counts = [0, 0, 0, 0]
  for seed in 0..<400 as Range<UInt64> {
    let look = Look(task { $0.rotation = 20 }, seed: seed)
    counts[look.turns] += 1
    // Turned back by its answer the view stands upright to within the small rotation; any other answer is off by 90° or more.
    #expect(abs(angle(look.alongRow)) < 20.1 && abs(angle(look.alongColumn) - 90) < 20.1, "seed \(seed)")
    #expect(abs(length(look.alongRow) - length(look.alongColumn)) < 1e-3)
    // No sample outside of the frame: ramps run from 1 to the side.
    #expect(look.extremes.allSatisfy { $0 > 0.999 && $0 < Double(side) + 0.001 })
  }
  #expect(counts.allSatisfy { abs($0 - 100) < 45 }, "\(counts): 100 ± 9 each")
}

@Test func eachStepDoesWhatItSays() {
  var areas: [Double] = [], ratios: [Double] = [], mirrored = 0, rows = 0, columns = 0
  for seed in 0..<300 as Range<UInt64> {
    areas.append(Look(task { ($0.smallestArea, $0.largestArea) = (0.2, 0.6) }, seed: seed).area)
    let stretched = Look(task { ($0.aspect, $0.largestArea) = (2, 0.4) }, seed: seed)
    ratios.append(length(stretched.alongRow) / length(stretched.alongColumn))
    let flipped = Look(task { $0.mirrors = true }, seed: seed)
    #expect(flipped.alongColumn.y > 0)
    mirrored += flipped.alongRow.x < 0 ? 1 : 0
    // Shear keeps one axis and leans the other by up to its angle.
    let sheared = Look(task { ($0.shear, $0.largestArea) = (25, 0.3) }, seed: seed)
    let leanOfRows = angle(sheared.alongRow), leanOfColumns = angle(sheared.alongColumn) - 90
    #expect(min(abs(leanOfRows), abs(leanOfColumns)) < 0.1 && max(abs(leanOfRows), abs(leanOfColumns)) < 25.1)
    if abs(leanOfRows) > 1 { sheared.turns % 2 == 0 ? (rows += 1) : (columns += 1) }
    if abs(leanOfColumns) > 1 { sheared.turns % 2 == 0 ? (columns += 1) : (rows += 1) }
  }
  #expect(areas.min()! > 0.199 && areas.min()! < 0.22 && areas.max()! < 0.601 && areas.max()! > 0.58)
  #expect(ratios.min()! > 0.499 && ratios.min()! < 0.6 && ratios.max()! < 2.01 && ratios.max()! > 1.7)
  #expect(abs(mirrored - 150) < 45)
  // As the network sees it, rows lean as often as columns: shear does not tell the answer.
  #expect(abs(rows - columns) < 5 * Int(Double(rows + columns).squareRoot()))
}

@Test func contrastKeepsTheMeanBrightnessTheSlopeAndNoiseItsSigma() {
  let whole: (inout SingleImage) -> Void = { ($0.smallestArea, $0.largestArea) = (1, 1) }
  let ramp = picture { _, column in Float(column + 1) }
  func mean(_ view: Tensor<Float>) -> Double { view.elements.reduce(0) { $0 + Double($1) } / Double(view.elements.count) }
  func spread(_ view: Tensor<Float>) -> Double { Double(view.elements.max()! - view.elements.min()!) }
  let middle = Double(side + 1) / 2, full = Double(side - 1) * Double(side - 1) / Double(side)
  var factors: [Double] = [], offsets: [Double] = []
  for seed in 0..<200 as Range<UInt64> {
    let plainly = example(task(whole), ramp, seed: seed).view
    #expect(abs(mean(plainly) - middle) < 1e-3 && abs(spread(plainly) - full) < 1e-3)
    let contrasted = example(task { whole(&$0); $0.contrast = 0.3 }, ramp, seed: seed).view
    #expect(abs(mean(contrasted) - middle) < 1e-2)
    factors.append(spread(contrasted) / full)
    let brightened = example(task { whole(&$0); $0.brightness = 0.4 }, ramp, seed: seed).view
    #expect(abs(spread(brightened) - full) < 1e-3)
    offsets.append(mean(brightened) - middle)
  }
  #expect(factors.min()! > 0.699 && factors.min()! < 0.75 && factors.max()! < 1.301 && factors.max()! > 1.25)
  #expect(offsets.min()! > -0.401 && offsets.min()! < -0.35 && offsets.max()! < 0.401 && offsets.max()! > 0.35)

  var sum = 0.0, squares = 0.0, count = 0.0
  for seed in 0..<40 as Range<UInt64> {
    let (quiet, loud) = (example(task(), ramp, seed: seed).view, example(task { $0.noise = 0.25 }, ramp, seed: seed).view)
    for (a, b) in zip(quiet.elements, loud.elements) {
      sum += Double(b - a)
      squares += Double(b - a) * Double(b - a)
      count += 1
    }
  }
  // 40960 draws: the mean to σ/√n, the deviation to σ/√(2n); 5 of those.
  #expect(abs(sum / count) < 5 * 0.25 / count.squareRoot() && abs((squares / count).squareRoot() - 0.25) < 5 * 0.25 / (2 * count).squareRoot())
}

@Test func gapsAreNeverShownAndTheirOutlineDoesNotTellTheAnswer() {
  // Five is measured; a thousand lies under a gap.
  var image = picture { row, column in row % 11 == 3 || column < 4 ? 1000 : 5 }
  for i in image.weight.elements.indices where image.pixels.elements[i] == 1000 { image.weight.elements[i] = 0 }
  for seed in 0..<100 as Range<UInt64> {
    for augmenting in [true, false] {
      let view = example(task { ($0.rotation, $0.shear, $0.minimumCoverage) = (30, 30, 0.3) }, image, seed: seed, augmenting: augmenting).view
      #expect(view.elements.allSatisfy { $0 == 0 || abs($0 - 5) < 1e-4 })
      let shown = Tensor([side, side], view.elements.map { $0 != 0 })
      #expect(Symmetry.quarterTurn(shown) == shown)
      #expect(!augmenting || shown.elements.count { $0 } > 0)
    }
  }
}

@Test func withoutAugmentingTheWholePictureIsTurned() {
  let image = picture { row, column in Float(row * side + column + 1) }
  var seen: Set<Int> = []
  for seed in 0..<30 as Range<UInt64> {
    let (view, turns) = example(SingleImage(), image, seed: seed, augmenting: false)
    var expected = image.pixels
    for _ in 0..<turns { expected = Symmetry.quarterTurn(expected) }
    #expect(view.elements == expected.elements)
    seen.insert(turns)
  }
  #expect(seen == [0, 1, 2, 3])
}

@Test func theSameKeyMakesTheSameViewAndAnotherKeyAnother() {
  let image = picture { row, column in Float((row * 7 + column * 3) % 13) }
  let (a, b, c) = (example(SingleImage(), image, seed: 1), example(SingleImage(), image, seed: 1), example(SingleImage(), image, seed: 2))
  #expect(a.view.elements.map(\.bitPattern) == b.view.elements.map(\.bitPattern) && a.turns == b.turns && a.view != c.view)
}

@Test func impossibleSettingsOfSingleImageAreNamed() {
  func key(_ change: (inout SingleImage) -> Void) -> String? {
    var task = SingleImage()
    change(&task)
    do { try task.validate() } catch { return error.key }
    return nil
  }
  #expect(key { _ in } == nil)
  #expect(key { $0.frames.count = -1 } == "frames.count")
  #expect(key { $0.smallestArea = 0 } == "smallestArea")
  #expect(key { ($0.smallestArea, $0.largestArea) = (0.5, 0.4) } == "smallestArea")
  #expect(key { $0.largestArea = 1.5 } == "largestArea")
  #expect(key { $0.aspect = 0.5 } == "aspect")
  #expect(key { $0.rotation = 60 } == "rotation")
  // Each by itself is less than half a quarter turn, and together they are not: shear turns by atan(tan 45° / 2) = 26.6°.
  #expect(key { ($0.rotation, $0.shear) = (45, 0) } == nil && key { ($0.rotation, $0.shear) = (20, 45) } == nil)
  #expect(key { ($0.rotation, $0.shear) = (45, 45) } == "rotation")
  #expect(key { $0.shear = -1 } == "shear")
  #expect(key { $0.contrast = 1 } == "contrast")
  #expect(key { $0.brightness = .infinity } == "brightness")
  #expect(key { $0.noise = -1 } == "noise")
  #expect(key { $0.minimumCoverage = 2 } == "minimumCoverage")
}

@Test func richnessIsStructureAndNotNoise() {
  var random = Philox(seed: 4)
  let noise = picture { _, _ in Float(random.normal()) }
  let stripes = picture { row, _ in row % 16 < 8 ? 1 : -1 }
  #expect(FrameChoice.richness(of: stripes) > 0.9 && FrameChoice.richness(of: noise) < 0.5)
  #expect(FrameChoice.richness(of: picture { _, _ in 3 }) == 0)
}

@Test func fourRotationsAreThePowersOfAQuarterTurn() {
  let image = Tensor([3, 4], Array(0..<12))
  var turned = image
  for k in 0..<4 {
    #expect(Symmetry.rotations[k](image) == turned)
    turned = Symmetry.quarterTurn(turned)
  }
}
