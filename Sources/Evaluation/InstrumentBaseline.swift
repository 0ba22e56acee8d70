import Corpora
import Host

/// What a classical analysis scores on the pictures that the probes are judged on: the figure that features have to beat.
///
/// The corpus carries the instrument's verdict as a label, `hit-peaks` beside `hit`. A picture without a verdict of one of the
/// task's classes counts as answered wrongly, as it would be for a probe, and is counted. Nothing is fitted, so there is no seed.
public struct InstrumentBaseline: Codable, Hashable, Sendable {
  public var task: String
  public var instrument: String
  /// Balanced accuracy on the test runs.
  public var test: Score
  /// Test pictures to which the instrument gave no answer.
  public var unanswered: Int

  /// The baselines that `corpus` carries labels for, task by task.
  public static func scores(on tasks: [DownstreamTask], of corpus: Corpus) -> [InstrumentBaseline] {
    tasks.compactMap { task in
      guard let instrument = task.instrument else { return nil }
      let label = "\(task.label)-\(instrument)"
      guard corpus.labels.contains(label) else { return nil }
      let records = corpus.records.filter { $0.split == .test && task.answer($0) != nil }
      let classes = Set(corpus.records.compactMap { task.answer($0) }).sorted(), runs = Set(records.map(\.run)).sorted()
      guard !records.isEmpty, classes.count > 1 else { return nil }
      let predicted = records.map { record in record.labels[label].flatMap { classes.firstIndex(of: $0) } ?? -1 }
      let unanswered = predicted.count { $0 < 0 }
      let score = Score.balancedAccuracy(
        predicted: predicted, truth: records.compactMap { task.answer($0).flatMap { classes.firstIndex(of: $0) } },
        groups: records.compactMap { runs.firstIndex(of: $0.run) })
      return InstrumentBaseline(
        task: task.name, instrument: instrument,
        test: unanswered > 0 ? score.noting("\(unanswered) pictures without an answer count as wrong") : score, unanswered: unanswered)
    }
  }
}
