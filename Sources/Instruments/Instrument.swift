import Frames
import Host

/// A classical analysis of one detector's frames: numbers a shot, without any training.
///
/// Instruments are label sources for corpora, and the baseline that networks have to beat. One conforming type per chain.
public protocol Instrument: Codable, Hashable, Sendable {
  /// `xtcav`, `timetool`, `peaks`.
  static var name: String { get }
  /// The detector in `DetectorCatalog` whose frames it reads where nothing else is said.
  static var detector: String { get }
  /// Names of the numbers that it gives, with units.
  static var columns: [String] { get }
  /// The column that answers yes (1) or no (0).
  static var verdict: String { get }
  /// With the settings that are usual at LCLS.
  init()
  /// One reading a frame, in the order of the files. `sketching` first shots with beam carry what it takes to draw them.
  func readings(of shots: RunShots, sketching: Int, progress: ProgressHandler) throws(InputError) -> [Reading]
}

extension Instrument {
  /// Of its type, for one whose type is known at run time only.
  public var columns: [String] { Self.columns }
  public var detector: String { Self.detector }
}

/// Every instrument: one line per folder.
public enum InstrumentCatalog {
  public static let all: [any Instrument.Type] = [PulseRetrieval.self, EdgeTiming.self, HitFinder.self]

  public static func named(_ name: String) -> (any Instrument.Type)? { all.first { $0.name == name } }
}

/// What an instrument read in one shot.
public struct Reading: Sendable {
  public var shot: ShotHeader
  /// In the order of the instrument's columns; NaN where it could not be measured.
  public var values: [Double]
  /// Why something could not be measured; empty where all could.
  public var problem: String
  public var sketch: Sketch?

  public init(shot: ShotHeader, values: [Double], problem: String = "", sketch: Sketch? = nil) {
    (self.shot, self.values, self.problem, self.sketch) = (shot, values, problem, sketch)
  }
}
