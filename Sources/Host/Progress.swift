/// How far a long job has come; the command line turns it into a progress line with rate and time left.
public struct Progress: Sendable {
  public let activity: String
  public let done: Int
  public let total: Int
  /// Extra figures to show, such as `loss 0.412`.
  public let note: String

  public init(_ activity: String, done: Int, total: Int, note: String = "") {
    self.activity = activity
    self.done = done
    self.total = total
    self.note = note
  }
}

/// Told about progress as it happens; called from the thread that does the work.
public typealias ProgressHandler = (Progress) -> Void
