import Evaluation
import Foundation
import Host
import Pretexts
import Tensors
import Training

/// A positive control for every task that moves pixels without mixing them: white noise with a cue of known strength, which a template
/// must find as well as theory allows and a fresh network of the same kind must find, too. "Chance" beside a cue that is not found means
/// a bad learning rate as well as no signal.
///
/// One hot pixel of A noise standard deviations, right in Φ(A/√2) of all flips; and a white fixed pattern of 1 % of the noise, right in
/// Φ(0.01·√(N/2)). The oracle is that of the task's own noise-free examples: Φ(d/2) for two classes d apart, by simulation in the space of
/// the means for more.
///
/// All other tasks have no such oracle. They get a `SureCue`, which leaves no doubt about the answer: a network must be right in all but two of a
/// hundred.
///
/// A network is trained for 150 steps and, as long as it misses the cue, afresh for twice as many, up to `TaskSubject.plantedSteps`.
public struct PlantedCue: TaskControl {
  public static let name = "planted cue"
  public static let meaning = "a cue of known strength is not found as theory says"
  public static let remedies: [Remedy] = []

  public var amplitude = 3.0
  public var pattern = 0.01
  /// Examples behind the template of the hot pixel, and of the pattern, which is spread over all pixels and takes more.
  public var frames = 10_000
  public var patternFrames = 160_000
  public init() {}

  public struct Outcome: Sendable {
    public var oracle: Double
    /// With as many examples as there were: what the template can reach.
    public var reachable: Double
    public var template: Score
  }

  public func finding(_ subject: TaskSubject) throws -> ControlFinding {
    let examiner = subject.examiner, side = examiner.side, sure: SureCue
    do { sure = try SureCue(examiner, seed: subject.seed) } catch { return ControlFinding(PlantedCue.self, .notApplicable, error.reason) }
    // The budget of a short audit is shared.
    let share = min(1, Double(subject.examples) / Double(subject.acceptance.examples))
    func count(_ whole: Int) -> Int { max(64, Int(share * Double(whole))) }
    guard sure.kind == .everywhere, examiner.question.rule == .largest,
      let pixel = try outcome(examiner, cue: hotPixel(side), training: count(frames), testing: subject.examples, seed: subject.seed)
    else { return try finding(subject, of: sure) }
    let spread = try outcome(
      examiner, cue: whitePattern(side, seed: subject.seed), training: count(patternFrames), testing: subject.examples, seed: subject.seed &+ 1)!
    func said(_ outcome: Outcome) -> String {
      "\(outcome.template), oracle \(decimals(outcome.oracle))" + (share < 1 ? " (\(decimals(outcome.reachable)) with so few frames)" : "")
    }
    let words = "hot pixel of \(amplitude) σ: \(said(pixel)); pattern of \(pattern) σ: \(said(spread))"
    let isFound = [pixel, spread].allSatisfy { $0.isFound }, isReached = [pixel, spread].allSatisfy { $0.isReached }
    guard subject.plantedSteps > 0 else {
      // What the recipe's own settings can find is not known without a network that was trained by them.
      let template = isFound ? "Found by a template: " : isReached ? "By a template as far as so few frames allow: " : "NOT found as theory allows by a template: "
      return ControlFinding(
        PlantedCue.self, .undecided, template + words + "; no network was trained on it.", score: pixel.template, expected: pixel.oracle)
    }
    let cue = hotPixel(side), seed = subject.seed
    let network = try trained(subject, reaching: pixel.oracle) { count, stream in
      Pictures(runs: Array(repeating: 0, count: count)) { PlantedCue.frame($0, cue, side: side, seed: seed, stream: stream) }
    }
    let all = words + "; a fresh network \(network.words)"
    if isReached, !isFound, network.isReached {
      return ControlFinding(
        PlantedCue.self, .undecided, "As far as so few frames allow: \(all).", score: pixel.template, expected: pixel.oracle)
    }
    return verdict(isFound && network.isReached, all, score: pixel.template, expected: pixel.oracle)
  }

