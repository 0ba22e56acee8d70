import Cues
import Host
import Training

/// What `pretrain --json` prints: how the run ended, what its audit says, and its figures as far as they may be told.
struct PretrainOutcome: Encodable {
  enum Ending: String, Encodable { case finished, stopped }

  var ending: Ending
  /// The run folder.
  var run: String
  /// `accepted`, `provisional`, `withheld`; or `absent`, where there is no audit.
  var audit: String
  /// Why the accuracy is withheld or provisional; without an audit the steps that do not commute with mirrors.
  var reasons: [String]
  /// The lines of metrics.jsonl, those about accuracy left out where it is withheld.
  var metrics: [JSONValue]

  init(_ ending: Ending, run: String, audit: TaskAudit? = nil, commutation: CommutationTable? = nil, metrics: [RunFolder.Metric]) throws(InputError) {
    let verdict = audit.map { TaskVerdict(of: $0) }
    (self.ending, self.run) = (ending, run)
    self.audit = verdict?.standing.rawValue ?? "absent"
    reasons = verdict?.reasons ?? commutation?.failures.map { "\($0.key)\($0.source.isEmpty ? "" : " (\($0.source))") does not commute with mirrors" } ?? []
    let isWithheld = verdict?.standing == .withheld
    self.metrics = try metrics.map { metric throws(InputError) in try metric.told(withholding: isWithheld) }
  }
}
