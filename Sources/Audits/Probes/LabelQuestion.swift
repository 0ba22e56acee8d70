import Corpora

/// A label that has at least two classes within one source: what probes are asked about.
///
/// Within a source, because a class that is a detector (`kind`) may of course be told from a detector's mask and header.
struct LabelQuestion: Sendable {
  let label: String
  let source: String
  /// Sorted.
  let classes: [String]

  /// The questions of a corpus, and why other labels are none.
  static func all(in corpus: Corpus) -> (asked: [LabelQuestion], unasked: [String: String]) {
    var asked: [LabelQuestion] = [], unasked: [String: String] = [:]
    for label in corpus.labels {
      for source in corpus.manifest.sources.map(\.name) {
        let classes = Set(corpus.records.lazy.filter { $0.source == source }.compactMap { $0.labels[label] }).sorted()
        if classes.count > 1 { asked.append(LabelQuestion(label: label, source: source, classes: classes)) }
      }
      if !asked.contains(where: { $0.label == label }) { unasked[label] = "one class in each source: it names the source" }
    }
    return (asked, unasked)
  }
}
