import Foundation
import Networks
import Pretexts
import Tensors
import Testing

@Test func scalingIsMeanAndDeviationOfMeasuredPixels() throws {
  let image = MaskedImage(pixels: Tensor([1, 4], [1, 3, 100, 5]), weight: Tensor([1, 4], [1, 0.5, 0.49, 1]))
  let fitted = try #require(InputScaling(fitting: [image]))
  #expect(abs(fitted.mean - 3) < 1e-12 && abs(fitted.deviation - (8.0 / 3).squareRoot()) < 1e-12)
  let channel = fitted.channel(image)
  #expect(channel.shape == [1, 1, 4] && channel.elements[2] == 0 && channel.elements[1] == 0)
  #expect(abs(Double(channel.elements[3]) - 2 / (8.0 / 3).squareRoot()) < 1e-6)
}

@Test(arguments: [0.1, 100_000.3, 0] as [Float]) func equalPixelsHaveNoScaling(value: Float) {
  let flat = MaskedImage(pixels: Tensor(repeating: value, [31, 37]), weight: Tensor(repeating: 1, [31, 37]))
  #expect(InputScaling(fitting: [flat, flat]) == nil)
}

/// The scaling of small variations on a high floor, against the sums in closed form.
@Test func scalingSurvivesAHighFloor() throws {
  let pixels = (0..<1000).map { Float(100_000 + ($0 % 2)) }
  let fitted = try #require(InputScaling(fitting: [MaskedImage(pixels: Tensor([10, 100], pixels), weight: Tensor(repeating: 1, [10, 100]))]))
  #expect(abs(fitted.deviation - 0.5) < 1e-9 && abs(fitted.mean - 100_000.5) < 1e-6)
}

private let plain = InputScaling(mean: 0, deviation: 1)

private func example(_ image: MaskedImage, seed: UInt64, jitter: Jitter = still) -> (view: Tensor<Float>, position: Int) {
  var task = CropPosition(), random = Philox(seed: seed)
  task.jitter = jitter
  let made = task.makeExample(from: image, answer: nil, classes: 10, scaling: plain, augmenting: true, using: &random)
  return (made["view"]!, made["position"]!.elements.firstIndex(of: 1)!)
}

/// In a picture of two ramps the mean of a view is the place of its middle.
@Test(arguments: [33, 64, 97]) func thePositionLabelIsWhereThePieceLies(side: Int) {
  func ramp(_ value: (Int, Int) -> Int) -> MaskedImage {
    MaskedImage(
      pixels: Tensor([side, side], (0..<side * side).map { Float(value($0 / side, $0 % side)) }), weight: Tensor(repeating: 1, [side, side]))
  }
  let rows = ramp { row, _ in row + 1 }, columns = ramp { _, column in column + 1 }
  func middle(_ view: Tensor<Float>) -> Double { view.elements.reduce(0) { $0 + Double($1) } / Double(view.elements.count) - 0.5 }
  var places = [[(row: Double, column: Double)]](repeating: [], count: 10)
  for seed in 0..<900 as Range<UInt64> {
    let (a, position) = example(rows, seed: seed), (b, again) = example(columns, seed: seed)
    #expect(position == again)
    places[position].append((middle(a), middle(b)))
    // The outermost margin is never shown: the ramp's smallest and largest values are absent.
    let edge = max(1, Int((0.03 * Double(side)).rounded()))
    #expect(a.elements.min()! >= Float(edge) + 0.999 && a.elements.max()! <= Float(side - edge) + 0.001)
  }
  let centre = Double(side) / 2
  #expect(places.allSatisfy { $0.count > 50 && $0.count < 140 }, "900 draws over 10 classes: 90 ± 9 each")
  #expect(places[9].allSatisfy { abs($0.row - centre) < 1.1 && abs($0.column - centre) < 1.1 })
  for position in 0..<9 {
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    let row = mean(places[position].map(\.row)) - centre, column = mean(places[position].map(\.column)) - centre
    for (found, cell) in [(row, position / 3), (column, position % 3)] {
      let expected = Double(cell - 1) * 0.47 * Double(side) / 3
      #expect(abs(found - expected) < 0.05 * Double(side), "class \(position)")
    }
  }
}

