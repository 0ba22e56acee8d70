/// Did this bunch lase? XTCAV frames; label `lasing`.
public enum Lasing: DownstreamTask {
  public static let name = "lasing"
  public static let question = "Did the bunch lase? (XTCAV)"
  public static let label = "lasing"
  public static let instrument: String? = "xtcav"
}
