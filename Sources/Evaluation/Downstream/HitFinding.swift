extension DownstreamTask {
  /// Did the pulse hit a crystal? CSPAD frames; label `hit`.
  public static let hitFinding = DownstreamTask(
    name: "hit", question: "Did the pulse hit a crystal? (CSPAD)", label: "hit", instrument: "peaks")
}
