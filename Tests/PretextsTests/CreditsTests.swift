import Pretexts
import Tensors
import Testing

private func normals(_ shape: Shape, seed: UInt64) -> Tensor<Float> {
  var random = Philox(seed: 61, seed)
  return Tensor(shape, (0..<shape.count).map { _ in Float(random.normal()) })
}

private func oneHot(_ answers: [Int], _ classes: Int) -> Tensor<Float> {
  Tensor([answers.count, classes], answers.flatMap { answer in (0..<classes).map { $0 == answer ? 1 : 0 } })
}

/// Where no two answers are equally good, credits are what validation counts: for every rule, on random numbers.
@Test(arguments: 0..<4) func creditsWithoutTiesAreTheCountOfRightAnswers(seed: Int) {
  let seed = UInt64(seed), count = 24
  let classes = oneHot((0..<24).map { $0 * 7 % 5 }, 5), signs = Tensor<Float>([24], (0..<24).map { Float($0 % 2) })
  let bent = normals([24, 9], seed: seed).map { $0 + 0.2 * $0 * $0 }, marks = Tensor<Float>([24, 9], (0..<216).map { $0 % 3 > 0 ? 1 : 0 })
  var cases: [(Question, Tensor<Float>, [String: Tensor<Float>])] = []
  cases.append((Question(target: "t"), normals([24, 5], seed: seed), ["t": classes]))
  cases.append((Question(target: "t"), normals([24], seed: seed), ["t": signs]))
  cases.append((Question(rule: .within(0.8), target: "t"), normals([24, 2], seed: seed), ["t": normals([24, 2], seed: seed + 10)]))
  cases.append((Question(rule: .retrieval, target: nil), normals([24, 6], seed: seed), [:]))
  cases.append((Question(rule: .explaining(0.2, within: "m"), target: "t"), normals([24, 9], seed: seed), ["t": bent, "m": marks]))
  for (question, values, batch) in cases {
    let credits = question.credits(values, batch, first: count)
    let right = question.right(values, batch, first: count)
    #expect(credits.allSatisfy { $0 == 0 || $0 == 1 }, "\(question.rule)")
    #expect(credits.reduce(0, +) == Double(right), "\(question.rule)")
  }
}

/// Answers that are equally good share the credit, so that a network without an answer is exactly at chance.
@Test func equallyGoodAnswersShareTheCredit() {
  let classes = Question(target: "t"), pairs = Question(rule: .retrieval, target: nil), third = 1.0 / 3
  func found(_ rows: Int, _ codes: [Float], first count: Int? = nil) -> [Double] {
    pairs.credits(Tensor([rows, codes.count / rows], codes), [:], first: count ?? rows)
  }
  let quarters = classes.credits(Tensor(repeating: 2, [3, 4]), ["t": oneHot([0, 2, 3], 4)], first: 3)
  #expect(quarters == [0.25, 0.25, 0.25])
  let halves = classes.credits(Tensor([2], [0, 0]), ["t": Tensor([2], [0, 1])], first: 2)
  #expect(halves == [0.5, 0.5])
  let alike = found(5, Array(repeating: 1, count: 20))
  #expect(alike == [0.2, 0.2, 0.2, 0.2, 0.2])
  // First halves e1, e1, e2; second halves e1, e1, e1: all of them are equally near to each.
  let ties = found(3, [1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0])
  #expect(ties == [third, third, third])
  // e1 | e1, e2 | e2: each its own; and swapped: none.
  let own = found(2, [1, 0, 1, 0, 0, 1, 0, 1]), other = found(2, [1, 0, 0, 1, 0, 1, 1, 0])
  #expect(own == [1, 1])
  #expect(other == [0, 0])
  // Only the first rows compete.
  let few = found(3, [1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 0], first: 2)
  #expect(few == [1, 1])
  #expect(pairs.isAskedAmongABatch && !classes.isAskedAmongABatch)
}
