import Evaluation
import Foundation
import Tensors

/// What a per-pixel mean image knows: of a flip, an antisymmetric template.
///
/// Each class has its mean input μ_k, all share the variance s² of each input number; a picture x is given the class of largest
/// Σ (x − (μ_k + μ̄)/2)·(μ_k − μ̄)/s². Of two classes in independent noise that is the best linear detector, right in
/// Φ(d/2) of all examples with d² = Σ (μ₁ − μ₀)²/s² when the means are known, and in Φ(d²/(2√(d² + 4N/n))) when n examples told them.
public struct TemplateClassifier: Sendable {
  private let weights: [[Float]]
  private let offsets: [Float]

  /// Sums over examples, which add up in any order up to rounding.
  public struct Sums: Sendable {
    private(set) var counts: [Double]
    private(set) var sums: [[Double]]
    private(set) var squares: [Double]

    public init(classes: Int, width: Int) {
      counts = Array(repeating: 0, count: classes)
      sums = Array(repeating: Array(repeating: 0, count: width), count: classes)
      squares = Array(repeating: 0, count: width)
    }

    public mutating func add(_ input: [Float], of truth: Int) {
      counts[truth] += 1
      precondition(input.count == squares.count, "\(input.count) numbers for \(squares.count)")
      Sums.add(input, to: &sums[truth], &squares)
    }

    private static func add(_ input: [Float], to sums: inout [Double], _ squares: inout [Double]) {
      let values = input.span
      var sum = sums.mutableSpan, square = squares.mutableSpan
      for i in values.indices {
        let x = Double(values[i])
        sum[i] += x
        square[i] += x * x
      }
    }

    public mutating func merge(_ other: Sums) {
      for k in counts.indices {
        counts[k] += other.counts[k]
        for i in squares.indices { sums[k][i] += other.sums[k][i] }
      }
      for i in squares.indices { squares[i] += other.squares[i] }
    }

    /// Every class has two examples or more.
    public var suffice: Bool { counts.allSatisfy { $0 >= 2 } }
  }

  /// Traps unless the sums suffice.
  public init(_ sums: Sums) {
    precondition(sums.suffice, "a class without two examples")
    let classes = sums.counts.count, width = sums.squares.count, total = sums.counts.reduce(0, +)
    let means = zip(sums.sums, sums.counts).map { sum, count in sum.map { $0 / count } }
    var variance = [Double](repeating: 0, count: width)
    for i in 0..<width {
      let between = (0..<classes).reduce(0) { $0 + sums.counts[$1] * means[$1][i] * means[$1][i] }
      variance[i] = max(0, sums.squares[i] - between) / max(1, total - Double(classes))
    }
    // A number that never varies tells nothing (gaps), and one that hardly does must not shout.
    let floor = 1e-3 * Statistics.mean(variance)
    var weights: [[Float]] = [], offsets: [Float] = []
    let middle = (0..<width).map { i in means.reduce(0) { $0 + $1[i] } / Double(classes) }
    for mean in means {
      var weight = [Float](repeating: 0, count: width), offset = 0.0
      for i in 0..<width where variance[i] > 0 {
        let w = (mean[i] - middle[i]) / max(variance[i], floor)
        weight[i] = Float(w)
        offset += 0.5 * w * (mean[i] + middle[i])
      }
      weights.append(weight)
      offsets.append(Float(offset))
    }
    (self.weights, self.offsets) = (weights, offsets)
  }

  /// 1 where the class of largest score is `truth`, shared among equals.
  public func credit(_ input: [Float], _ truth: Int) -> Double {
    let scores = zip(weights, offsets).map { TemplateClassifier.product($0, input) - $1 }
    let top = scores.max() ?? 0
    return scores[truth] == top ? 1 / Double(scores.count { $0 == top }) : 0
  }

  private static func product(_ weights: [Float], _ input: [Float]) -> Float {
    let weight = weights.span, values = input.span
    var sum: Float = 0
    for i in values.indices { sum += weight[i] * values[i] }
    return sum
  }

  /// Right answers in the limit of known means: Φ(d/2) for two classes of means `d` apart in noise of 1, told by `examples` examples of
  /// `width` numbers each.
  public static func accuracy(separation d: Double, width: Int, examples: Int) -> Double {
    Statistics.normalCDF(d * d / (2 * (d * d + 4 * Double(width) / Double(examples)).squareRoot()))
  }
}

extension TaskExaminer.Example {
  /// All that a network is shown, in one row.
  func input(without target: String) -> [Float] {
    fields.count == 2
      ? fields.first { $0.key != target }!.value.elements
      : fields.filter { $0.key != target }.sorted { $0.key < $1.key }.flatMap(\.value.elements)
  }
}

extension TaskExaminer {
  /// Examples `range` of pictures, one after the other, a block at a time.
  func forEach(of pictures: Pictures, _ range: Range<Int>, seed: UInt64, _ body: (Example) throws -> Void) throws {
    for first in Swift.stride(from: range.lowerBound, to: range.upperBound, by: 1024) {
      for example in try examples(of: pictures, first..<min(range.upperBound, first + 1024), seed: seed) { try body(example) }
    }
  }

  /// The sums over the first `count` examples of pictures.
  func templateSums(_ pictures: Pictures, count: Int, seed: UInt64) throws -> TemplateClassifier.Sums {
    let target = target, width = task.fields(side: side, classes: classes.count).filter { $0.key != target }.reduce(0) { $0 + $1.value.count }
    var sums = TemplateClassifier.Sums(classes: classes.count, width: width)
    try forEach(of: pictures, 0..<count, seed: seed) { sums.add($0.input(without: target), of: $0.truth) }
    return sums
  }

  /// What a template says of the first `count` examples.
  func sheet(of pictures: Pictures, count: Int, by template: TemplateClassifier, seed: UInt64) throws -> AnswerSheet {
    let target = target
    var sheet = emptySheet
    try forEach(of: pictures, 0..<count, seed: seed) { sheet.append(template.credit($0.input(without: target), $0.truth), $0) }
    return sheet
  }

  /// What `answer` says of about `count` examples in the network's place, judged by the task's own question.
  func sheet(of pictures: Pictures, count: Int, seed: UInt64, answering answer: (Example) -> Tensor<Float>) throws -> AnswerSheet {
    let unit = order(of: pictures).unit, total = max(1, (count + unit - 1) / unit) * unit, block = max(1, 1024 / unit) * unit
    var sheet: AnswerSheet?
    for first in Swift.stride(from: 0, to: total, by: block) {
      let examples = try examples(of: pictures, first..<min(total, first + block), seed: seed)
      let own = judged(examples.map(answer), examples)
      if sheet == nil { sheet = own } else { sheet!.append(own) }
    }
    return sheet ?? emptySheet
  }
}
