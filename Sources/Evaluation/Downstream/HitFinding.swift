/// Did the pulse hit a crystal? CSPAD frames; label `hit`.
public enum HitFinding: DownstreamTask {
  public static let name = "hit"
  public static let question = "Did the pulse hit a crystal? (CSPAD)"
  public static let label = "hit"
  public static let instrument: String? = "peaks"
}
