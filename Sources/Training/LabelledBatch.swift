import Corpora
import Foundation
import Host
import Pretexts
import Tensors

/// A batch as the network sees it, and what the task asks of it.
public struct LabelledBatch: Sendable {
  /// Field -> `[N, ...]`.
  public var fields: [String: Tensor<Float>]
  /// The tasks in their order; one, without a name, where it is not several that are trained at once.
  public var parts: [Part]

  /// What one task shows and asks.
  public struct Part: Sendable {
    public var name: String
    /// The names of its fields, sorted.
    public var fields: [String]
    /// The right answer of each example in words; empty where the task has no classes.
    public var answers: [String]
  }

  /// The right answer of each example in words, those to several tasks beside each other; empty where there are no classes.
  public var answers: [String] {
    (parts.first?.answers.indices ?? 0..<0).map { row in parts.map { $0.answers[row] }.filter { !$0.isEmpty }.joined(separator: "; ") }
  }

  package init(_ fields: [String: Tensor<Float>], _ questions: [Question], classes: [String]) {
    let count = fields.values.first?.shape[0] ?? 0
    self.fields = fields
    parts = questions.map { question in
      Part(
        name: question.name, fields: fields.keys.filter { question.name.isEmpty || $0.hasPrefix(question.name + ".") }.sorted(),
        answers: LabelledBatch.answers(to: question, in: fields, classes: classes, count: count))
    }
  }

  private static func answers(to question: Question, in fields: [String: Tensor<Float>], classes: [String], count: Int) -> [String] {
    guard let target = question.target.flatMap({ fields[$0] }) else { return Array(repeating: "", count: count) }
    switch question.rule {
    case .largest:
      // Of several tasks, those that begin with its name.
      let own = question.name.isEmpty ? classes : classes.filter { $0.hasPrefix(question.name + ": ") }
      let chosen = target.shape.rank == 2 ? Answers.chosen(target) : target.elements.map { $0 > 0.5 ? 1 : 0 }
      return chosen.map { own.indices.contains($0) ? own[$0] : "" }
    case .within:
      let width = target.shape.count / count
      return (0..<count).map { row in
        target.elements[row * width..<(row + 1) * width].map { String(format: "%.2f", $0) }.joined(separator: " ")
      }
    case .retrieval, .explaining: return Array(repeating: "", count: count)
    }
  }

  /// The batch of a run's first step, which no network has seen. Throws as a run would when the corpus has nothing to train on.
  public init(first recipe: TrainingRecipe, path: String) throws {
    let corpus = try Corpus(opening: recipe.corpus), task = try recipe.task.task(path: path)
    let augmentations = try recipe.chosenAugmentations(path: path)
    let images = try ImageSet(corpus, split: .train, include: recipe.include, exclude: recipe.exclude, task: task, augmentations: augmentations)
    let network = try TrainingNetwork(recipe, side: images.side, classes: images.classes, path: path)
    let maker = BatchMaker(
      images: images, task: task, augmentations: augmentations, scaling: try images.scaling(for: recipe), seed: recipe.seed, batch: recipe.batch)
    self.init(try maker.training(step: 0), network.questions, classes: images.classes)
  }
}
