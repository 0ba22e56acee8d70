import Evaluation
import Tensors

/// A way to take away what a detector is meant to look at, or to plant what it must find: pictures without X-rays, headers without pictures, other company.
public protocol Control: Sendable {
  /// The name in reports.
  static var name: String { get }
  /// What it means when a detector answers these pictures right.
  static var meaning: String { get }
}

/// Whether a control that must be at chance is.
public enum ControlVerdict: String, Codable, Sendable {
  /// Within 2 standard errors of chance, and the sample excludes a leak of 10 points.
  case chance
  /// More than 2 standard errors and more than 2 points from chance: the detector answers without X-rays.
  case leak
  /// Not shown either way: too few pictures.
  case tooFew = "too few"

  public init(_ score: Score) {
    let distance = abs(score.value - 0.5)
    if distance > 0.02 && distance > 2 * score.standardError { self = .leak }
    else if distance + 2 * score.standardError <= 0.1 { self = .chance }
    else { self = .tooFew }
  }
}

/// Every control by name. One line per file of this folder.
public enum ControlCatalog {
  public static let all: [any Control.Type] = ofTasks + [PlantedPixel.self]

  /// What every task is put to, in this order.
  public static let ofTasks: [any TaskControl.Type] = [
    NoiseFrames.self, DarkFrames.self, MaskOnly.self, HeaderOnly.self, MeanImage.self, BorderStrip.self, BatchStatistics.self, LeaveOneRunOut.self,
    MirroredGeometry.self, PlantedCue.self,
  ]

  /// Those of them whose answers must be shown to be at chance.
  static let mustBeChance: [any TaskControl.Type] = [
    NoiseFrames.self, DarkFrames.self, MaskOnly.self, HeaderOnly.self, MeanImage.self, BorderStrip.self,
  ]
}
