import Corpora
import Evaluation
import Tensors

/// The pictures of one source that carry one label.
struct Sample: Sendable {
  let records: [Record]
  let digests: [PictureDigest]
  /// Indices into `classes`.
  let labels: [Int]
  let classes: [String]
  /// The run of each, as a number.
  let groups: [Int]

  init(_ question: LabelQuestion, _ source: PictureScan.Source, seed: UInt64) {
    let place = Dictionary(uniqueKeysWithValues: question.classes.enumerated().map { ($1, $0) })
    let members = source.records.indices.filter { source.records[$0].labels[question.label] != nil }
    let runs = Set(members.map { source.records[$0].run }).sorted()
    let numbers = Dictionary(uniqueKeysWithValues: runs.enumerated().map { ($1, $0) })
    records = members.map { source.records[$0] }
    digests = members.map { source.digests[$0] }
    labels = records.map { place[$0.labels[question.label]!]! }
    classes = question.classes
    groups = records.map { numbers[$0.run]! }
  }

  private init(_ whole: Sample, _ indices: [Int]) {
    records = indices.map { whole.records[$0] }
    digests = indices.map { whole.digests[$0] }
    labels = indices.map { whole.labels[$0] }
    classes = whole.classes
    groups = indices.map { whole.groups[$0] }
  }

  /// At most `most` of them, drawn by chance.
  func drawn(_ most: Int, seed: UInt64) -> Sample {
    guard records.count > most else { return self }
    var random = Philox(seed: seed).keyed("audit sample")
    return Sample(self, Array(Array(records.indices).shuffled(using: &random).prefix(most)).sorted())
  }

  /// Every frame is given the class that is most over-represented among half of its run's frames, of which it is none:
  /// argmax over classes of (frames of the class in that half)/(frames of the class in all). `nil` where no run has two frames.
  ///
  /// Halves are drawn by chance, so the vote knows nothing about a frame but its run.
  func voteOfTheRun(seed: UInt64) -> Answers? {
    var random = Philox(seed: seed).keyed("audit votes"), totals = [Double](repeating: 0, count: classes.count)
    for label in labels { totals[label] += 1 }
    var predicted: [Int] = [], truth: [Int] = [], clusters: [Int] = []
    for (run, members) in Dictionary(grouping: labels.indices, by: { groups[$0] }).sorted(by: { $0.key < $1.key }) where members.count > 1 {
      let shuffled = members.shuffled(using: &random), middle = shuffled.count / 2
      for (asked, voters) in [(shuffled[..<middle], shuffled[middle...]), (shuffled[middle...], shuffled[..<middle])] {
        var votes = [Double](repeating: 0, count: classes.count)
        for voter in voters { votes[labels[voter]] += 1 / totals[labels[voter]] }
        let most = votes.max() ?? 0
        // Ties are drawn, else the first class would win them all.
        let winners = votes.indices.filter { votes[$0] == most }
        for member in asked {
          predicted.append(winners[min(winners.count - 1, Int(random.uniform() * Double(winners.count)))])
          truth.append(labels[member])
          clusters.append(run)
        }
      }
    }
    return predicted.isEmpty ? nil : Answers(predicted: predicted, truth: truth, runs: clusters, method: "the vote of the run's other frames")
  }

  /// Every frame is given the class of the labelled frame before it in its run. `nil` where no run has two frames.
  func frameBefore() -> Answers? {
    var predicted: [Int] = [], truth: [Int] = [], clusters: [Int] = []
    for (run, members) in Dictionary(grouping: labels.indices, by: { groups[$0] }).sorted(by: { $0.key < $1.key }) {
      for panel in Set(members.map { records[$0].panel }).sorted() {
        let ordered = members.filter { records[$0].panel == panel }.sorted { (records[$0].file, records[$0].eventIndex) < (records[$1].file, records[$1].eventIndex) }
        for (before, own) in zip(ordered, ordered.dropFirst()) {
          predicted.append(labels[before])
          truth.append(labels[own])
          clusters.append(run)
        }
      }
    }
    return predicted.isEmpty ? nil : Answers(predicted: predicted, truth: truth, runs: clusters, method: "the frame before")
  }
}

/// What a side channel says about some frames, and what is true.
struct Answers: Sendable {
  /// Classes as indices.
  var predicted: [Int]
  var truth: [Int]
  /// Frames of a run may err together.
  var runs: [Int]
  var method: String

  /// Balanced accuracy over all classes; or of one class against the rest, for which chance is ½.
  func score(of single: Int? = nil) -> Score {
    guard let single else { return Score.balancedAccuracy(predicted: predicted, truth: truth, groups: runs) }
    return Score.balancedAccuracy(predicted: predicted.map { $0 == single ? 1 : 0 }, truth: truth.map { $0 == single ? 1 : 0 }, groups: runs)
  }
}
