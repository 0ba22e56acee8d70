import Corpora

/// Held-out frames taken without beam: they hold what calibration leaves of pedestals, gains, hot pixels and seams.
public enum DarkFrames: Control {
  public static let name = "dark frames"
  public static let meaning = "it reads a fixed pattern that calibration left behind"

  /// Records of frames without beam.
  public static func select(_ records: [Record]) -> [Record] { records.filter { $0.labels["beam"] == "dark" } }
}
