import Corpora

/// A labelled question used only to judge features.
///
/// To add one: a file in `Downstream/` and a line in `Downstream/DownstreamCatalog.swift`. Any other label of a corpus can be
/// asked about as it is, with `init(label:)`.
public struct DownstreamTask: Hashable, Sendable {
  /// The name on the command line and in reports.
  public let name: String
  /// What is asked, in words.
  public let question: String
  /// The corpus label that answers it.
  public let label: String
  /// The instrument that answers the same question without training, whose verdict a corpus may carry as the label
  /// `<label>-<instrument>`; `nil` where there is none.
  public let instrument: String?

  public init(name: String, question: String, label: String, instrument: String? = nil) {
    (self.name, self.question, self.label, self.instrument) = (name, question, label, instrument)
  }

  /// A label of the corpus that has no task of its own.
  public init(label: String) { self.init(name: label, question: "Which \(label)?", label: label) }

  /// The class of a record; `nil` leaves it out: frames without beam, and records that do not carry the label.
  public func answer(_ record: Record) -> String? {
    record.labels["beam"] == "dark" ? nil : record.labels[label]
  }
}
