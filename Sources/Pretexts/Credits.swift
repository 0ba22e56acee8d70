import Foundation
import Tensors

extension Question {
  /// Whether a row is answered right depends on the other rows of its batch.
  public var isAskedAmongABatch: Bool { rule == .retrieval }

  /// The fields that say what is right.
  public var fields: [String] {
    guard case .explaining(_, let marks) = rule else { return target.map { [$0] } ?? [] }
    return (target.map { [$0] } ?? []) + [marks]
  }

  /// How right each of the first `count` rows is: 1 or 0 as `right` counts them, but where n answers are equally good and the right one is
  /// among them, 1/n. So a network that gives the same answer to everything is at chance, and not below.
  ///
  /// - Parameters:
  ///   - values: one row an example, as the program gives them.
  ///   - batch: at least `fields`, `[N, ...]`.
  public func credits(_ values: Tensor<Float>, _ batch: [String: Tensor<Float>], first count: Int) -> [Double] {
    switch rule {
    case .largest: Answers.credits(values, truth: batch[target!]!, first: count)
    case .retrieval: Answers.retrievalCredits(values, first: count)
    case .within, .explaining: (0..<count).map { isRight($0, values, batch) ? 1 : 0 }
    }
  }
}

extension Answers {
  /// Of logits `[N,K]` with answers `[N,K]`, or of signs `[N]` with answers above or below one half.
  static func credits(_ logits: Tensor<Float>, truth: Tensor<Float>, first count: Int) -> [Double] {
    let answers = truth.shape.rank == 2 ? chosen(truth) : truth.elements.map { $0 > 0.5 ? 1 : 0 }
    guard logits.shape.rank == 2 else {
      return (0..<count).map { row in
        let logit = logits.elements[row]
        return logit == 0 ? 0.5 : (logit > 0) == (answers[row] == 1) ? 1 : 0
      }
    }
    let classes = logits.shape[1]
    return (0..<count).map { row in
      let own = logits.elements[row * classes..<(row + 1) * classes], top = own.max() ?? 0
      return own[own.startIndex + answers[row]] == top ? 1 / Double(own.count { $0 == top }) : 0
    }
  }

  /// Of rows `[2D]`: whether, of all second halves, a row's own is nearest to its first half by the cosine; equally near ones share it.
  static func retrievalCredits(_ pairs: Tensor<Float>, first count: Int) -> [Double] {
    let codes = PairCodes(pairs, first: count)
    return (0..<count).map { row in
      let likeness = codes.likeness(of: row), own = likeness[row]
      guard !likeness.contains(where: { $0 > own + PairCodes.rounding }) else { return 0 }
      return 1 / Double(likeness.count { $0 >= own - PairCodes.rounding })
    }
  }
}

/// Both halves of rows `[2D]`, each of length 1 or 0.
struct PairCodes {
  /// Cosines that differ by less count as equal.
  static let rounding = 1e-9
  private let first: [[Double]]
  private let second: [[Double]]

  init(_ pairs: Tensor<Float>, first count: Int) {
    let width = pairs.shape[1] / 2
    func code(_ row: Int, _ half: Int) -> [Double] {
      let start = row * 2 * width + half * width, code = pairs.elements[start..<start + width].map(Double.init)
      let length = code.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return length > 0 ? code.map { $0 / length } : code
    }
    first = (0..<count).map { code($0, 0) }
    second = (0..<count).map { code($0, 1) }
  }

  /// The cosine of a row's first half with every second half.
  func likeness(of row: Int) -> [Double] { second.map { PairCodes.product(first[row], $0) } }

  private static func product(_ a: [Double], _ b: [Double]) -> Double {
    let a = a.span, b = b.span
    var sum = 0.0
    for i in a.indices { sum += a[i] * b[i] }
    return sum
  }
}
