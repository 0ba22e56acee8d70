import Cues
import Evaluation
import Graphs
import Networks
import Pretexts
import Tensors
import Testing
import Training

// Deliberate mistakes in the making of examples. Each must be caught by a property or a control by name, and the product must pass the same.
// Docs/Mutants.md lists what catches each.

private let side = 17
private let scaling = InputScaling(mean: 0, deviation: 1)

/// What a maker of examples gives: the view `[S,S]` and the answer.
private typealias Maker = @Sendable (MaskedImage, inout Philox) -> (view: Tensor<Float>, truth: Int)

private func noise(_ seed: UInt64) -> MaskedImage {
  var random = Philox(seed: seed)
  return MaskedImage(pixels: Tensor([side, side], random.normals(side * side)), weight: Tensor(repeating: 1, [side, side]))
}

/// The product's own maker.
private func maker(_ task: some PretextTask, target: String, classes: Int) -> Maker {
  { image, random in
    let fields = task.makeExample(from: image, answer: nil, classes: classes, scaling: scaling, augmenting: false, using: &random)
    let answer = fields[target]!.elements
    let truth = answer.count == 1 ? (answer[0] > 0.5 ? 1 : 0) : answer.firstIndex(of: 1)!
    return (fields["view"]!.reshaped(to: [side, side]), truth)
  }
}

private let flip = maker(Flip(), target: "mirrored", classes: 2)
private let turn = maker(SingleImage(), target: "turns", classes: 4)

/// Property: the view is the picture under the symmetry that the answer names.
private func obeysItsLabels(_ make: Maker, _ symmetries: [Symmetry]) -> Bool {
  (0..<40).allSatisfy { index in
    var random = Philox(seed: 3, UInt64(index))
    let image = noise(UInt64(index)), (view, truth) = make(image, &random)
    return view == symmetries[truth](image.pixels)
  }
}

@Test func swappedLabelsDisobey() {
  #expect(obeysItsLabels(flip, [.identity, .mirror]))
  #expect(obeysItsLabels(turn, Symmetry.rotations))
  let swapped: Maker = { image, random in
    let (view, truth) = flip(image, &random)
    return (view, 1 - truth)
  }
  #expect(!obeysItsLabels(swapped, [.identity, .mirror]))
  // A quarter turn called three quarters, as after a mirror: VISSL's RotNet.
  let exchanged: Maker = { image, random in
    let (view, truth) = turn(image, &random)
    return (view, [0, 3, 2, 1][truth])
  }
  #expect(!obeysItsLabels(exchanged, Symmetry.rotations))
}

@Test func mirroringAfterTurningDisobeys() {
  let mutant: Maker = { image, random in
    let (view, truth) = turn(image, &random)
    return (random.next() & 1 == 1 ? Symmetry.mirror(view) : view, truth)
  }
  #expect(!obeysItsLabels(mutant, Symmetry.rotations))
}

/// Every second pixel of a picture of even size, which prefers the left one.
private let halving = PipelineStep("every second pixel", period: 2) { planes in
  planes.map { plane in
    let rows = plane.shape[0] / 2, columns = plane.shape[1] / 2
    return Tensor([rows, columns], (0..<rows * columns).map { plane.elements[$0 / columns * 2 * plane.shape[1] + $0 % columns * 2] })
  }
}

@Test func resizingBeforeTheMirrorFailsTheCommutationTable() throws {
  let mutant = try CommutationTable.row("resize", halving, "", sizes: [(96, 96), (34, 34)], owned: [])
  #expect(mutant.verdict == .fails && (mutant.worst?.relative ?? 0) > 0.9)
  let average = PipelineStep("area average") { planes in
    [MaskedImage(pixels: planes[0], weight: Tensor(repeating: 1, planes[0].shape)).resampled(toHeight: side, width: side).pixels]
  }
  #expect(try CommutationTable.row("resize", average, "", sizes: [(96, 96), (34, 34)], owned: []).verdict == .commutes)
}

/// Property: what stands in a gap changes nothing.
private func hidesGaps(_ make: Maker) -> Bool {
  (0..<40).allSatisfy { index in
    var one = noise(UInt64(index)), other = one
    for row in 0..<side {
      for column in 3..<6 {
        one.weight.elements[row * side + column] = 0
        other.weight.elements[row * side + column] = 0
        one.pixels.elements[row * side + column] = 0
        other.pixels.elements[row * side + column] = 7
      }
    }
    var first = Philox(seed: 3, UInt64(index)), second = first
    return make(one, &first).view == make(other, &second).view
  }
}

@Test func unmaskedGapsShow() {
  func unmasked(_ make: @escaping Maker) -> Maker {
    { image, random in make(MaskedImage(pixels: image.pixels, weight: Tensor(repeating: 1, image.pixels.shape)), &random) }
  }
  for make in [flip, turn] {
    #expect(hidesGaps(make))
    #expect(!hidesGaps(unmasked(make)))
  }
}

@Test func anEvenMedianFailsTheCommutationTable() throws {
  func median(_ low: Int, _ high: Int) -> PipelineStep {
    PipelineStep("median") { planes in
      planes.map { plane in
        let height = plane.shape[0], width = plane.shape[1]
        return Tensor(plane.shape, plane.elements.indices.map { i in
          var window: [Float] = []
          for row in max(0, i / width + low)...min(height - 1, i / width + high) {
            for column in max(0, i % width + low)...min(width - 1, i % width + high) { window.append(plane.elements[row * width + column]) }
          }
          return window.sorted()[window.count / 2]
        })
      }
    }
  }
  #expect(try CommutationTable.row("median", median(-2, 1), "", sizes: [(32, 33)], owned: []).verdict == .fails)
  // Where the window is cut by the edge its middle may lie between two; inside it never does.
  #expect(try CommutationResidual(of: median(-1, 1), under: .mirror, height: 32, width: 33).largest == 0)
}
