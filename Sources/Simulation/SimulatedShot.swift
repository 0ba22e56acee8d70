import Foundation
import Frames
import Host
import Tensors

/// One simulated event: what the DAQ would have stored, and what was true.
struct SimulatedShot: Sendable {
  var leaves: [XTC1Record]
  /// Whether X-rays or electrons reached the detector: false exactly where the event codes hold 162.
  var hasBeam: Bool
  /// The values of the simulator's columns, in their order.
  var truth: [String]
}

/// What the beam line records beside a detector in one shot.
struct BeamlineRecord: Sendable {
  var beam = EBeam()
  /// mJ, without the monitor's noise.
  var pulseEnergyMJ = 0.0
  var eventCodes: [UInt32] = []

  /// EBeam, gas detector (two duplicates before and after attenuation) and event codes.
  func leaves(_ random: inout Philox) -> [XTC1Record] {
    let monitors = (0..<6).map { index -> Double in
      let share = index < 4 ? 1.0 : 0.1
      return share * pulseEnergyMJ * (1 + random.normal(0, 0.05)) + random.normal(0, 0.002)
    }
    return [.electronBeam(beam), .gasDetector(monitors), .eventCodes(eventCodes)]
  }
}

/// A detector's simulator: one run's nuisances drawn once, then any shot of it from the shot's own generator.
protocol ShotSimulator: Sendable {
  associatedtype Parameters: ShotParameters
  /// Where its records come from.
  var source: XTC1Source { get }
  /// Names of the truth columns, with units.
  static var columns: [String] { get }
  /// The leaves of the Configure transition.
  var configuration: [XTC1Record] { get }
  /// Shot of this run; `hasBeam` false is an event-code-162 shot. With a `condition` its parameters count instead of the run's draws.
  /// Depends on `condition` and `random` alone.
  func shot(hasBeam: Bool, fiducial: UInt32, position: Double, condition: Parameters?, random: Philox) -> SimulatedShot
  /// The constants that dark and flat-field runs would have given.
  func writeCalibration(to folder: CalibrationFolder, experiment: String, run: Int) throws(InputError) -> [String]
}

/// A truth value as text: shortest decimal that reads back the same Float.
func text(_ value: Double) -> String { "\(Float(value))" }
func text(_ value: Bool) -> String { value ? "1" : "0" }
func text(_ value: Int) -> String { "\(value)" }
