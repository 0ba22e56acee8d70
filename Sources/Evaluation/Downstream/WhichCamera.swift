extension DownstreamTask {
  /// Which camera took this picture? Any pictures with a label `camera`.
  public static let whichCamera = DownstreamTask(
    name: "camera", question: "Which camera took the picture?", label: "camera")
}
