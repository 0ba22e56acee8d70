/// Which camera took this picture? Any pictures with a label `camera`.
public enum WhichCamera: DownstreamTask {
  public static let name = "camera"
  public static let question = "Which camera took the picture?"
  public static let label = "camera"
}
