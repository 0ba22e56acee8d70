extension DownstreamTask {
  /// Is there an X-ray edge in the laser stripe? Time-tool frames; label `edge`.
  public static let edgeFinding = DownstreamTask(
    name: "edge", question: "Is there an X-ray edge? (time tool)", label: "edge", instrument: "timetool")
}
