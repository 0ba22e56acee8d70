import Networks
import Tensors

/// The steps and the readout noise of a gain range: `x -> q·round((x + r·q·z)/q)` with step q and z standard normal.
///
/// A detector that switches gain counts coarser and noisier where the signal is high (Jungfrau, ePix10ka); here a whole picture is read in
/// one range. A brighter picture read in coarser steps is the same as a darker one read in finer steps, so it is about gain as well. Works on stored values, in units of the scaled input, since corpora do not keep counts of each range.
public struct GainStage: GradedChange {
  public static let name = "gain-stage"
  /// q of the ranges, in units of the scaled input.
  public var steps = [0.02, 0.2, 0.8]
  /// r, readout noise in steps.
  public var readout = 0.5

  public init() {}
  public init(steps: [Double], readout: Double) { (self.steps, self.readout) = (steps, readout) }

  public var changes: Set<Transformation> { [.readout, .noise, .gain] }
  public var factorBetweenLevels: Double? { zip(steps.sorted(), steps.sorted().dropFirst()).map { $1 / $0 }.min() }
  public var levels: [String] { steps.map { "steps of \($0)" } }

  public func validate() throws(SettingError) {
    try SettingError.require(steps.count > 1 && Set(steps).count == steps.count, "steps", "at least two different ones", steps)
    try SettingError.require(steps.allSatisfy { $0 > 0 && $0.isFinite }, "steps", "each above 0", steps)
    try SettingError.require(readout >= 0 && readout.isFinite, "readout", "0 or more", readout)
  }

  public func changed(_ image: MaskedImage, to level: Int, of shot: Shot, scaling: InputScaling, using random: inout Philox) -> MaskedImage {
    let step = Float(steps[level] * scaling.deviation), noise = Float(readout), table = NormalTable.standard
    return image.changingMeasured { ($1 / step + noise * table[UInt16(truncatingIfNeeded: random.next())]).rounded() * step }
  }
}
