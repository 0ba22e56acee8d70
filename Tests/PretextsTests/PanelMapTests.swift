import Networks
import Pretexts
import Tensors
import Testing

private let plain = InputScaling(mean: 0, deviation: 1)
private let photons = SignalScale(unit: "photons", signal: { $0 * $0 }, value: { $0.squareRoot() })
private let side = 20

/// Two panels of 8×6 pixels of the picture, 80×60 of their own: one upright at (1, 2), one a quarter turn on, at (11, 4): its rows run along
/// the picture's rows. By hand: picture pixel (r, c) of the first shows panel rows 10(r − 1)…, of the second row 10(c − 4), column 10(16 − r).
private func place(_ r: Int, _ c: Int) -> (panel: Int, row: Int, column: Int)? {
  if (1..<9).contains(r), (2..<8).contains(c) { return (0, 10 * (r - 1) + 5, 10 * (c - 2) + 5) }
  if (11..<17).contains(r), (4..<12).contains(c) { return (1, 10 * (c - 4) + 5, 10 * (16 - r) + 5) }
  return nil
}

private func tensor(_ value: (Int, Int) -> Int?) -> Tensor<Int16> {
  Tensor([side, side], (0..<side * side).map { Int16(value($0 / side, $0 % side) ?? -1) })
}

private func map(chips: (down: Int, across: Int) = (1, 2)) -> PanelMap {
  PanelMap(
    panels: tensor { place($0, $1)?.panel }, rows: tensor { place($0, $1)?.row }, columns: tensor { place($0, $1)?.column },
    panelShape: [2, 80, 60], chips: chips)
}

/// Another value in every pixel, all above 2; measured between the panels, too, as the blur of an area average may be.
private func image() -> MaskedImage {
  MaskedImage(pixels: Tensor([side, side], (0..<side * side).map { 2 + Float($0) / 64 }), weight: Tensor(repeating: 1, [side, side]))
}

private func applied(_ augmentation: some Augmentation, _ panels: PanelMap?, to image: MaskedImage = image(), seed: UInt64 = 3) -> MaskedImage {
  var random = Philox(seed: seed)
  return augmentation.augmented(image, of: Shot(image, signal: photons, panels: panels), scaling: plain, using: &random)
}

private func changed(_ change: some GradedChange, _ panels: PanelMap?, _ image: MaskedImage = image(), level: Int, seed: UInt64 = 3) -> MaskedImage {
  var random = Philox(seed: seed)
  return change.changed(image, to: level, of: Shot(image, signal: photons, panels: panels), scaling: plain, using: &random)
}

@Test func chipsAreNumberedOverThePanels() {
  let map = map()
  for i in map.panels.elements.indices {
    let expected = place(i / side, i % side).map { $0.panel * 2 + ($0.column < 30 ? 0 : 1) } ?? -1
    #expect(Int(map.chips.elements[i]) == expected)
  }
  #expect([map.panelCount, map.chipCount, map.columnsAPixel] == [2, 4, 10])
  #expect(Set(chipNumbers(2, 3)) == Set(0..<12))
}

private func chipNumbers(_ down: Int, _ across: Int) -> [Int] { map(chips: (down, across)).chips.elements.filter { $0 >= 0 }.map { Int($0) } }

