import Engine
import Foundation
import Graphs
import Networks
import Pretexts
import Tensors
import Testing

private func interpreted(_ shape: Shape, _ numbers: [Double], _ build: (Value) -> Value) -> [Double] {
  let builder = GraphBuilder(), x = builder.input("x", shape)
  return interpret([build(x)], feeding: [(x, Tensor(shape, numbers))])[0].elements
}

/// The formula of the paper, term by term.
@Test(arguments: [2, 3, 5]) func theContrastiveLossIsNTXent(count: Int) {
  var random = Philox(seed: UInt64(count))
  let width = 4, temperature = 0.3, codes = (0..<2 * count * width).map { _ in random.normal() }
  func cosine(_ a: Int, _ b: Int) -> Double {
    func dot(_ a: Int, _ b: Int) -> Double { (0..<width).reduce(0) { $0 + codes[a * width + $1] * codes[b * width + $1] } }
    return dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
  }
  let losses = (0..<2 * count).map { i in
    let partner = (i + count) % (2 * count), others = (0..<2 * count).filter { $0 != i }
    return -log(exp(cosine(i, partner) / temperature) / others.reduce(0) { $0 + exp(cosine(i, $1) / temperature) })
  }
  let found = interpreted([2 * count, width], codes) { $0.normalizedRows().normalizedTemperatureCrossEntropy(temperature: temperature) }[0]
  #expect(abs(found - losses.reduce(0, +) / Double(2 * count)) < 1e-9)
}

@Test func spreadAndCovarianceAreThoseOfTheSample() {
  var random = Philox(seed: 4)
  let (count, width) = (7, 3), codes = (0..<count * width).map { $0 % width == 0 ? random.normal(2, 0.4) : random.normal(-1, 3) }
  func column(_ j: Int) -> [Double] { stride(from: j, to: count * width, by: width).map { codes[$0] } }
  let means = (0..<width).map { column($0).reduce(0, +) / Double(count) }
  func covariance(_ a: Int, _ b: Int) -> Double {
    zip(column(a), column(b)).reduce(0) { $0 + ($1.0 - means[a]) * ($1.1 - means[b]) } / Double(count - 1)
  }
  let missing = (0..<width).reduce(0) { $0 + max(0, 1 - (covariance($1, $1) + 1e-4).squareRoot()) } / Double(width)
  let off = (0..<width).flatMap { a in (0..<width).filter { $0 != a }.map { pow(covariance(a, $0), 2) } }.reduce(0, +) / Double(width)
  #expect(abs(interpreted([count, width], codes) { $0.spreadAndCovariance().missing }[0] - missing) < 1e-9)
  #expect(abs(interpreted([count, width], codes) { $0.spreadAndCovariance().covariance }[0] / off - 1) < 1e-9)
}

@Test func retrievalCountsWhoFindsItsOtherHalf() {
  let question = Question(rule: .retrieval, target: nil)
  // Rows: first half, second half. Row 2's own second half points elsewhere.
  let pairs = Tensor<Float>([3, 4], [1, 0, 2, 0.1, 0, 1, 0, 5, -1, 0, 0.5, 0.9])
  #expect(question.right(pairs, [:], first: 3) == 2 && question.right(pairs, [:], first: 2) == 2)
  // One code for everything finds nothing.
  #expect(question.right(Tensor(repeating: 1, [3, 4]), [:], first: 3) == 0)
}

@Test func numbersAreRightWithinTheirTolerance() {
  let batch = ["region": Tensor<Float>([2, 2], [0.1, 0.2, 0.3, 0.4])]
  let question = Question(rule: .within(0.05), target: "region")
  #expect(question.right(Tensor([2, 2], [0.14, 0.16, 0.3, 0.46]), batch, first: 2) == 1)
}

@Test func aReconstructionIsJudgedByTheVarianceThatItExplains() {
  let batch = ["picture": Tensor<Float>([2, 4], [1, -1, 3, 9, 1, -1, 3, 9]), "judged": Tensor<Float>([2, 4], [1, 1, 0, 0, 1, 1, 0, 0])]
  let question = Question(rule: .explaining(0.5, within: "judged"), target: "picture")
  // Half of the amplitude explains ¾ of the variance, the mean none; what is not judged does not count.
  #expect(question.right(Tensor([2, 4], [0.5, -0.5, 0, 0, 0, 0, 3, 9]), batch, first: 2) == 1)
}

