import Foundation
import Tensors

/// The X-ray pulse that a bunch emitted, from what its slices lost and how they spread.
///
/// With I the current: P_COM = (E_off - E_on) I, shifted so that its integral is the gas detector's energy;
/// P_RMS = (σ_on² - σ_off²) I^⅔, negative parts 0, scaled to that energy. 1 MeV · 1 kA = 1 GW; 1 GW · 1 fs = 1 µJ.
/// Only slices with more than a tenth of the peak current in both bunches count. Source: xtcav/Utils.py.
public struct RetrievedPulse: Sendable {
  /// fs, relative to the bunch's centre of mass.
  public var time: [Double]
  /// GW; 0 where a slice does not count.
  public var powerCOM: [Double], powerRMS: [Double]
  /// Integral of P_COM before the shift, mJ. Energies are relative to each bunch's mean, so it is low.
  public var unshiftedEnergyMJ: Double
  /// Mean of σ_on² - σ_off² over the charge, MeV².
  public var spreadExcess: Double
  /// 1 - Σ (P_COM - P_RMS)² / (Σ (P_COM - mean)² + Σ (P_RMS - mean)²).
  public var agreement: Double

  /// `energyMJ`: the gas detector's; `nil` leaves P_COM unshifted, and P_RMS in units of its own.
  public init(on: BunchProfile, off: BunchProfile, energyMJ: Double?) {
    let on = on.resampled(at: off.time), step = off.time[1] - off.time[0]
    let levels = (0.1 * (on.current.max() ?? 0), 0.1 * (off.current.max() ?? 0))
    let counts = on.current.indices.map { on.current[$0] > levels.0 && off.current[$0] > levels.1 }
    time = off.time
    var com = [Double](repeating: 0, count: time.count), rms = com, charge = 0.0, excess = 0.0
    for i in time.indices where counts[i] {
      let current = on.current[i], widening = on.spread[i] * on.spread[i] - off.spread[i] * off.spread[i]
      com[i] = (off.energy[i] - on.energy[i]) * current
      rms[i] = max(0, widening) * pow(current, 2.0 / 3)
      charge += current
      excess += widening * current
    }
    unshiftedEnergyMJ = com.reduce(0, +) * step * 1e-3
    spreadExcess = charge > 0 ? excess / charge : .nan
    if let energyMJ, charge > 0 {
      let shift = (energyMJ - unshiftedEnergyMJ) / (charge * step * 1e-3)
      for i in time.indices where counts[i] { com[i] += shift * on.current[i] }
      let sum = rms.reduce(0, +) * step * 1e-3
      if sum > 0 { for i in rms.indices { rms[i] *= energyMJ / sum } }
    }
    powerCOM = com
    powerRMS = rms
    let a = time.indices.filter { counts[$0] }.map { com[$0] }, b = time.indices.filter { counts[$0] }.map { rms[$0] }
    let meanA = Statistics.mean(a), meanB = Statistics.mean(b)
    let apart = zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let spread = a.reduce(0) { $0 + ($1 - meanA) * ($1 - meanA) } + b.reduce(0) { $0 + ($1 - meanB) * ($1 - meanB) }
    agreement = spread > 0 ? 1 - apart / spread : .nan
  }

  /// Time of the highest P_RMS by a parabola through five samples, fs, its height, GW, and the full width at half of it, fs.
  public var peak: (time: Double, power: Double, width: Double)? {
    guard let top = powerRMS.indices.max(by: { powerRMS[$0] < powerRMS[$1] }), powerRMS[top] > 0 else { return nil }
    let range = max(0, top - 2)...min(time.count - 1, top + 2), step = time[1] - time[0]
    var at = time[top]
    if range.count == 5, let fit = Polynomial.fit(range.map { time[$0] - time[top] }, range.map { powerRMS[$0] }, degree: 2), fit[2] < 0 {
      at = time[top] + max(-2 * step, min(2 * step, -fit[1] / (2 * fit[2])))
    }
    var first = top, last = top
    while first > 0, powerRMS[first - 1] >= powerRMS[top] / 2 { first -= 1 }
    while last < time.count - 1, powerRMS[last + 1] >= powerRMS[top] / 2 { last += 1 }
    return (at, powerRMS[top], Double(last - first + 1) * step)
  }
}