/// The pedestal is an offset of the signal, below the tone map: √(g·x² + p), one g and p a chip, and nothing between panels.
@Test func gainAndPedestalAreThoseOfTheDetectorsChips() {
  let map = map(), before = image()
  let offset = applied(TileGain(tiles: 4, gain: 0, pedestal: 0.5), map), factor = applied(TileGain(tiles: 4, gain: 0.1, pedestal: 0), map)
  var offsets: [Int: [Float]] = [:], factors: [Int: [Float]] = [:]
  for i in before.pixels.elements.indices {
    let chip = Int(map.chips.elements[i]), signal = before.pixels.elements[i] * before.pixels.elements[i]
    guard chip >= 0 else {
      #expect(offset.pixels.elements[i] == before.pixels.elements[i] && factor.pixels.elements[i] == before.pixels.elements[i])
      continue
    }
    offsets[chip, default: []].append(offset.pixels.elements[i] * offset.pixels.elements[i] - signal)
    factors[chip, default: []].append(factor.pixels.elements[i] * factor.pixels.elements[i] / signal)
  }
  for values in [offsets, factors] {
    #expect(values.count == 4)
    for own in values.values { #expect(own.allSatisfy { abs($0 - own[0]) < 2e-4 }) }
    #expect(Set(values.values.map { ($0[0] * 1e4).rounded() }).count == 4)
  }
  // σ of the offset in the unit of the signal, whatever the scaling: over many chips.
  var squares: [Double] = []
  for seed in 0..<200 as Range<UInt64> {
    let drawn = applied(TileGain(tiles: 4, gain: 0, pedestal: 0.5), map, seed: seed).pixels.elements
    for i in [1 * side + 2, 1 * side + 7, 16 * side + 4, 11 * side + 4] {
      let value = Double(before.pixels.elements[i]), moved = Double(drawn[i])
      let offset = moved * moved - value * value
      squares.append(offset * offset)
    }
  }
  let variance = squares.reduce(0, +) / Double(squares.count), error = (2.0 / 800).squareRoot()
  #expect(abs(variance / 0.25 - 1) < 5 * error)
}

/// Columns of the turned panel are rows of the picture.
@Test func aDarkPatternLiesAlongTheColumnsOfThePanels() {
  let flat = MaskedImage(pixels: Tensor(repeating: 1, [side, side]), weight: Tensor(repeating: 1, [side, side])), map = map()
  var pattern = DarkPattern()
  (pattern.pixels, pattern.chips) = (0, 0)
  let columns = changed(pattern, map, flat, level: 1).pixels.elements
  var known: [SIMD2<Int>: Float] = [:]
  for i in columns.indices {
    guard let at = place(i / side, i % side) else {
      #expect(columns[i] == 1)
      continue
    }
    let line = SIMD2(at.panel, at.column / 10)
    #expect(known.updateValue(columns[i], forKey: line) ?? columns[i] == columns[i])
  }
  #expect(known.count == 12 && Set(known.values).count == 12)
  (pattern.columns, pattern.chips) = (0, 0.3)
  let chips = changed(pattern, map, flat, level: 1).pixels.elements
  #expect(Set(chips).count == 5)
  for i in chips.indices { #expect((chips[i] == 1) == (map.chips.elements[i] < 0)) }
}

/// The panels are exchanged as they lie: what one showed of its row and column comes from the other's; by hand from `place`.
@Test(arguments: [0, 1]) func twoPanelsAreExchangedAsTheyLie(gap: Int) {
  let map = map(), before = image(), swap = TileSwap(tiles: 3, gap: gap)
  for seed in 0..<10 as Range<UInt64> {
    let (rest, moved) = (changed(swap, map, level: 0, seed: seed), changed(swap, map, level: 1, seed: seed))
    #expect(rest.weight == moved.weight)
    for i in before.pixels.elements.indices {
      let (r, c) = (i / side, i % side)
      let isShown = place(r, c).map { at in
        at.panel == 0 ? min(r - 1, 8 - r, c - 2, 7 - c) >= gap : min(r - 11, 16 - r, c - 4, 11 - c) >= gap
      }
      if let isShown, let at = place(r, c) {
        // (r, c) of the first ↔ row 10(r − 1) = 10(c' − 4), column 10(c − 2) = 10(16 − r').
        let other = at.panel == 0 ? (18 - c) * side + r + 3 : (c - 3) * side + 18 - r
        #expect(rest.pixels.elements[i] == (isShown ? before.pixels.elements[i] : 0))
        #expect(moved.pixels.elements[i] == (isShown ? before.pixels.elements[other] : 0), "\(r), \(c)")
        #expect(rest.weight.elements[i] == (isShown ? 1 : 0))
      }
    }
  }
  // Both answers hide what is not measured in either.
  var holed = before
  for i in [3 * side + 4, 13 * side + 6] { (holed.pixels.elements[i], holed.weight.elements[i]) = (0, 0) }
  #expect(changed(swap, map, holed, level: 0).weight == changed(swap, map, holed, level: 1).weight)
}

@Test func aMapOfOnePanelLeavesTheGridToTileSwap() {
  let one = PanelMap(
    panels: Tensor(repeating: 0, [side, side]), rows: tensor { row, _ in row }, columns: tensor { _, column in column }, panelShape: [1, side, side])
  #expect(changed(TileSwap(tiles: 2, gap: 1), one, level: 1) == changed(TileSwap(tiles: 2, gap: 1), nil, level: 1))
}

/// Gains of chips draw the detector's outline into a question about orientation: of any hand, whatever the answer.
@Test func theOutlineOfChipsGoesWithNoAnswer() {
  let own = map(), still = Jitter(intensity: 0, offset: 0, noise: 0), before = MaskedImage(
    pixels: Tensor(repeating: 3, [side, side]), weight: Tensor(repeating: 1, [side, side]))
  let context = ExampleContext(scaling: plain, isAugmenting: true, augmentations: [TileGain(tiles: 4, gain: 0.1, pedestal: 0)])
  func counts(_ task: some PretextTask, _ answer: String) -> [[Int]] {
    let turned = task.answers.map { own.turned(by: $0).chips.elements }
    var counts = Array(repeating: Array(repeating: 0, count: turned.count), count: turned.count)
    for seed in 0..<400 as Range<UInt64> {
      var random = Philox(seed: seed)
      let made = task.makeExample(from: Shot(before, signal: photons, panels: own), in: context, classes: turned.count, using: &random)
      let view = made["view"]!.elements, truth = made[answer]!.elements
      let hands = turned.indices.filter { hand in
        // The outline that is drawn: one value in each chip, and the untouched one beside them.
        var values: [Int16: Set<Float>] = [:]
        for (chip, value) in zip(turned[hand], view) { values[chip, default: []].insert(value) }
        return values.allSatisfy { $0.value.count == 1 } && values[-1] == [3]
      }
      #expect(hands.count == 1)
      counts[truth.count == 1 ? Int(truth[0]) : truth.firstIndex(of: 1)!][hands[0]] += 1
    }
    return counts
  }
  // Each pair as often as any other, within five standard deviations.
  #expect(counts(Flip(antisymmetric: true, jitter: still), "mirrored").joined().allSatisfy { abs($0 - 100) < 45 })
  #expect(counts(WhichSymmetry(.rotations, jitter: still), "symmetry").joined().allSatisfy { abs($0 - 25) < 25 })
}

/// A map of the shot's own picture is not laid over one that has moved.
@Test func theMapIsUsedWhereThePictureLiesAsTheDetectorDoes() {
  let gain = TileGain(tiles: 4, gain: 0.1, pedestal: 0), before = image(), own = map()
  func augmented(_ augmentations: [any Augmentation], _ panels: PanelMap?) -> MaskedImage {
    var random = Philox(seed: 9)
    return ExampleContext(scaling: plain, isAugmenting: true, augmentations: augmentations)
      .augmented(before, of: Shot(before, signal: photons), panels: panels, using: &random)
  }
  #expect(augmented([gain], own) != augmented([gain], nil))
  #expect(augmented([gain, BeamShift(reach: 0.1)], own) != augmented([gain, BeamShift(reach: 0.1)], nil))
  for moving in [BeamShift(reach: 0.1), Turn(mirrors: true, rotates: false)] as [any Augmentation] {
    #expect(augmented([moving, gain], own) == augmented([moving, gain], nil))
  }
  func example(_ task: some PretextTask, _ panels: PanelMap?) -> [String: Tensor<Float>] {
    var random = Philox(seed: 2)
    let context = ExampleContext(scaling: plain, isAugmenting: true, augmentations: [gain])
    return task.makeExample(from: Shot(before, answer: 0, signal: photons, panels: panels), in: context, classes: 2, using: &random)
  }
  #expect(example(FrameClass(label: "x"), own) != example(FrameClass(label: "x"), nil))
  #expect(WhichTileOrder().usesPanels && WhichDarkPattern().usesPanels && !Flip().usesPanels)
}

/// A view is cut out of the augmented picture: its chips have gains of their own, and noise of an enlarged piece is shared by neighbours.
@Test func viewsAreCutOutOfTheAugmentedPicture() {
  let flat = MaskedImage(pixels: Tensor(repeating: 2, [side, side]), weight: Tensor(repeating: 1, [side, side]))
  var task = SimCLR()
  (task.pair.views.smallestArea, task.pair.views.aspect, task.pair.views.rotation, task.pair.views.mirrors) = (1, 1, 0, false)
  (task.pair.views.contrast, task.pair.views.brightness, task.pair.views.noise) = (0, 0, 0)
  func views(_ augmentation: any Augmentation, _ task: SimCLR) -> [Tensor<Float>] {
    var random = Philox(seed: 5)
    let context = ExampleContext(scaling: plain, isAugmenting: true, augmentations: [augmentation])
    let made = task.makeExample(from: Shot(flat, signal: photons, panels: map()), in: context, classes: 2, using: &random)
    return [made["view.1"]!, made["view.2"]!]
  }
  let gains = views(TileGain(tiles: 4, gain: 0.1, pedestal: 0), task)
  #expect(gains[0] != gains[1], "each view has gains of its own")
  for view in gains {
    let chips = map().chips.elements, own = Dictionary(grouping: view.elements.indices.filter { chips[$0] >= 0 }) { chips[$0] }.mapValues { $0.map { view.elements[$0] } }
    // A view of all of it is a hair smaller, which mixes pixels at the edges of a chip.
    let levels = own.values.map { $0.sorted()[$0.count / 2] }.sorted()
    for values in own.values {
      let middle = values.sorted()[values.count / 2]
      #expect(values.count { abs($0 - middle) < 1e-3 } > values.count / 2)
    }
    #expect(zip(levels, levels.dropFirst()).allSatisfy { $1 - $0 > 1e-3 }, "\(levels)")
  }
  // A quarter of the area, twice as large: bilinear samples half a pixel apart.
  (task.pair.views.smallestArea, task.pair.views.largestArea) = (0.25, 0.25)
  for view in views(PhotonNoise(shares: [0.1, 0.05]), task) {
    let pixels = view.elements.map(Double.init), mean = Statistics.mean(pixels), centred = pixels.map { $0 - mean }
    let beside: [Double] = centred.indices.filter { $0 % side > 0 }.map { centred[$0] * centred[$0 - 1] }
    let correlation = Statistics.mean(beside) / Statistics.mean(centred.map { $0 * $0 })
    #expect(correlation > 0.3, "\(correlation)")
  }
}
