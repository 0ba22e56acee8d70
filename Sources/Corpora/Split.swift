/// The part of a corpus that a picture belongs to.
public enum Split: String, Codable, Hashable, Sendable, CaseIterable, Comparable, CodingKeyRepresentable {
  case train, validation, test

  public static func < (a: Split, b: Split) -> Bool { a.order < b.order }
  private var order: Int { self == .train ? 0 : self == .validation ? 1 : 2 }
}

/// What must stay together when a corpus is split: one run of one experiment.
public struct RunKey: Hashable, Codable, Sendable, Comparable, CustomStringConvertible {
  public var experiment: String
  public var run: Int

  public init(experiment: String, run: Int) { (self.experiment, self.run) = (experiment, run) }

  /// Reads `cxitut13:10`, or `:7` where the experiment has no name; `nil` for anything else.
  public init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let run = Int(text[text.index(after: colon)...]) else { return nil }
    self.init(experiment: String(text[..<colon]), run: run)
  }

  public var description: String { "\(experiment):\(run)" }
  public static func < (a: RunKey, b: RunKey) -> Bool { (a.experiment, a.run) < (b.experiment, b.run) }
}
