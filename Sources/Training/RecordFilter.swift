import Corpora

/// Which pictures of a corpus a run uses, by their labels.
public struct RecordFilter: Sendable, Hashable {
  /// A picture needs each of these labels with one of the values.
  public var include: [String: [String]]
  /// A picture must not have any of these values.
  public var exclude: [String: [String]]

  public init(include: [String: [String]] = [:], exclude: [String: [String]] = [:]) {
    (self.include, self.exclude) = (include, exclude)
  }

  public func accepts(_ record: Record) -> Bool {
    func holds(_ label: String, _ values: [String]) -> Bool { record.labels[label].map(values.contains) ?? false }
    return include.allSatisfy(holds) && !exclude.contains(where: holds)
  }

  /// The same without what it says of `label`.
  public func ignoring(_ label: String) -> RecordFilter {
    var other = self
    other.include[label] = nil
    other.exclude[label] = nil
    return other
  }
}

extension TrainingRecipe {
  public var filter: RecordFilter { RecordFilter(include: include, exclude: exclude) }
}
