import Foundation
import Pretexts
import Tensors
import Testing

private let plain = InputScaling(mean: 0, deviation: 1)

private func ramp(_ side: Int, _ value: (Int, Int) -> Float) -> MaskedImage {
  MaskedImage(pixels: Tensor([side, side], (0..<side * side).map { value($0 / side, $0 % side) }), weight: Tensor(repeating: 1, [side, side]))
}

private func example(
  _ task: some PretextTask, _ image: MaskedImage, seed: UInt64, variant: Int? = nil, augmenting: Bool = false
) -> [String: Tensor<Float>] {
  var random = Philox(seed: seed)
  let context = ExampleContext(scaling: plain, isAugmenting: augmenting, variant: variant)
  return task.makeExample(from: Shot(image), in: context, classes: task.classes(labels: []).count, using: &random)
}

private func middle(_ view: Tensor<Float>) -> Double { view.elements.reduce(0) { $0 + Double($1) } / Double(view.elements.count) }

/// On two ramps the mean of a view is the place of its middle, and its range the piece's size.
@Test(arguments: [41, 64]) func theRegionIsWhereThePieceLies(side: Int) {
  let rows = ramp(side) { row, _ in Float(row) }, columns = ramp(side) { _, column in Float(column) }, task = CropRegion()
  let edge = max(1, Int((0.03 * Double(side)).rounded())), frame = Double(side - 2 * edge - 1), centre = Double(side - 1) / 2
  for seed in 0..<200 as Range<UInt64> {
    let (a, b) = (example(task, rows, seed: seed), example(task, columns, seed: seed)), region = a["region"]!.elements.map(Double.init)
    #expect(a["region"] == b["region"])
    // The frame's phase moves it by up to half a pixel either way, and so does the choice between two pixels that are equally near.
    #expect(abs(middle(a["view"]!) - centre - region[0] * frame) < 1.01 && abs(middle(b["view"]!) - centre - region[1] * frame) < 1.01)
    let size = (region[2] + 0.65) * frame
    #expect(size > 0.4 * frame - 1 && size < 0.9 * frame + 1)
    // First and last row are in the middle of one of five cells or more.
    let range = Double(a["view"]!.elements.max()! - a["view"]!.elements.min()!)
    #expect(range < size && range > 0.8 * size - 2)
  }
  let chance = task.chance(batch: 8)!.share
  #expect(chance > 0.02 && chance < 0.4)
}

@Test func aWholeFrameShowsAllOfItAndAPieceLess() {
  let image = ramp(48) { row, column in Float(row + column) }, task = CropPresence()
  for seed in 0..<60 as Range<UInt64> {
    let (whole, piece) = (example(task, image, seed: seed, variant: 0), example(task, image, seed: seed, variant: 1))
    #expect(whole["cropped"]!.elements == [0] && piece["cropped"]!.elements == [1])
    func range(_ view: Tensor<Float>) -> Float { view.elements.max()! - view.elements.min()! }
    #expect(range(whole["view"]!) > 75 && range(piece["view"]!) < 0.95 * range(whole["view"]!))
  }
  let flat = ramp(48) { _, _ in 2 }
  #expect(example(task, flat, seed: 1, variant: 1)["view"]!.elements.allSatisfy { $0 == 2 })
}

/// One bright pixel a picture: a patch that is not all 0 sees it, and all that it sees tell where it lies.
@Test(arguments: [40, 45]) func theDirectionIsWhereTheSecondPatchLies(side: Int) {
  let task = PatchDirection(), patch = task.fields(side: side, classes: 8)["patches"]![2]
  let directions: [SIMD2<Double>] = [(-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)].map { SIMD2($0.0, $0.1) }
  for answer in 0..<8 {
    var seen: [[SIMD2<Double>]] = [[], []]
    for spot in 0..<side * side {
      let image = ramp(side) { row, column in row * side + column == spot ? 1 : 0 }
      let made = example(task, image, seed: UInt64(answer), variant: answer)
      #expect(made["direction"]!.elements.firstIndex(of: 1) == answer)
      for index in 0..<2 where made["patches"]!.elements[index * patch * patch..<(index + 1) * patch * patch].contains(where: { $0 > 0 }) {
        seen[index].append(SIMD2(Double(spot % side), Double(spot / side)))
      }
    }
    #expect(seen.allSatisfy { $0.count == patch * patch })
    let centres = seen.map { $0.reduce(SIMD2(0, 0), +) / Double($0.count) }
    let step = centres[1] - centres[0], reach = 2 * Double(Int(0.15 * Double(patch))) + 1e-9
    let error = step - directions[answer] * Double(patch + patch / 2)
    #expect(abs(error.x) <= reach && abs(error.y) <= reach, "answer \(answer): \(step)")
  }
}

