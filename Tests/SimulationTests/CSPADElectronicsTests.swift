import Foundation
import Frames
import Simulation
import Tensors
import Testing

/// What the sensors of a simulated CSPAD add beyond a plain run: an ASIC in low gain, charge that moves a whole readout.
@Suite struct CSPADElectronicsTests {
  private static let half = 194, panel = 185 * 388

  /// Light that comes from no sample: nearly even over neighbouring ASICs.
  private static func plan() -> SimulationPlan {
    var plan = SimulatedCSPAD.plan()
    (plan.shotsPerRun, plan.darksPerRun, plan.seed) = (2, 3, 5)
    (plan.cspad.noJetRate, plan.cspad.background, plan.cspad.badPixelRate, plan.cspad.commonMode_ADU) = (1, 1, 0, 0)
    plan.cspad.distance_mm = 500...500.001
    return plan
  }

  /// The pixels of one ASIC that are bonded.
  private static func pixels(_ asic: Int) -> [Int] {
    let blind = Set(CSPAD.nonBondedPixels), first = asic / 2 * panel
    return (0..<panel).filter { $0 % 388 / half == asic % 2 && !blind.contains($0) }.map { first + $0 }
  }

  @Test func anASICInLowGainCountsAsManyPhotonsByItsGainBits() throws {
    var plan = Self.plan()
    plan.cspad.lowGainRate = 1
    let written = try WrittenPlan(plan), walk = try written.run(1), payload = try walk.payload(0)
    let factors = try CSPAD.gainFactors(from: #require(payload.configuration), path: "p").elements
    let low = Set(factors.indices.filter { factors[$0] != 1 }.map { $0 / Self.panel * 2 + $0 % 388 / Self.half })
    #expect(low.count == 1 && factors.count { $0 != 1 } == 185 * 194)
    let asic = try #require(low.first), own = Self.pixels(asic), other = Self.pixels(asic % 2 == 0 ? asic + 1 : asic - 1)
    let files = try CalibrationFolder(written.folder + "/calib").constants(for: "CxiDs1.0:Cspad.0", run: 1, shape: [32, 185, 388])
    let constants = try CSPAD.adapted(files, to: payload, path: "p")
    var plain = 0.0, bright = (own: 0.0, other: 0.0), dark = 0.0, darks = 0.0
    for (index, row) in written.truth.enumerated() {
      let raw = try CSPAD.decode(try walk.payload(index), path: "p")
      let frame = try CSPAD.calibrate(raw, constants, path: "p").signal.elements
      if row["beam_on"] == "1" {
        for i in own { bright.own += Double(frame[i]) }
        for i in other { bright.other += Double(frame[i]) }
        let uncorrected = try CSPAD.calibrate(raw, files, path: "p").signal.elements
        for i in own { plain += Double(uncorrected[i]) }
      } else {
        for i in own { dark += Double(frame[i]) * Double(frame[i]) }
        darks += Double(own.count)
      }
    }
    // Gains of ASICs are known; solid angle and polarisation change by some percent over a sensor.
    #expect(abs(bright.own / bright.other - 1) < 0.06, "\(bright)")
    #expect(abs(plain / bright.own * 6.85 - 1) < 1e-3)
    // 3500 eV of noise at 8190 eV; the gain of the ASIC is within some percent of the nominal one.
    let noise_eV = (dark / darks).squareRoot() * 8190
    #expect(abs(noise_eV / 3500 - 1) < 0.08, "\(noise_eV) eV")
  }

  @Test func crosstalkMovesAReadoutByItsCharge() throws {
    var plan = Self.plan()
    (plan.cspad.roiMask, plan.cspad.wideCommonModeRate, plan.cspad.noise_ADU) = (0x3, 1, 0.2)
    func frames() throws -> (raw: [[Float]], pedestal: [Float], truth: [[String: String]]) {
      let written = try WrittenPlan(plan), walk = try written.run(1)
      let files = try CalibrationFolder(written.folder + "/calib").constants(for: "CxiDs1.0:Cspad.0", run: 1, shape: [32, 185, 388])
      let raw = try written.truth.indices.map { try CSPAD.decode(try walk.payload($0), path: "p").elements }
      return (raw, try #require(files.pedestal).elements, written.truth)
    }
    let without = try frames()
    plan.cspad.crosstalk = 2e-4
    let with = try frames()
    for (index, row) in without.truth.enumerated() {
      for sensor in 0..<2 {
        let range = sensor * Self.panel..<(sensor + 1) * Self.panel, blind = CSPAD.nonBondedPixels.map { sensor * Self.panel + $0 }
        let shift = Statistics.mean(range.map { Double(with.raw[index][$0] - without.raw[index][$0]) })
        // Blind pixels see the common mode alone; what all others hold above it is the charge.
        let common = Statistics.mean(blind.map { Double(without.raw[index][$0] - without.pedestal[$0]) })
        let charge = range.reduce(0.0) { $0 + Double(without.raw[index][$1] - without.pedestal[$1]) - common }
        if row["beam_on"] == "1" { #expect(charge > 1e5) }
        #expect(abs(shift - 2e-4 * charge) < 2, "sensor \(sensor) of shot \(index): \(shift) ADU of \(charge)")
      }
    }
  }
}