@Test func viewsOfAHandfulAreViewsOfOnePiece() {
  var task = SimCLR()
  task.pair.frames = FrameChoice(count: 1)
  (task.pair.pieces.smallestArea, task.pair.pieces.largestArea) = (0.06, 0.06)
  (task.pair.views.contrast, task.pair.views.brightness, task.pair.views.noise) = (0, 0, 0)
  #expect(task.frameChoice?.count == 1 && SimCLR().frameChoice == nil)
  // On a ramp both views of a piece show places at most its diagonal apart; views of the whole picture do not.
  let side = 40, ramp = MaskedImage(pixels: Tensor([side, side], (0..<side * side).map { Float($0 % side + 1) }), weight: Tensor(repeating: 1, [side, side]))
  let plain = InputScaling(mean: 0, deviation: 1)
  var far = 0
  for seed in 0..<60 as Range<UInt64> {
    func reach(_ task: SimCLR) -> Float {
      var random = Philox(seed: seed)
      let made = task.makeExample(from: Shot(ramp), in: ExampleContext(scaling: plain, isAugmenting: true), classes: 2, using: &random)
      let shown = made["view.1"]!.elements + made["view.2"]!.elements
      return shown.max()! - shown.min()!
    }
    #expect(reach(task) < 24)
    var whole = task
    whole.pair.frames = FrameChoice(count: 0)
    far += reach(whole) > 24 ? 1 : 0
  }
  #expect(far > 20)
}

@Test func theSecondViewMayBeOfTheNeighbouringShot() {
  var task = SimSiam()
  task.pair.neighbour = true
  (task.pair.views.contrast, task.pair.views.brightness, task.pair.views.noise) = (0, 0, 0)
  func flat(_ value: Float) -> MaskedImage { MaskedImage(pixels: Tensor(repeating: value, [16, 16]), weight: Tensor(repeating: 1, [16, 16])) }
  var random = Philox(seed: 1)
  let made = task.makeExample(
    from: Shot(flat(1), neighbour: .init(image: flat(2), isLater: true)), in: ExampleContext(scaling: InputScaling(mean: 0, deviation: 1), isAugmenting: true),
    classes: 2, using: &random)
  #expect(made["view.1"]!.elements.allSatisfy { abs($0 - 1) < 1e-5 } && made["view.2"]!.elements.allSatisfy { abs($0 - 2) < 1e-5 })
  #expect(task.needs == [.neighbour] && SimSiam().needs.isEmpty)
}

@Test func hiddenPatchesAreShownAsGapsAndOnlyMeasuredOnesAreJudged() {
  var task = MaskedPatches()
  (task.jitter, task.patch) = (still, 4)
  let image = picture(16, 16, seed: 2)
  var random = Philox(seed: 1)
  let made = task.makeExample(from: Shot(image), in: ExampleContext(scaling: scaling, isAugmenting: true), classes: 2, using: &random)
  let view = made["view"]!.elements, whole = made["picture"]!.elements, judged = made["judged"]!.elements
  #expect(whole == scaling.channel(image).elements)
  var hidden = 0
  for i in view.indices {
    #expect(judged[i] == 1 ? view[i] == 0 && whole[i] != 0 : view[i] == whole[i] || whole[i] == 0)
    hidden += judged[i] == 1 ? 1 : 0
  }
  let patches = Set(view.indices.filter { judged[$0] == 1 }.map { $0 / 16 / 4 * 4 + $0 % 16 / 4 })
  #expect(patches.count == 8 && hidden > 30)
  #expect(throws: SettingError.self) { try task.validate(backbone: ResNet10()) }
}

/// Each task sees its own fields, makes the examples that it makes alone, and has its own head; the losses add up.
@Test func severalTasksAtOnceAreEachThemselves() throws {
  let flip = Flip(antisymmetric: true, jitter: still), crop = CropPosition(), other = Flip(antisymmetric: false, axis: .upDown, jitter: still)
  let multi = Multi([.init(flip), .init(crop, weight: 0.5), .init(other, weight: 2)]), image = picture(33, 33, seed: 1, gaps: 0)
  try multi.validate()
  var random = Philox(seed: 7)
  let context = ExampleContext(scaling: scaling, isAugmenting: true)
  let made = multi.makeExample(from: Shot(image), in: context, classes: 14, using: &random)
  #expect(Set(made.keys) == ["flip.view", "flip.mirrored", "crop-position.view", "crop-position.position", "flip-2.view", "flip-2.mirrored"])
  var own = Philox(seed: 7).keyed("crop-position")
  let alone = crop.makeExample(from: Shot(image), in: context, classes: 10, using: &own)
  #expect(made["crop-position.view"] == alone["view"] && made["crop-position.position"] == alone["position"])

  let builder = GraphBuilder(), scope = Scope(builder, mode: .inference)
  let inputs = Dictionary(uniqueKeysWithValues: multi.fields(side: 33, classes: 14).map { ($0, builder.input($0, [1] + $1)) })
  let objective = multi.objective(inputs, backbone: ResNet10(width: 4), in: scope)
  #expect(objective.judged.map(\.question.output) == ["logits.flip", "logits.crop-position", "logits.flip-2"])
  #expect(objective.judged.map(\.question.target) == ["flip.mirrored", "crop-position.position", "flip-2.mirrored"])
  let heads = Set(scope.parameters.map(\.path).filter { !$0.hasPrefix("backbone.") && !$0.hasPrefix("statistics.") })
  #expect(heads == ["head.flip.weight", "head.crop-position.weight", "head.crop-position.bias", "head.flip-2.weight", "head.flip-2.bias"])
  // One trunk for all three.
  let plainBuilder = GraphBuilder(), trunk = Scope(plainBuilder, mode: .inference)
  _ = ResNet10(width: 4).codewords(plainBuilder.input("x", [1, 1, 33, 33]), in: trunk["backbone"])
  #expect(scope.parameters.count { $0.path.hasPrefix("backbone.") } == trunk.parameters.count)
  // The first task's statistics are the trunk's; the others have theirs beside it.
  let statistics = trunk.parameters.filter { $0.role == .statistic }.map(\.path)
  #expect(
    Set(scope.parameters.map(\.path).filter { $0.hasPrefix("statistics.") }) == Set(["crop-position", "flip-2"].flatMap { key in statistics.map { "statistics.\(key).\($0)" } }))
}