@Test func theJigsawOrdersAreFarApartAndPublished() throws {
  let orders = JigsawPermutations.standard
  #expect(orders.count == 64 && orders.allSatisfy { $0.sorted() == Array(0..<9) })
  var least = 9
  for (i, a) in orders.enumerated() { for b in orders[..<i] { least = min(least, zip(a, b).count { $0 != $1 }) } }
  // The file was written by a program in another language from the description alone.
  // Nine orders can differ from each other everywhere (a Latin square), 72 in all but one place at best.
  #expect(least >= 7)
  let first = JigsawPermutations.greedy(count: 9, seed: 1)
  #expect(first == Array(orders.prefix(9)))
  for (i, a) in first.enumerated() { for b in first[..<i] { #expect(zip(a, b).allSatisfy { $0 != $1 }) } }
  let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Datasets/jigsaw-permutations.txt").standardized
  let published = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { !$0.hasPrefix("#") }
  #expect(published.map(String.init) == orders.map { $0.map(String.init).joined() })
}

/// In a picture of nine different slopes every tile is known by what it shows.
@Test func tilesLieInTheOrderThatTheAnswerNames() {
  let side = 60, task = Jigsaw()
  let image = ramp(side) { row, column in
    let cell = min(row / 20, 2) * 3 + min(column / 20, 2)
    // A slope of its own direction in each cell; mean and size of a slope are taken away, its direction is not.
    return Float(cos(Double(cell) * 0.6)) * Float(row % 20) + Float(sin(Double(cell) * 0.6)) * Float(column % 20)
  }
  let tile = task.fields(side: side, classes: 64)["tiles"]![2]
  for seed in 0..<40 as Range<UInt64> {
    let made = example(task, image, seed: seed), order = JigsawPermutations.standard[made["order"]!.elements.firstIndex(of: 1)!]
    for slot in 0..<9 {
      let pixels = made["tiles"]!.elements[slot * tile * tile..<(slot + 1) * tile * tile].map(Double.init)
      var down = 0.0, right = 0.0
      // Slopes over the middle of the tile, which lies within one cell at every jitter.
      for i in 4..<tile - 4 { for j in 4..<tile - 5 { right += pixels[i * tile + j + 1] - pixels[i * tile + j] } }
      for i in 4..<tile - 5 { for j in 4..<tile - 4 { down += pixels[(i + 1) * tile + j] - pixels[i * tile + j] } }
      let angle = atan2(right, down), expected = Double(order[slot]) * 0.6
      let difference = abs(remainder(angle - expected, 2 * .pi))
      #expect(difference < 0.2, "seed \(seed), slot \(slot)")
    }
  }
}

/// Were the first patch always in the middle, the place of the second alone would answer.
@Test(arguments: [65, 128]) func theFirstPatchLiesAnywhere(side: Int) {
  let task = PatchDirection(), patch = task.fields(side: side, classes: 8)["patches"]![2]
  // Where it lies, by weights: a row or column is measured or not as a code of its number tells, read off the gaps.
  func first(_ seed: UInt64, byRow: Bool) -> Int {
    var found = 0
    for bit in 0..<8 {
      var image = ramp(side) { row, column in Float((row * 7 + column * 3) % 5 + 1) }
      for i in image.weight.elements.indices where ((byRow ? i / side : i % side) >> bit) & 1 == 0 { image.weight.elements[i] = 0 }
      let made = example(task, image, seed: seed, variant: 4)["patches"]!
      if made.elements[0..<patch * patch].enumerated().contains(where: { (byRow ? $0 / patch : $0 % patch) == 0 && $1 != 0 }) { found |= 1 << bit }
    }
    return found
  }
  for byRow in [true, false] {
    let places = (0..<60).map { first(UInt64($0), byRow: byRow) }, spread = places.max()! - places.min()!
    #expect(Double(spread) > 0.2 * Double(side), "\(spread) of \(side)")
  }
}

/// What the chips of a detector do is drawn anew in every tile, at the same places of each: their seams do not name its cell.
@Test(arguments: [DarkPattern(), TileGain(tiles: 4, gain: 0.2, pedestal: 0.3)] as [any Augmentation])
func seamsOfChipsLieAlikeInEveryTile(_ augmentation: any Augmentation) {
  let side = 65, flat = ramp(side) { _, _ in 3 }
  var augmentation = augmentation
  if var pattern = augmentation as? DarkPattern {
    (pattern.pixels, pattern.columns) = (0, 0)
    augmentation = pattern
  }
  var jigsaw = Jigsaw(), direction = PatchDirection()
  (jigsaw.noise, direction.noise) = (0, 0)
  for (task, field) in [(jigsaw, "tiles"), (direction, "patches")] as [(any PretextTask, String)] {
    var seams: [[Set<Int>]] = []
    for seed in 0..<24 as Range<UInt64> {
      var random = Philox(seed: seed)
      let shot = Shot(flat, signal: SignalScale(unit: "photons", signal: { $0 }, value: { $0 }))
      let context = ExampleContext(scaling: InputScaling(mean: 0, deviation: 1), isAugmenting: true, augmentations: [augmentation])
      let made = task.makeExample(from: shot, in: context, classes: task.classes(labels: []).count, using: &random)[field]!, tile = made.shape[2]
      for slot in 0..<made.shape[0] {
        let pixels = Array(made.elements[slot * tile * tile..<(slot + 1) * tile * tile])
        while seams.count <= slot { seams.append([]) }
        seams[slot].append(Set((1..<tile).filter { column in (0..<tile).contains { abs(pixels[$0 * tile + column] - pixels[$0 * tile + column - 1]) > 1e-4 } }))
      }
    }
    // Every tile has its seams where every other one has them; dark-pattern leaves half of them as they are.
    let all = seams.map { $0.reduce(Set()) { $0.union($1) } }
    #expect(Set(all).count == 1 && all[0].count == 3, "\(all)")
  }
}

/// No constant answer is right more often than the chance that is told.
@Test func noConstantRegionBeatsChance() {
  let task = CropRegion(), side = 65, chance = task.chance(batch: 1)!.share
  var regions: [[Float]] = []
  for seed in 0..<4000 as Range<UInt64> { regions.append(example(task, ramp(side) { _, _ in 1 }, seed: seed)["region"]!.elements) }
  var best = 0.0
  for place in stride(from: -0.1, through: 0.1, by: 0.05) as StrideThrough<Float> {
    for size in stride(from: -0.25, through: 0.25, by: 0.025) as StrideThrough<Float> {
      let right = regions.count { abs($0[0] - place) <= 0.1 && abs($0[1]) <= 0.1 && abs($0[2] - size) <= 0.1 }
      best = max(best, Double(right) / 4000)
    }
  }
  #expect(abs(best - chance) < 5 * (chance * (1 - chance) / 4000).squareRoot(), "\(best), told \(chance)")
  #expect(chance > 0.3)
}

@Test func constantPicturesTellNoPlace() {
  let flat = ramp(60) { _, _ in 3 }
  for seed in 0..<20 as Range<UInt64> {
    #expect(example(PatchDirection(), flat, seed: seed)["patches"]!.elements.allSatisfy { $0 == 0 })
    #expect(example(Jigsaw(), flat, seed: seed)["tiles"]!.elements.allSatisfy { $0 == 0 })
    #expect(example(CropRegion(), flat, seed: seed)["view"]!.elements.allSatisfy { $0 == 3 })
  }
}

/// Noise without any content, white and shared among neighbours as area averages do: whole frames and pieces are equally strong, pixel by pixel and
/// from one to the next.
@Test(arguments: [false, true]) func noiseDoesNotTellAWholeFrameFromAPiece(isShared: Bool) {
  let side = 48
  var variance: [[Double]] = [[], []], roughness = variance
  for seed in 0..<150 as Range<UInt64> {
    var random = Philox(seed: seed, 9)
    let white = random.normals((side + 1) * (side + 1), 0, 1)
    func pixel(_ row: Int, _ column: Int) -> Float { white[row * (side + 1) + column] }
    let noise = ramp(side) { row, column in
      isShared ? pixel(row, column) + pixel(row, column + 1) + pixel(row + 1, column) + pixel(row + 1, column + 1) : pixel(row, column)
    }
    for variant in 0..<2 {
      let view = example(CropPresence(), noise, seed: seed, variant: variant)["view"]!.elements
      variance[variant].append(view.reduce(0) { $0 + Double($1 * $1) } / Double(view.count))
      roughness[variant].append(zip(view, view.dropFirst()).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) } / Double(view.count))
    }
  }
  for figures in [variance, roughness] {
    // A picture and a piece of it, with the same draws: pairs.
    let differences = zip(figures[0], figures[1]).map { $0 - $1 }, mean = Statistics.mean(differences)
    let spread = (Statistics.mean(differences.map { ($0 - mean) * ($0 - mean) }) / Double(differences.count)).squareRoot()
    #expect(abs(mean) < 3 * spread && spread < 0.03 * Statistics.mean(figures[0]), "\(mean) ± \(spread)")
  }
}
