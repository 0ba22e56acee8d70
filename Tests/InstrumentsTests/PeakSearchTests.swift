import Foundation
import Frames
import Instruments
import Simulation
import Tensors
import Testing

/// Panels of Poisson background, unit gain, with Gaussian spots of known place and photons.
private func frame(
  background: Double, spots: [(panel: Int, row: Double, column: Double, photons: Double)], panels: Int = 2, seed: UInt64
) -> Frame {
  var random = Philox(seed: seed)
  let rows = 120, columns = 150
  var expected = [Double](repeating: background, count: panels * rows * columns)
  for spot in spots {
    for r in Int(spot.row) - 5...Int(spot.row) + 5 {
      for c in Int(spot.column) - 5...Int(spot.column) + 5 where (0..<rows).contains(r) && (0..<columns).contains(c) {
        let d2 = (Double(r) - spot.row) * (Double(r) - spot.row) + (Double(c) - spot.column) * (Double(c) - spot.column)
        expected[(spot.panel * rows + r) * columns + c] += spot.photons * exp(-d2 / 2) / (2 * .pi)
      }
    }
  }
  let shape: Shape = [panels, rows, columns]
  return Frame(
    signal: Tensor(shape, expected.map { Float(random.poisson($0)) + Float(random.normal(0, 0.13)) }), mask: Tensor(repeating: 1, shape),
    unit: .photons)
}

@Suite struct PeakSearchTests {
  @Test(arguments: [(0.02, UInt64(1)), (0.3, 2), (2.0, 3)])
  func plantedSpotsAreFoundWithinAPixelAndNothingElse(_ background: Double, _ seed: UInt64) throws {
    var random = Philox(seed: seed)
    // Twelve pixels apart at least, so that spots do not lie in each other's rings.
    let spots = (0..<2).flatMap { panel in
      (0..<5).flatMap { i in
        (0..<6).map { j in
          (panel: panel, row: 12.0 + 22 * Double(i) + random.uniform(-3, 3), column: 12.0 + 23 * Double(j) + random.uniform(-3, 3), photons: 120.0)
        }
      }
    }
    let peaks = PeakSearch().peaks(in: frame(background: background, spots: spots, seed: seed + 10))
    #expect(peaks.count == spots.count, "\(peaks.count) of \(spots.count)")
    var signals: [Double] = []
    for spot in spots {
      let near = peaks.filter { $0.panel == spot.panel && hypot($0.centreRow - spot.row, $0.centreColumn - spot.column) < 1 }
      #expect(near.count == 1)
      if let peak = near.first { signals.append(peak.signal) }
    }
    // The pixels above threshold hold most of a spot's 120 photons.
    #expect((90...125).contains(Statistics.mean(signals)), "\(Statistics.mean(signals)) photons")
  }

  @Test func backgroundMaskedPixelsAndStreaksAreNoPeaks() {
    #expect(PeakSearch().peaks(in: frame(background: 2.5, spots: [], seed: 4)).isEmpty)
    var streaked = frame(background: 0.2, spots: [], seed: 5)
    for row in 0..<120 { for column in 60..<63 { streaked.signal.elements[row * 150 + column] += 20 } }
    #expect(PeakSearch().peaks(in: streaked).isEmpty)
    var masked = frame(background: 0.2, spots: [(0, 50, 50, 300)], seed: 6)
    #expect(PeakSearch().peaks(in: masked).count == 1)
    for row in 45...55 { for column in 45...55 { masked.mask.elements[row * 150 + column] = 0 } }
    #expect(PeakSearch().peaks(in: masked).isEmpty)
  }

  @Test func hitsOfASimulatedRunAreRecognised() throws {
    var plan = SimulationPlan(detector: .cspad)
    (plan.runs, plan.shotsPerRun, plan.darksPerRun, plan.seed) = ([1], 18, 2, 11)
    plan.cspad.distance_mm = 150...160
    plan.cspad.ringPhotons = 0.1...0.5
    (plan.cspad.hitRate, plan.cspad.noJetRate) = (0.5, 0)
    let truth = try SimulatedTruth(plan)
    let shots = RunShots(files: truth.runs, detector: HitFinder.detector, calibration: truth.calibration, commonMode: .histogram)
    let table = try ReadingTable(HitFinder(), of: shots)
    #expect(table.readings.count == 20)
    let verdicts = try table.readings.map { (said: $0.values[0] == 1, truth: try truth[$0.shot]["hit"] == "1") }
    #expect(verdicts.count { $0.truth } >= 5 && verdicts.count { !$0.truth } >= 5)
    #expect(balancedAccuracy(verdicts) >= 0.9)
    for (reading, count) in zip(table.readings, table.values("peaks")) where try truth[reading.shot]["hit"] == "1" {
      let there = try truth.number(reading.shot, "detectable_spots")
      #expect(count > 0.6 * there && count < 1.2 * there + 5, "\(count) of \(there)")
    }
  }
}
