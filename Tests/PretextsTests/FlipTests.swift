import Engine
import Graphs
import Networks
import Pretexts
import Tensors
import Testing

let scaling = InputScaling(mean: 0.3, deviation: 0.7)
let still = Jitter(intensity: 0, offset: 0, noise: 0)

/// Noise with gaps at random pixels and a column of weights below one half.
func picture(_ height: Int, _ width: Int, seed: UInt64, gaps: Double = 0.2) -> MaskedImage {
  var random = Philox(seed: seed)
  var pixels = [Float](), weight = [Float]()
  for _ in 0..<height * width {
    let isGap = random.uniform() < gaps
    weight.append(isGap ? 0 : Float(random.uniform(0.2, 1)))
    pixels.append(isGap ? 0 : Float(random.normal()))
  }
  return MaskedImage(pixels: Tensor([height, width], pixels), weight: Tensor([height, width], weight))
}

func mirrored(_ channel: Tensor<Float>) -> Tensor<Float> {
  Symmetry.mirror(channel.reshaped(to: [channel.shape[1], channel.shape[2]])).reshaped(to: channel.shape)
}

func bits(_ tensor: Tensor<Float>) -> [UInt32] { tensor.elements.map(\.bitPattern) }

@Test(arguments: [(33, 33), (32, 32), (9, 9)]) func theFlipLabelSaysWhetherTheViewIsTheMirrorImage(height: Int, width: Int) {
  let image = picture(height, width, seed: 1)
  for oneSided in [false, true] {
    let task = Flip(antisymmetric: true, showsOneSidedPixels: oneSided, jitter: still)
    var seen: Set<Float> = []
    for seed in 0..<32 as Range<UInt64> {
      var random = Philox(seed: seed)
      let example = task.makeExample(from: image, answer: nil, classes: 2, scaling: scaling, augmenting: true, using: &random)
      let label = example["mirrored"]!.elements[0], usual = task.view(image, scaling)
      seen.insert(label)
      #expect(bits(example["view"]!) == bits(label == 1 ? mirrored(usual) : usual))
    }
    #expect(seen == [0, 1])
  }
}

@Test func onlyPixelsWithAMeasuredTwinAreShown() {
  let image = picture(20, 21, seed: 3), shown = Flip().view(image, scaling).map { $0 != 0 }
  let grid = shown.reshaped(to: [20, 21])
  #expect(Symmetry.mirror(grid) == grid)
  // Unlike with one-sided pixels, where the mask answers.
  let all = Flip(antisymmetric: true, showsOneSidedPixels: true).view(image, scaling).map { $0 != 0 }.reshaped(to: [20, 21])
  #expect(Symmetry.mirror(all) != all)
}

/// The whole way of a picture from a frame commutes with mirroring: 0 bits of difference, at odd and even sizes.
@Test(arguments: [(64, 33), (65, 33), (40, 24), (33, 40), (97, 32)]) func theMirrorResidualOfTheWholePathIsZero(from: Int, to: Int) {
  let frame = picture(from, from + 3, seed: UInt64(from))
  func path(_ image: MaskedImage) -> Tensor<Float> {
    var small = image.resampled(toHeight: to, width: to)
    for i in small.pixels.elements.indices { small.pixels.elements[i] = small.pixels.elements[i].squareRoot().isNaN ? 0 : small.pixels.elements[i].squareRoot() }
    return Flip().view(small, scaling)
  }
  #expect(bits(path(Symmetry.mirror(frame))) == bits(mirrored(path(frame))))
}

@Test(arguments: [(33, 1), (32, 1), (32, 2), (33, 3)], Flip.Axis.allCases)
func theAntisymmetricHeadChangesSignUnderMirroring(_ size: (side: Int, tiles: Int), axis: Flip.Axis) throws {
  let (side, tiles) = size
  let task = Flip(antisymmetric: true, axis: axis, tiles: tiles)
  func mirrored(_ view: Tensor<Float>) -> Tensor<Float> { task.mirrored(view.reshaped(to: [side, side])).reshaped(to: view.shape) }
  let builder = GraphBuilder(), scope = Scope(builder, mode: .inference), view = builder.input("view", [6, 1, side, side])
  let logits = task.logits(view, backbone: ResNet10(width: 8), in: scope)
  let plan = try Plan(Program(inputs: ["view": view], parameters: scope.parameters, outputs: ["logits": logits]), precision: .float32)
  let weights = scope.initialWeights(seed: 5)
  let views = (0..<6).map { task.view(picture(side, side, seed: $0), scaling) }
  let f = try plan.evaluate(["view": .stacked(views)], weights)["logits"]!.elements
  let g = try plan.evaluate(["view": .stacked(views.map(mirrored))], weights)["logits"]!.elements
  #expect(zip(f, g).allSatisfy { abs($0 + $1) <= 1e-5 })
  #expect(f.contains { abs($0) > 1e-3 }, "the head answers something")
  #expect(f.map { $0 > 0 } == g.map { $0 < 0 })
}

