import Corpora

/// A labelled question used only to judge features.
public protocol DownstreamTask: Sendable {
  /// The name on the command line and in reports.
  static var name: String { get }
  /// What is asked, in words.
  static var question: String { get }
  /// The corpus label that answers it.
  static var label: String { get }
  /// The instrument that answers the same question without training, whose verdict a corpus may carry as the label
  /// `<label>-<instrument>`; `nil` where there is none.
  static var instrument: String? { get }
}

extension DownstreamTask {
  public static var instrument: String? { nil }

  /// The class of a record; `nil` leaves it out: frames without beam, and records that do not carry the label.
  public static func answer(_ record: Record) -> String? {
    record.labels["beam"] == "dark" ? nil : record.labels[label]
  }
}