/// In training each task's pictures are normalised among themselves, so by itself each must be judged by averages of its own pictures: bright ones
/// and faint ones are answered as in training, once their averages have settled.
@Test func eachOfSeveralTasksIsJudgedByItsOwnStatistics() throws {
  let task = Multi([.init(FrameClass(label: "a")), .init(FrameClass(label: "a"))]), backbone = ResNet10(width: 4), batch = 16, side = 33
  func program(_ mode: Scope.Mode) -> (Program, Scope) {
    let builder = GraphBuilder(), scope = Scope(builder, mode: mode)
    let inputs = Dictionary(uniqueKeysWithValues: task.fields(side: side, classes: 4).sorted { $0.key < $1.key }.map { ($0, builder.input($0, [batch] + $1)) })
    let objective = task.objective(inputs, backbone: backbone, in: scope)
    return (Program(
      inputs: inputs.merging(scope.inputs) { own, _ in own }, parameters: scope.parameters,
      outputs: Dictionary(uniqueKeysWithValues: objective.judged.map { ($0.question.output, $0.values) }), updates: mode == .training ? scope.updates : [:]), scope)
  }
  let (training, scope) = program(.training), (inference, _) = program(.inference)
  var random = Philox(seed: 4)
  var fields = Dictionary(uniqueKeysWithValues: task.fields(side: side, classes: 4).map { ($0, Tensor<Float>(repeating: 0, [batch] + $1)) })
  for (name, scale, offset) in [("frame-class.view", Float(0.2), Float(-1)), ("frame-class-2.view", 3, 4)] {
    fields[name] = Tensor([batch, 1, side, side], random.normals(batch * side * side).map { $0 * scale + offset })
  }
  var weights = scope.initialWeights(seed: 1), gradients = Weights(scope.parameters)
  let plan = try Plan(training, precision: .float32)
  var together: [String: Tensor<Float>] = [:]
  for _ in 0..<120 { together = try plan.run(fields, &weights, gradients: &gradients) }
  let alone = try Plan(inference, precision: .float32).evaluate(fields, weights)
  #expect(alone.count == 2)
  for (name, own) in alone {
    let expected = together[name]!.elements, spread = expected.max()! - expected.min()!
    // But for n/(n − 1) in the running variance.
    for (a, b) in zip(own.elements, expected) { #expect(abs(a - b) < 0.05 * spread, "\(name)") }
  }
}

/// A task's own settings must not give its answer away, or take it away, either.
@Test func settingsThatContainTheAnswerAreRefused() {
  var shot = ShotIdentity()
  #expect(throws: Never.self) { try shot.validate() }
  shot.pair.neighbour = true
  #expect(throws: SettingError.self) { try shot.validate() }
  var crop = CropPosition()
  crop.jitter.shift = 0.1
  #expect(throws: SettingError.self) { try crop.validate() }
  var flip = Flip()
  flip.jitter.shift = 0.6
  #expect(throws: SettingError.self) { try flip.validate() }
}

/// What several tasks ask of mirrors and turns is what any of them asks, each once.
@Test func severalTasksAskForTheSymmetriesOfEach() {
  #expect(Multi([.init(Flip()), .init(CropPosition())]).answers == [.identity, .mirror])
  let all = Multi([.init(WhichSymmetry(.rotations)), .init(Flip())]).answers
  #expect(Set(all) == Set(Symmetry.rotations + [.mirror]) && all.count == 5)
}

@Test func severalTasksRefuseWhatOneOfThemRefuses() {
  let multi = Multi([.init(Flip()), .init(CropPosition())])
  #expect(multi.conflict(with: [Turn(mirrors: true, rotates: false)])?.about == "mirroring left and right")
  #expect(multi.conflict(with: [BeamShift()])?.about == "place" && multi.conflict(with: [Blur()]) == nil)
  #expect(throws: SettingError.self) { try Multi([.init(Flip())]).validate() }
  #expect(throws: SettingError.self) { try Multi([.init(Flip()), .init(multi)]).validate() }
  #expect(throws: SettingError.self) { try Multi([.init(Flip()), .init(CropPosition(), weight: 0)]).validate() }
  #expect(throws: SettingError.self) { try Multi([.init(Flip()), .init(SingleImage())]).validate() }
  var ofOne = ShotIdentity()
  ofOne.runs = 1
  #expect(throws: SettingError.self) { try Multi([.init(ofOne), .init(ShotIdentity())]).validate() }
  #expect(throws: Never.self) { try Multi([.init(ofOne), .init(Flip())]).validate() }
}
