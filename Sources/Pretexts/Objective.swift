import Foundation
import Graphs
import Networks
import Tensors

/// What a task asks the engine for.
public struct Objective {
  /// A scalar.
  public let loss: Value
  /// What is judged: one question, or one for each of several tasks at once.
  public let judged: [(question: Question, values: Value)]

  public init(loss: Value, judged: [(question: Question, values: Value)]) {
    precondition(!judged.isEmpty, "an objective without a question")
    self.loss = loss
    self.judged = judged
  }

  /// - Parameters:
  ///   - logits: one row per example: a logit per class, or for two classes one logit that is positive for class 1.
  ///   - target: the field that holds the right answers.
  public init(loss: Value, logits: Value, target: String) {
    self.init(loss: loss, judged: [(Question(target: target), logits)])
  }

  /// The field of the first question's right answers, where it has one.
  public var target: String? { judged[0].question.target }
  /// Of the first question.
  public var logits: Value { judged[0].values }

  /// A linear head under `head` that chooses among the classes of field `target`, `[N,K]`, with the mean cross entropy for loss.
  ///
  /// Side branches of the backbone get heads of their own (`head.aux1.fc2`), and in training 0.3 of their losses is added.
  init(classifying encoding: Encoding, _ batch: [String: Value], target field: String, in scope: Scope) {
    let target = batch[field]!, head = scope["head"], classes = target.shape[1]
    let prediction = Prediction(
      logits: Linear(classes)(encoding.codeword, in: head),
      auxiliaryLogits: encoding.auxiliaries.map { Linear(classes)($0.value, in: head[$0.classifier]) }, encoding: encoding)
    let own = prediction.logits.crossEntropy(target).mean()
    self.init(loss: scope.mode == .training ? prediction.loss(target) : own, logits: prediction.logits, target: field)
  }
}

/// How an answer of a network is found right or wrong.
public struct Question: Hashable, Sendable {
  public enum Rule: Hashable, Sendable {
    /// The largest logit of `[N,K]`, or the sign of `[N]`, stands at the class that field `target` names.
    case largest
    /// Every number of a row of `[N,D]` lies within this distance of the same one of field `target`.
    case within(Double)
    /// A row of `[N,2D]` holds the codes of two views of one picture. Right where, of the second halves of all rows, its own is
    /// nearest to its first half, by the cosine. Chance is one in the batch.
    case retrieval
    /// Of the variance of field `target`, over the pixels that field `within` marks, at least this share is explained.
    case explaining(Double, within: String)
  }

  /// The task, where several are trained at once.
  public let name: String
  public let rule: Rule
  /// The field that holds the right answers; `nil` where there is none.
  public let target: String?

  public init(name: String = "", rule: Rule = .largest, target: String?) {
    (self.name, self.rule, self.target) = (name, rule, target)
  }

  /// What a program's output of the answers is called.
  public var output: String { name.isEmpty ? "logits" : "logits.\(name)" }

  /// The same question of one of several tasks.
  func within(_ key: String) -> Question {
    var rule = rule
    if case .explaining(let share, let field) = rule { rule = .explaining(share, within: "\(key).\(field)") }
    return Question(name: key, rule: rule, target: target.map { "\(key).\($0)" })
  }

  /// How many of the first `count` rows are answered right.
  public func right(_ values: Tensor<Float>, _ batch: [String: Tensor<Float>], first count: Int) -> Int {
    switch rule {
    case .largest:
      let target = batch[target!]!
      let chosen = Answers.chosen(values), truth = target.shape.rank == 2 ? Answers.chosen(target) : target.elements.map { $0 > 0.5 ? 1 : 0 }
      return (0..<count).count { chosen[$0] == truth[$0] }
    case .within, .explaining: return (0..<count).count { isRight($0, values, batch) }
    case .retrieval:
      return Answers.retrieved(values, first: count)
    }
  }
}

extension Question {
  /// Whether one row is answered right by a rule that looks at no other row.
  func isRight(_ row: Int, _ values: Tensor<Float>, _ batch: [String: Tensor<Float>]) -> Bool {
    let truth = batch[target!]!, width = truth.shape.count / truth.shape[0], places = row * width..<(row + 1) * width
    switch rule {
    case .within(let tolerance):
      return places.allSatisfy { abs(Double(values.elements[$0] - truth.elements[$0])) <= tolerance }
    case .explaining(let share, let field):
      let marks = batch[field]!, marked = places.filter { marks.elements[$0] > 0 }
      let mean = marked.reduce(0) { $0 + Double(truth.elements[$1]) } / Double(max(1, marked.count))
      let total = marked.reduce(0) { $0 + pow(Double(truth.elements[$1]) - mean, 2) }
      let rest = marked.reduce(0) { $0 + pow(Double(truth.elements[$1] - values.elements[$1]), 2) }
      return total > 0 && rest <= (1 - share) * total
    case .largest, .retrieval: preconditionFailure("\(rule) is no rule of one row's numbers")
    }
  }
}

/// Answers of a network beside the right ones.
public enum Answers {
  /// The index of the answer per row: the largest logit of `[N,K]`, or the sign of `[N]`.
  public static func chosen(_ logits: Tensor<Float>) -> [Int] {
    guard logits.shape.rank == 2 else { return logits.elements.map { $0 > 0 ? 1 : 0 } }
    let classes = logits.shape[1]
    return (0..<logits.shape[0]).map { n in (0..<classes).max { logits.elements[n * classes + $0] < logits.elements[n * classes + $1] }! }
  }

  /// Of the first `count` rows `[2D]`, how many have their own second half nearest to their first half, by the cosine. A tie is wrong:
  /// a network that gives one code to all pictures retrieves nothing.
  static func retrieved(_ pairs: Tensor<Float>, first count: Int) -> Int {
    let codes = PairCodes(pairs, first: count)
    return (0..<count).count { row in
      let likeness = codes.likeness(of: row)
      return likeness.indices.allSatisfy { $0 == row || likeness[$0] < likeness[row] - PairCodes.rounding }
    }
  }
}