@Test func theOrdinaryHeadHasABiasAndIsNotAntisymmetric() throws {
  let builder = GraphBuilder(), scope = Scope(builder, mode: .inference), view = builder.input("view", [1, 1, 33, 33])
  let logits = Flip(antisymmetric: false).logits(view, backbone: ResNet10(width: 8), in: scope)
  #expect(logits.shape == [1] && scope.parameters.contains { $0.path == "head.bias" })
  let plan = try Plan(Program(inputs: ["view": view], parameters: scope.parameters, outputs: ["logits": logits]), precision: .float32)
  let x = Flip().view(picture(33, 33, seed: 1), scaling), weights = scope.initialWeights(seed: 1)
  let f = try plan.evaluate(["view": .stacked([x])], weights)["logits"]!.elements[0]
  let g = try plan.evaluate(["view": .stacked([mirrored(x)])], weights)["logits"]!.elements[0]
  #expect(abs(f + g) > 1e-4)
}

/// χ² of label against index parity, one degree of freedom each: 15.1 has a probability of 1e-4.
@Test func flipLabelsAreBalancedAndIndependentOfThePlaceInTheBatch() {
  let image = picture(4, 4, seed: 0)
  var counts = [[0.0, 0.0], [0.0, 0.0]]
  for place in 0..<4000 as Range<UInt64> {
    var random = Philox(seed: 11, 2, place / 64, place % 64)
    let example = Flip().makeExample(from: image, answer: nil, classes: 2, scaling: scaling, augmenting: false, using: &random)
    counts[Int(place % 2)][Int(example["mirrored"]!.elements[0])] += 1
  }
  let ones = counts[0][1] + counts[1][1]
  #expect((ones - 2000) * (ones - 2000) / 1000 < 15.1)
  let difference = counts[0][1] - counts[1][1]
  #expect(difference * difference / 1000 < 15.1)
}

@Test func jitterLeavesGapsAtZeroAndMovesTheRest() {
  let image = picture(20, 20, seed: 4)
  var random = Philox(seed: 1)
  let task = Flip(antisymmetric: true, showsOneSidedPixels: true, jitter: Jitter(intensity: 0.1, offset: 0.05, noise: 0.05))
  var target = Philox(seed: 1)
  let plain = task.makeExample(from: image, answer: nil, classes: 2, scaling: scaling, augmenting: false, using: &target)["view"]!
  let moved = task.makeExample(from: image, answer: nil, classes: 2, scaling: scaling, augmenting: true, using: &random)["view"]!
  for (a, b) in zip(plain.elements, moved.elements) { #expect((a == 0) == (b == 0) && (a == 0 || a != b)) }
}

/// A measured pixel that is the corpus mean exactly is no gap: it gets offset and noise like any other.
@Test func aPixelOfTheMeanIsNoGap() {
  let side = 12
  var image = MaskedImage(pixels: Tensor(repeating: 3, [side, side]), weight: Tensor(repeating: 1, [side, side]))
  for i in [5, 40] { (image.pixels.elements[i], image.weight.elements[i]) = (0, 0) }
  let jitter = Jitter(intensity: 0.1, offset: 0.3, noise: 0.1), scaling = InputScaling(mean: 3, deviation: 2)
  var random = Philox(seed: 3)
  let view = Flip(antisymmetric: true, showsOneSidedPixels: true, jitter: jitter).makeExample(
    from: image, answer: 0, classes: 2, scaling: scaling, augmenting: true, using: &random)["view"]!.elements
  let gaps = view.count { $0 == 0 }, moved = view.count { abs($0) > 1e-3 }
  #expect(gaps == 2 && moved > 130)
}

/// Shifts go either way alike, move whole pixels, and uncover gaps: a picture of one bright pixel shows how far.
@Test func shiftsAreAsOftenLeftAsRight() {
  let side = 21, middle = 10 * side + 10
  let image = MaskedImage(
    pixels: Tensor([side, side], (0..<side * side).map { $0 == middle ? 9 : 1 }), weight: Tensor(repeating: 1, [side, side]))
  let task = Flip(antisymmetric: true, showsOneSidedPixels: false, jitter: Jitter(intensity: 0, offset: 0, noise: 0, shift: 0.1))
  var columns: [Int: Int] = [:]
  for place in 0..<2000 as Range<UInt64> {
    var random = Philox(seed: 12, place)
    let view = task.makeExample(
      from: image, answer: nil, classes: 2, scaling: InputScaling(mean: 0, deviation: 1), augmenting: true, using: &random)["view"]!
    let brightest = view.elements.indices.max { view.elements[$0] < view.elements[$1] }!
    columns[brightest % side - 10, default: 0] += 1
    // What a shift uncovers is a gap: as many zeros as rows and columns moved in.
    let down = abs(brightest / side - 10), across = abs(brightest % side - 10)
    #expect(view.elements.count { $0 == 0 } == side * side - (side - down) * (side - across))
  }
  #expect(Set(columns.keys) == [-2, -1, 0, 1, 2])
  for shift in 1...2 { #expect(abs(Double(columns[shift]! - columns[-shift]!)) < 5 * Double(columns[shift]! + columns[-shift]!).squareRoot()) }
}
