import Foundation
import Host
import Networks
import Pretexts
import Tensors

/// Made-up pictures whose right answers leave no doubt: smooth random fields, three noise standard deviations strong.
///
/// By its slopes a picture of side S tells a shift of S/1000 from none, so that any piece says where it is from, how large and how turned it was;
/// and its hidden parts follow from those that are seen. So the best answer is right, but for settings that leave next to nothing to see. Tasks
/// that take their answers from elsewhere get a field for each answer, and tasks about noise pictures with next to none of their own (blur: with
/// nothing else), whose answers are shown to be there.
struct SureCue {
  enum Kind: Equatable {
    /// One field in all pictures.
    case everywhere
    /// A field for each class.
    case byClass
    /// Every picture's own.
    case byPicture
    /// The later shot has it, the earlier one its negative.
    case byTime
    /// A faint field with next to no noise, or white noise alone.
    case plain(isNoise: Bool)
  }

  let kind: Kind
  let side: Int
  /// What the fresh network is trained with; deviation 1 is that of the noise.
  let scaling: InputScaling
  /// In standard deviations of the noise.
  let amplitude: Double
  private let seed: UInt64
  private let classes: Int

  /// The largest number of classes for which patterns are learnt in as few steps as a control takes.
  static let mostClasses = 64
  /// Views of at least this area share more than a third of the picture, wherever they were cut: pieces that do not fit are reduced, by less than
  /// that where they are hardly turned and stretched.
  static let leastArea = 0.7, mostTurn = 5.0, mostAspect = 1.1

  /// Throws a `SureCueObstacle` where nothing can be planted.
  init(_ examiner: TaskExaminer, seed: UInt64) throws(SureCueObstacle) {
    let task = examiner.task
    (side, classes, self.seed) = (examiner.side, examiner.classes.count, seed)
    var scaling = InputScaling(mean: 0, deviation: 1)
    if let views = task as? any ViewPairTask {
      let own = views.pair.views
      guard !views.pair.neighbour, views.frameChoice == nil else {
        throw SureCueObstacle("The views are of neighbouring shots or of pieces of a handful of frames, which made-up pictures do not have.")
      }
      guard own.smallestArea >= SureCue.leastArea, own.rotation <= SureCue.mostTurn, own.shear == 0, own.aspect <= SureCue.mostAspect else {
        throw SureCueObstacle("Two views of a picture may share next to nothing of it: no oracle is known for finding one by the other.")
      }
      kind = .byPicture
    } else if task.label != nil {
      guard classes <= SureCue.mostClasses else {
        throw SureCueObstacle("Patterns for \(classes) classes are not learnt in as few steps as a control takes (\(SureCue.mostClasses) at most).")
      }
      kind = .byClass
    } else if task is ShotOrder {
      kind = .byTime
    } else if let photons = (task as? WhichPhotonNoise)?.change {
      // A hundred photons a pixel: their noise is the unit.
      let signal = 100 * photons.photon / (photons.pixels > 0 ? photons.pixels : 1)
      scaling = InputScaling(mean: signal, deviation: signal / 10)
      kind = .plain(isNoise: false)
    } else if task is WhichBlur {
      kind = .plain(isNoise: true)
    } else if task.asksAboutNoise {
      kind = .plain(isNoise: false)
    } else if task.needs.isEmpty {
      kind = .everywhere
    } else {
      throw SureCueObstacle("The task asks for more of a shot than its pixels, which made-up pictures do not have.")
    }
    if case .plain(let isNoise) = kind { amplitude = isNoise ? 0 : 1 } else { amplitude = 3 }
    self.scaling = scaling
    if case .explaining(let share, _) = examiner.question.rule, share > 0.9 * self.share {
      throw SureCueObstacle(
        "The task wants \(decimals(share)) of the variance explained: of a pattern in noise nobody can explain more than \(decimals(self.share)).")
    }
  }

  /// Of the variance of the pixels: what the noise leaves.
  var share: Double { amplitude * amplitude / (1 + amplitude * amplitude) }

  var words: String {
    switch kind {
    case .everywhere: "pattern of \(amplitude) σ that leaves no doubt"
    case .byClass: "a pattern of \(amplitude) σ for each class"
    case .byPicture: "every picture's own pattern of \(amplitude) σ"
    case .byTime: "a pattern of \(amplitude) σ that changes its sign between two shots"
    case .plain(let isNoise): isNoise ? "white noise and nothing else" : "a smooth pattern with next to no noise of its own"
    }
  }