@Test func aConstantPictureTellsNothing() {
  let flat = MaskedImage(pixels: Tensor(repeating: 2, [33, 33]), weight: Tensor(repeating: 1, [33, 33]))
  for seed in 0..<100 as Range<UInt64> { #expect(example(flat, seed: seed).view.elements.allSatisfy { $0 == 2 }) }
}

@Test func theSameKeyMakesTheSameExample() {
  let image = picture(33, 33, seed: 8)
  let a = example(image, seed: 3, jitter: Jitter()), b = example(image, seed: 3, jitter: Jitter()), c = example(image, seed: 4, jitter: Jitter())
  #expect(bits(a.view) == bits(b.view) && a.position == b.position && bits(a.view) != bits(c.view))
}

@Test(arguments: [40, 45]) func everyTaskMakesTheFieldsItAnnounces(side: Int) {
  let signal = SignalScale(unit: "photons", signal: { $0 }, value: { $0 })
  for type in PretextTaskCatalog.all {
    let task = type.init(), classes = task.classes(labels: ["a", "b", "c"])
    let shot = Shot(
      picture(side, side, seed: 2), answer: task.label == nil ? nil : 2, signal: signal, neighbour: .init(image: picture(side, side, seed: 3), isLater: true))
    func made(_ seed: UInt64) -> [String: Tensor<Float>] {
      var random = Philox(seed: seed)
      return task.makeExample(from: shot, in: ExampleContext(scaling: plain, isAugmenting: true), classes: classes.count, using: &random)
    }
    #expect(made(1).mapValues(\.shape) == task.fields(side: side, classes: classes.count), "\(type.name)")
    #expect(made(1) == made(1) && made(1) != made(2) && made(1).values.allSatisfy { $0.elements.allSatisfy(\.isFinite) }, "\(type.name)")
    #expect(PretextTaskCatalog.named(type.name) != nil)
    if let (share, rule) = task.chance(batch: 8) { #expect((0...0.5).contains(share) && !rule.isEmpty) }
  }
}

/// One line of a catalogue for every file beside it, and no name twice.
@Test func everyFileOfTasksAndAugmentationsIsCatalogued() throws {
  let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/Pretexts").standardized
  func count(_ folder: String) throws -> Int { try FileManager.default.contentsOfDirectory(atPath: sources.appending(path: folder).path).count - 1 }
  #expect(try count("Tasks") == PretextTaskCatalog.all.count && count("Augmentations") == AugmentationCatalog.all.count)
  #expect(Set(PretextTaskCatalog.all.map { $0.name }).count == PretextTaskCatalog.all.count)
  #expect(Set(AugmentationCatalog.all.map { $0.name }).count == AugmentationCatalog.all.count)
}

@Test func frameClassPutsAOneAtTheAnswer() {
  var random = Philox(seed: 1)
  let made = FrameClass(label: "kind").makeExample(
    from: picture(8, 8, seed: 1), answer: 1, classes: 3, scaling: plain, augmenting: false, using: &random)
  #expect(made["class"] == Tensor([3], [0, 1, 0]) && FrameClass(label: "kind").label == "kind")
}

@Test func impossibleSettingsAreNamed() {
  func key(_ change: (inout CropPosition) -> Void) -> String? {
    var task = CropPosition()
    change(&task)
    do { try task.validate() } catch { return error.key }
    return nil
  }
  #expect(key { _ in } == nil)
  #expect(key { $0.grid = 0 } == "grid")
  #expect(key { $0.largestShare = 1 } == "largestShare")
  #expect(key { $0.smallestShare = 0.7 } == "smallestShare")
  #expect(key { $0.margin = 0.5 } == "margin")
  #expect(key { $0.jitter.noise = -1 } == "jitter.noise")
  #expect((20...33).contains(CropPosition().smallestSide))
}

@Test func answersAreTheLargestLogitOrTheSign() {
  #expect(Answers.chosen(Tensor([2, 3], [0, 2, 1, 5, -1, 4])) == [1, 0])
  #expect(Answers.chosen(Tensor([3], [-1, 0.5, 0])) == [0, 1, 0])
}
