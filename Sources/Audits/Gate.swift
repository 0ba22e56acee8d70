/// One thing that a corpus must not do.
public struct Gate: Codable, Hashable, Sendable {
  public enum Name: String, Codable, Sendable, CaseIterable {
    case integrity
    case runs
    case darkSets = "dark sets"
    case duplicates = "near-duplicates"
    case header = "label from header"
    case mask = "label from mask"
    case frameNumber = "label from frame number"
    case run = "label from run"
    case classes
    case pixels
  }

  public enum Verdict: String, Codable, Sendable {
    case passed
    case failed
    /// Neither shown to be harmless nor shown to be a fault: too few pictures or runs. Does not fail a corpus.
    case undecided
    /// There is nothing to ask: no calibration, no label with two classes.
    case notApplicable = "not applicable"
  }

  public var name: Name
  public var verdict: Verdict
  /// One sentence: what was found, against which bound.
  public var statement: String
  /// The worst cases, at most `Gate.longest`.
  public var findings: [String]
  /// How many there are in all.
  public var count: Int

  public static let longest = 20

  init(_ name: Name, _ verdict: Verdict, _ statement: String, findings: [String] = []) {
    (self.name, self.verdict, self.statement) = (name, verdict, statement)
    (self.findings, count) = (Array(findings.prefix(Gate.longest)), findings.count)
  }
}
