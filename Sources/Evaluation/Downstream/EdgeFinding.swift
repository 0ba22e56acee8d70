/// Is there an X-ray edge in the laser stripe? Time-tool frames; label `edge`.
public enum EdgeFinding: DownstreamTask {
  public static let name = "edge"
  public static let question = "Is there an X-ray edge? (time tool)"
  public static let label = "edge"
  public static let instrument: String? = "timetool"
}
