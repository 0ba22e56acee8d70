import Corpora
import Host
import Pretexts
import Tensors

/// The pictures of one split that a run uses, in memory: about 5 bytes a pixel.
public struct ImageSet: Sendable {
  public let records: [Record]
  public let images: [MaskedImage]
  /// The index of each record's label among `classes`; empty where the task makes its own answers.
  public let answers: [Int]
  /// The answers of the task, in order.
  public let classes: [String]

  public var count: Int { images.count }

  /// Loads what `include` and `exclude` leave of a split.
  /// Throws when nothing is left, or when a record lacks the label that the task asks for.
  public init(
    _ corpus: Corpus, split: Split, include: [String: [String]], exclude: [String: [String]], task: any PretextTask
  ) throws(InputError) {
    let path = corpus.folder + "/manifest.json"
    for label in include.keys.sorted() + exclude.keys.sorted() where !corpus.labels.contains(label) {
      throw InputError(
        path: path, place: "labels", expected: "one of \(corpus.labels.joined(separator: ", "))", found: "label \"\(label)\" in the recipe")
    }
    for (label, values) in (include.map { ($0, $1) } + exclude.map { ($0, $1) }).sorted(by: { $0.0 < $1.0 }) {
      let known = corpus.classes(of: label)
      if let unknown = values.first(where: { !known.contains($0) }) {
        throw InputError(
          path: path, place: "label \(label)", expected: "one of \(known.joined(separator: ", "))", found: "\"\(unknown)\" in the recipe")
      }
    }
    if let label = task.label, !corpus.labels.contains(label) {
      throw InputError(
        path: path, place: "labels", expected: "one of \(corpus.labels.joined(separator: ", "))", found: "label \"\(label)\" in the recipe")
    }
    records = corpus.records(in: split).filter(RecordFilter(include: include, exclude: exclude).accepts)
    guard !records.isEmpty else {
      throw InputError(path: path, place: "split \(split)", expected: "pictures that the recipe includes", found: "none")
    }
    images = try corpus.images(records)
    if let label = task.label {
      // Classes over the whole corpus as the recipe filters it, so that every split numbers them alike.
      let values = corpus.classes(of: label).filter { value in
        include[label].map { $0.contains(value) } ?? true && !(exclude[label]?.contains(value) ?? false)
      }
      guard values.count > 1 else {
        throw InputError(path: path, place: "label \(label)", expected: "at least two classes", found: "\(values)")
      }
      classes = task.classes(labels: values)
      var answers: [Int] = []
      for record in records {
        guard let value = record.labels[label], let index = values.firstIndex(of: value) else {
          throw InputError(
            path: path, place: "record \(record.id)", expected: "label \(label) among \(values.joined(separator: ", "))",
            found: record.labels[label] ?? "no such label")
        }
        answers.append(index)
      }
      self.answers = answers
    } else {
      classes = task.classes(labels: [])
      answers = []
    }
    if let odd = images.first(where: { $0.height != $0.width }) {
      throw InputError(path: path, place: "image size", expected: "square pictures for training", found: "\(odd.pixels.shape)")
    }
    guard side >= task.smallestSide else {
      throw InputError(
        path: path, place: "image size", expected: "at least \(task.smallestSide) pixels a side for this task", found: "\(side)")
    }
  }

  public var side: Int { images[0].height }
}