  /// `count` pictures, the same ones each time; other ones of another `stream`.
  func pictures(_ count: Int, stream: UInt64) -> Pictures {
    let runs = Array(repeating: 0, count: count), cue = self
    switch kind {
    case .everywhere, .plain, .byClass:
      let fields = (0..<(kind == .byClass ? classes : 1)).map { field(UInt64($0)) }
      // Drawn, and not in turn, or a batch of fewer than all classes would always have the same ones.
      var random = Philox(seed: seed, 95, stream)
      let answers = runs.map { _ in Int.random(in: 0..<fields.count, using: &random) }
      return Pictures(runs: runs, answers: kind == .byClass ? answers : []) { index in cue.picture(index, fields[answers[index]], stream) }
    case .byPicture:
      return Pictures(runs: runs) { index in cue.picture(index, cue.field(UInt64(index) &+ stream << 32), stream) }
    case .byTime:
      let field = field(0), negative = field.map { -$0 }
      return Pictures(shots: runs) { index in
        // Which of the two is the shot, and which its neighbour, is of no consequence.
        let isLater = index % 2 == 0, pair = isLater ? [negative, field] : [field, negative]
        return Shot(
          cue.picture(2 * index, pair[0], stream), neighbour: .init(image: cue.picture(2 * index + 1, pair[1], stream), isLater: isLater))
      }
    }
  }

  private func picture(_ index: Int, _ field: [Float], _ stream: UInt64) -> MaskedImage {
    let noise = kind == .plain(isNoise: false) ? 0.05 : 1
    var frame = NoiseFrames.frame(index, side: side, mean: scaling.mean, deviation: noise * scaling.deviation, seed: seed, stream: stream)
    let strength = Float(amplitude * scaling.deviation)
    for i in field.indices { frame.pixels.elements[i] += strength * field[i] }
    return frame
  }

  /// Interpolated between 6 × 6 normal numbers, with mean 0 and deviation 1.
  private func field(_ number: UInt64) -> [Float] {
    var random = Philox(seed: seed, 94, number)
    let knots = 6, values = (0..<knots * knots).map { _ in random.normal() }
    func place(_ pixel: Int) -> (knot: Int, share: Double) {
      let x = Double(pixel) / Double(max(1, side - 1)) * Double(knots - 1), knot = min(knots - 2, Int(x))
      return (knot, x - Double(knot))
    }
    let raw = (0..<side * side).map { index -> Double in
      let (row, down) = place(index / side), (column, right) = place(index % side), corner = row * knots + column
      let upper = values[corner] * (1 - right) + values[corner + 1] * right
      let lower = values[corner + knots] * (1 - right) + values[corner + knots + 1] * right
      return upper * (1 - down) + lower * down
    }
    let mean = Statistics.mean(raw), deviation = Statistics.mean(raw.map { ($0 - mean) * ($0 - mean) }).squareRoot()
    return raw.map { Float(($0 - mean) / deviation) }
  }

  /// Right answers by one number of each picture, the logarithm of the mean square of the differences of neighbouring pixels, held against its mean
  /// and deviation for each answer. What that tells is there to be told, so an oracle is at least as good.
  func shareToldByOneNumber(_ examiner: TaskExaminer, seed: UInt64) throws -> Double {
    func numbers(_ stream: UInt64) throws -> [(truth: Int, number: Double)] {
      try examiner.examples(of: pictures(64 * classes, stream: stream), 0..<64 * classes, seed: seed &+ stream).map { example in
        (example.truth, SureCue.roughness(example.input(without: examiner.target), side: side))
      }
    }
    let known = Dictionary(grouping: try numbers(12), by: \.truth).mapValues { own in
      let mean = Statistics.mean(own.map(\.number))
      return (mean: mean, deviation: max(1e-6, Statistics.mean(own.map { ($0.number - mean) * ($0.number - mean) }).squareRoot()))
    }
    let asked = try numbers(14)
    let right = asked.count { one in
      known.min { abs(one.number - $0.value.mean) / $0.value.deviation < abs(one.number - $1.value.mean) / $1.value.deviation }?.key == one.truth
    }
    return Double(right) / Double(asked.count)
  }

  private static func roughness(_ pixels: [Float], side: Int) -> Double {
    var sum = 0.0
    for row in 0..<side {
      for column in 0..<side {
        let index = row * side + column
        if column + 1 < side { sum += Double((pixels[index + 1] - pixels[index]) * (pixels[index + 1] - pixels[index])) }
        if row + 1 < side { sum += Double((pixels[index + side] - pixels[index]) * (pixels[index + side] - pixels[index])) }
      }
    }
    return log(max(sum, .leastNormalMagnitude))
  }
}

/// Why no cue can be planted for a task.
struct SureCueObstacle: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}
