extension DownstreamTask {
  /// Did this bunch lase? XTCAV frames; label `lasing`.
  public static let lasing = DownstreamTask(
    name: "lasing", question: "Did the bunch lase? (XTCAV)", label: "lasing", instrument: "xtcav")
}