  /// Of a task that only a sure cue can be planted for.
  private func finding(_ subject: TaskSubject, of sure: SureCue) throws -> ControlFinding {
    if case .plain = sure.kind {
      let share = try sure.shareToldByOneNumber(subject.examiner.scaled(by: sure.scaling), seed: subject.seed)
      guard share >= 0.99 else {
        return ControlFinding(
          PlantedCue.self, .notApplicable,
          "No sure answer is known for these steps: how rough a picture is tells \(decimals(share)) of them in \(sure.words).")
      }
    }
    guard subject.plantedSteps > 0 else {
      return ControlFinding(PlantedCue.self, .undecided, "The task has no oracle for a template, and no network was trained on a planted pattern.", expected: 1)
    }
    let network = try trained(subject, reaching: 1, scaling: sure.scaling) { sure.pictures($0, stream: $1) }
    return verdict(network.isReached, "\(sure.words) (oracle 1): a fresh network \(network.words)", score: network.score, expected: 1)
  }

  private func verdict(_ isFound: Bool, _ words: String, score: Score, expected: Double) -> ControlFinding {
    ControlFinding(
      PlantedCue.self, isFound ? .passed : .undecided,
      (isFound ? "Found: " : "NOT found as theory allows, so that chance elsewhere proves little: ") + words + ".", score: score, expected: expected)
  }

  package func hotPixel(_ side: Int) -> [Float] {
    var cue = [Float](repeating: 0, count: side * side)
    cue[side / 3 * side + side / 4] = Float(amplitude)
    return cue
  }

  package func whitePattern(_ side: Int, seed: UInt64) -> [Float] {
    var random = Philox(seed: seed, 92)
    return random.normals(side * side, 0, pattern)
  }

  static func frame(_ index: Int, _ cue: [Float], side: Int, seed: UInt64, stream: UInt64) -> MaskedImage {
    var frame = NoiseFrames.frame(index, side: side, mean: 0, deviation: 1, seed: seed, stream: stream)
    for i in cue.indices { frame.pixels.elements[i] += cue[i] }
    return frame
  }

  /// `nil` where the task does more than to move pixels.
  package func outcome(_ examiner: TaskExaminer, cue: [Float], training: Int, testing: Int, seed: UInt64) throws -> Outcome? {
    let side = examiner.side, examiner = try examiner.scaled()
    guard let oracle = try PlantedCue.oracle(examiner, cue: cue, seed: seed) else { return nil }
    func pictures(_ count: Int, _ stream: UInt64) -> Pictures {
      Pictures(runs: Array(repeating: 0, count: count)) { index in PlantedCue.frame(index, cue, side: side, seed: seed, stream: stream) }
    }
    let sums = try examiner.templateSums(pictures(training, 2), count: training, seed: seed &+ 3)
    guard sums.suffice else { return nil }
    let sheet = try examiner.sheet(of: pictures(testing, 4), count: testing, by: TemplateClassifier(sums), seed: seed &+ 5)
    let isBinary = examiner.classes.count == 2, d = oracle.separation
    return Outcome(
      oracle: oracle.accuracy,
      reachable: isBinary ? TemplateClassifier.accuracy(separation: d, width: cue.count, examples: training) : oracle.accuracy,
      template: sheet.score("accuracy, planted cue"))
  }

