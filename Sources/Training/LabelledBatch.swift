import Corpora
import Host
import Pretexts
import Tensors

/// A batch as the network sees it, and what the task asks of it.
public struct LabelledBatch: Sendable {
  /// Field -> `[N, ...]`.
  public var fields: [String: Tensor<Float>]
  /// The right answer of each example in words; empty where the task has no classes.
  public var answers: [String]

  init(_ fields: [String: Tensor<Float>], target: String, classes: [String]) {
    let target = fields[target]!
    let chosen = target.shape.rank == 2 ? Answers.chosen(target) : target.elements.map { $0 > 0.5 ? 1 : 0 }
    self.fields = fields
    answers = chosen.map { classes.indices.contains($0) ? classes[$0] : "" }
  }

  /// The batch of a run's first step, which no network has seen. Throws as a run would when the corpus has nothing to train on.
  public init(first recipe: TrainingRecipe, path: String) throws {
    let corpus = try Corpus(opening: recipe.corpus), task = try recipe.task.task(path: path)
    let images = try ImageSet(corpus, split: .train, include: recipe.include, exclude: recipe.exclude, task: task)
    let network = try TrainingNetwork(recipe, side: images.side, classes: images.classes, path: path)
    let maker = BatchMaker(images: images, task: task, scaling: try images.usableScaling(path: recipe.corpus), seed: recipe.seed, batch: recipe.batch)
    self.init(try maker.training(step: 0), target: network.program(batch: 1, mode: .inference).target, classes: images.classes)
  }
}
