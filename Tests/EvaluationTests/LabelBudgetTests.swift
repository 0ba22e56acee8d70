import Evaluation
import Tensors
import Testing

/// `counts[k]` examples of class k, in runs of ten; the vector of an example is its number.
private func examples(_ counts: [Int]) -> Embeddings {
  let labels = counts.enumerated().flatMap { Array(repeating: $0, count: $1) }
  return Embeddings(
    vectors: Tensor([labels.count, 1], labels.indices.map(Float.init)), labels: labels, classes: counts.indices.map { "class \($0)" },
    groups: labels.indices.map { $0 / 10 })
}

@Suite struct LabelBudgetTests {
  @Test(arguments: [(1, 1), (5, 3), (20, 2)]) func everyDrawHasThatManyOfEachClass(_ perClass: Int, _ count: Int) throws {
    let train = examples([20, 300, 45]), draws = try LabelBudget(perClass: perClass, draws: count).draws(of: train, seed: 3, task: "hit")
    #expect(draws.count == count)
    for draw in draws {
      #expect(Set(draw.vectors.elements).count == 3 * perClass && draw.count == 3 * perClass)
      #expect((0..<3).allSatisfy { label in draw.labels.count { $0 == label } == perClass })
      // Labels and runs go with their vectors.
      #expect(draw.labels.indices.allSatisfy { i in
        let number = Int(draw.vectors.elements[i])
        return train.labels[number] == draw.labels[i] && train.groups[number] == draw.groups[i]
      })
    }
  }

  /// Trunks of one seed learn from the same frames whatever their features are; draws, seeds and tasks differ.
  @Test func framesDependOnSeedTaskAndDrawAlone() throws {
    let train = examples([200, 200]), budget = LabelBudget(perClass: 20, draws: 2)
    let other = Embeddings(
      vectors: Tensor([400, 2], (0..<800).map { Float($0 / 2) }), labels: train.labels, classes: train.classes, groups: train.groups)
    let drawn = try budget.draws(of: train, seed: 1, task: "hit").map(\.vectors.elements)
    // Another trunk's features, two to a frame.
    #expect(try budget.draws(of: other, seed: 1, task: "hit").map { draw in (0..<draw.count).map { draw.vectors.elements[2 * $0] } } == drawn)
    #expect(drawn[0] != drawn[1])
    #expect(try budget.draws(of: train, seed: 2, task: "hit")[0].vectors.elements != drawn[0])
    #expect(try budget.draws(of: train, seed: 1, task: "edge")[0].vectors.elements != drawn[0])
  }

  @Test func aClassWithFewerFramesIsRefusedByName() throws {
    #expect(throws: ProbeError.tooFew(part: "train (class class 1)", count: 9, needed: 10)) {
      try LabelBudget(perClass: 10).draws(of: examples([20, 9]), seed: 1, task: "hit")
    }
  }

  /// Scores 0.7 and 0.9 with error 0.03 each: mean 0.8, error √(0.03² + 0.1²); what a probe noted is kept.
  @Test func theErrorOfTheMeanHoldsTheLuckOfTheDraw() throws {
    func score(_ value: Double, _ notes: [String]) -> Score {
      Score(metric: "balanced accuracy", value: value, standardError: 0.03, count: 50, seeds: [1], chance: 0.5, notes: notes)
    }
    let mean = LabelBudget(perClass: 10, draws: 2).mean([score(0.7, ["a"]), score(0.9, ["a", "b"])])
    #expect(abs(mean.value - 0.8) < 1e-12 && abs(mean.standardError - (0.0009 + 0.01).squareRoot()) < 1e-12)
    #expect(mean.notes == ["10 labelled frames a class, mean of 2 draws", "a", "b"])
  }

  @Test func everythingIsEverything() throws {
    let train = examples([3, 5])
    #expect(try LabelBudget.everything.draws(of: train, seed: 1, task: "hit") == [train])
  }
}
