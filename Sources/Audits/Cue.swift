/// A side channel from which a label must not be told.
public enum Cue: String, Codable, Sendable, CaseIterable {
  /// What is known without the picture: experiment, time of day, clock and fiducial phases, kind of file, panel, constants.
  case header
  /// Which pixels were measured.
  case mask
  /// The number of the frame in its run, and the frame before it.
  case frameNumber = "frame number"
  /// The run, by the other frames of the run.
  case run

  var gate: Gate.Name {
    switch self {
    case .header: .header
    case .mask: .mask
    case .frameNumber: .frameNumber
    case .run: .run
    }
  }
}

extension AuditBounds {
  /// The share of the way from chance to certainty that is allowed.
  func share(_ cue: Cue) -> Double {
    switch cue {
    case .header: header
    case .mask: mask
    case .frameNumber: frameNumber
    case .run: run
    }
  }
}