  /// Right answers of the best detector of the cue in noise of 1, from the examples that the task makes of the cue without noise.
  static func oracle(_ examiner: TaskExaminer, cue: [Float], seed: UInt64) throws -> (accuracy: Double, separation: Double)? {
    let side = examiner.side, target = examiner.target, classes = examiner.classes.count, looks = 16 * classes
    func views(_ pixels: [Float]) throws -> [Int: [[Float]]] {
      let image = MaskedImage(pixels: Tensor([side, side], pixels), weight: Tensor(repeating: 1, [side, side]))
      let examples = try examiner.examples(of: Pictures(runs: [0]) { _ in image }, 0..<looks, seed: seed &+ 7)
      return Dictionary(grouping: examples, by: \.truth).mapValues { $0.map { $0.input(without: target) } }
    }
    let noise = NoiseFrames.frame(0, side: side, mean: 0, deviation: 1, seed: seed, stream: 6).pixels.elements, sorted = noise.sorted()
    let moved = try views(noise)
    // The same pixels in other places, and always the same places for one answer.
    guard moved.count == classes, moved.values.allSatisfy({ own in own[0].sorted() == sorted && own.allSatisfy { $0 == own[0] } }) else { return nil }
    let clean = try views(cue)
    let means = (0..<classes).map { clean[$0]![0].map { Double($0) } }
    if classes == 2 {
      let d = zip(means[0], means[1]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
      return (AnalyticOracle.accuracy(separation: d), d)
    }
    return (simulated(means, seed: seed), 0)
  }

  /// The share of right answers of the nearest mean, over 200,000 draws in the space that the means span.
  private static func simulated(_ means: [[Double]], seed: UInt64) -> Double {
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    var basis: [[Double]] = []
    for mean in means {
      var rest = mean
      for axis in basis {
        let share = dot(rest, axis)
        for i in rest.indices { rest[i] -= share * axis[i] }
      }
      let length = dot(rest, rest).squareRoot()
      if length > 1e-9 * (dot(mean, mean).squareRoot() + 1e-30) { basis.append(rest.map { $0 / length }) }
    }
    let points = means.map { mean in basis.map { dot(mean, $0) } }, draws = 200_000
    var random = Philox(seed: seed, 93), right = 0
    for draw in 0..<draws {
      let truth = draw % points.count, x = points[truth].map { $0 + random.normal() }
      let distances = points.map { point in zip(point, x).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
      right += distances[truth] == distances.min() ? 1 : 0
    }
    return Double(right) / Double(draws)
  }

  /// What networks that saw nothing but the cue made of it.
  private struct Learnt {
    var oracle: Double
    var steps: [Int] = []
    var score: Score
    /// Within two points.
    var isReached: Bool { score.value >= oracle - 0.02 - 2 * score.standardError }
    var words: String { "\(score) after \(steps.last!) steps" + (steps.count > 1 ? " (too few: \(steps.dropLast().map(String.init).joined(separator: ", ")))" : "") }
  }

  /// How many steps are tried one after the other: 150, and twice as many each time, up to `most`.
  package static func attempts(upTo most: Int) -> [Int] {
    var attempts: [Int] = [], next = 150
    while next < most {
      attempts.append(next)
      next *= 2
    }
    return attempts + [most]
  }

  /// - Parameter pictures: count and stream -> pictures with the cue.
  private func trained(
    _ subject: TaskSubject, reaching oracle: Double, scaling: InputScaling = InputScaling(mean: 0, deviation: 1),
    _ pictures: (Int, UInt64) -> Pictures
  ) throws -> Learnt {
    var learnt: Learnt?
    for steps in PlantedCue.attempts(upTo: subject.plantedSteps) where learnt?.isReached != true {
      let score = try trained(subject, steps: steps, subject.examiner.scaled(by: scaling), pictures)
      learnt = Learnt(oracle: oracle, steps: (learnt?.steps ?? []) + [steps], score: score)
    }
    return learnt!
  }

  /// Examples a step of its network.
  package static func batch(of task: any PretextTask, trainedWith batch: Int) -> Int { task is any ViewPairTask ? batch : 32 }

  private func trained(
    _ subject: TaskSubject, steps: Int, _ examiner: TaskExaminer, _ make: (Int, UInt64) -> Pictures
  ) throws -> Score {
    let batch = PlantedCue.batch(of: examiner.task, trainedWith: examiner.batchSize), seed = subject.seed
    let pictures = make(steps * batch, 8)
    // One of several tasks is trained by itself.
    var like = examiner.checkpoint
    like.description.classes = examiner.classes
    let trained = try FreshTraining(steps: steps, batch: batch, seed: seed).run(
      like: like, task: examiner.task, scaling: examiner.scaling, path: "planted cue", progress: subject.progress
    ) { step in
      let examples = try examiner.examples(of: pictures, step * batch..<(step + 1) * batch, seed: seed &+ 9)
      return Dictionary(uniqueKeysWithValues: examples[0].fields.keys.map { name in (name, Tensor.stacked(examples.map { $0.fields[name]! })) })
    }
    let count = min(2000, subject.examples)
    return try TaskExaminer(trained, path: "planted cue", task: examiner.task).sheet(of: make(count, 10), count: count, seed: seed &+ 11).score("accuracy, planted cue, network")
  }
}

extension PlantedCue.Outcome {
  /// Within two points of the oracle.
  var isFound: Bool { abs(template.value - oracle) <= 0.02 + 2 * template.standardError }
  /// Within two points of what can be reached with so many frames, either way.
  var isReached: Bool { abs(template.value - reachable) <= 0.02 + 2 * template.standardError }
}
