import Foundation
import Tensors

/// How many labelled frames a probe may learn from.
public struct LabelBudget: Codable, Hashable, Sendable, CustomStringConvertible {
  /// Frames of each class, out of the training runs; `nil` for every labelled frame of the training and validation runs.
  public let perClass: Int?
  /// How often such frames are drawn; the scores of the draws are averaged.
  public let draws: Int

  /// Every labelled frame.
  public static let everything = LabelBudget()

  /// `perClass` frames of each class, drawn `draws` times. Traps unless both are positive.
  public init(perClass: Int, draws: Int = 5) {
    precondition(perClass > 0 && draws > 0, "\(perClass) labels a class in \(draws) draws")
    (self.perClass, self.draws) = (perClass, draws)
  }

  private init() { (perClass, draws) = (nil, 1) }

  public var description: String {
    perClass.map { "\($0) labelled frames a class, mean of \(draws) \(draws == 1 ? "draw" : "draws")" } ?? "every labelled frame"
  }

  /// The frames of each draw. They depend on the seed and the task, not on the vectors: trunks of one seed learn from the same frames.
  ///
  /// Throws `ProbeError.tooFew` for a class with fewer frames.
  package func draws(of train: Embeddings, seed: UInt64, task: String) throws(ProbeError) -> [Embeddings] {
    guard let perClass else { return [train] }
    let members = train.classes.indices.map { label in train.labels.indices.filter { train.labels[$0] == label } }
    for (label, own) in members.enumerated() where own.count < perClass {
      throw .tooFew(part: "train (class \(train.classes[label]))", count: own.count, needed: perClass)
    }
    return (0..<draws).map { draw in
      var random = Philox(seed: seed, UInt64(draw)).keyed("labelled frames of \(task)")
      return train.subset(members.flatMap { $0.shuffled(using: &random).prefix(perClass) }.sorted())
    }
  }

  /// The mean over draws. They share one test set, whose error averaging does not remove; the luck of the draw comes on top:
  /// √(mean² of the draws' own errors + s²/draws), with s the standard deviation over draws. Traps for no score.
  package func mean(_ scores: [Score]) -> Score {
    guard let first = scores.first else { preconditionFailure("no draws to average") }
    let own = Statistics.mean(scores.map(\.standardError)), luck = scores.count > 1 ? Statistics.standardError(scores.map(\.value)) : 0
    var notes = [description]
    for note in scores.flatMap(\.notes) where !notes.contains(note) { notes.append(note) }
    return Score(
      metric: first.metric, value: Statistics.mean(scores.map(\.value)), standardError: (own * own + luck * luck).squareRoot(),
      count: first.count, seeds: first.seeds, chance: first.chance, notes: notes)
  }
}
