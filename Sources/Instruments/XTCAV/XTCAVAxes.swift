import Foundation
import Host

/// What a pixel of the XTCAV picture means: columns are time, rows energy (rising with the row).
public struct XTCAVAxes: Codable, Hashable, Sendable {
  /// fs a column; negative where later electrons lie to the left.
  public var fsPerPx: Double
  /// MeV a row.
  public var MeVPerPx: Double

  public init(fsPerPx: Double, MeVPerPx: Double) { (self.fsPerPx, self.MeVPerPx) = (fsPerPx, MeVPerPx) }

  /// The settings of the beam line that fix the axes, as its EPICS variables hold them.
  public struct BeamLine: Codable, Hashable, Sendable {
    /// Camera, µm a pixel.
    public var micrometresPerPx: Double
    /// Energy of the dump's bend, GeV, and dispersion on the screen, m.
    public var dumpEnergyGeV: Double, dispersion: Double
    /// RF amplitude and phase calibration, and the strength parameter.
    public var rfAmplitudeCalibration: Double, rfPhaseCalibrationDeg: Double, strength: Double

    public init(
      micrometresPerPx: Double, dumpEnergyGeV: Double, dispersion: Double, rfAmplitudeCalibration: Double, rfPhaseCalibrationDeg: Double,
      strength: Double
    ) {
      (self.micrometresPerPx, self.dumpEnergyGeV, self.dispersion) = (micrometresPerPx, dumpEnergyGeV, dispersion)
      (self.rfAmplitudeCalibration, self.rfPhaseCalibrationDeg, self.strength) = (rfAmplitudeCalibration, rfPhaseCalibrationDeg, strength)
    }
  }

  /// MeV/px = µm/px · E[GeV] / dispersion · 10⁻³; fs/px = -sign(cos Δφ) · µm/px · calibration / (0.3 · strength · amplitude).
  /// `nil` where |cos Δφ| < 0.5: the streak is far from its zero crossing. Source: xtcav/Utils.py.
  public init?(_ line: BeamLine, rfAmplitudeMV: Double, rfPhaseDeg: Double) {
    let cosine = cos((line.rfPhaseCalibrationDeg - rfPhaseDeg) * .pi / 180)
    guard abs(cosine) >= 0.5 else { return nil }
    MeVPerPx = line.micrometresPerPx * line.dumpEnergyGeV / line.dispersion * 1e-3
    let step = line.micrometresPerPx * line.rfAmplitudeCalibration / (0.3 * line.strength * rfAmplitudeMV)
    fsPerPx = cosine > 0 ? -step : step
  }
}
