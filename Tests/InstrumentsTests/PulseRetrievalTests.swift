import Foundation
import Frames
import Instruments
import Simulation
import Tensors
import Testing

@Suite struct XTCAVAxesTests {
  @Test func axesFollowFromTheBeamLine() throws {
    // 30 µm/px, 3.5 GeV, 0.5 m: 210 keV/px. 30 · 20 / (0.3 · 25 · 40) = 2 fs/px.
    let line = XTCAVAxes.BeamLine(
      micrometresPerPx: 30, dumpEnergyGeV: 3.5, dispersion: 0.5, rfAmplitudeCalibration: 20, rfPhaseCalibrationDeg: 90, strength: 25)
    let axes = try #require(XTCAVAxes(line, rfAmplitudeMV: 40, rfPhaseDeg: 90))
    #expect(abs(axes.MeVPerPx - 0.21) < 1e-12 && abs(axes.fsPerPx + 2) < 1e-12)
    #expect(abs(try #require(XTCAVAxes(line, rfAmplitudeMV: 40, rfPhaseDeg: -90)).fsPerPx - 2) < 1e-12)
    #expect(XTCAVAxes(line, rfAmplitudeMV: 40, rfPhaseDeg: 10) == nil)
  }
}

@Suite struct BunchIslandTests {
  /// A tilted Gaussian bunch on 300 × 400 pixels with noise.
  private func picture(_ bunches: [(row: Double, column: Double, tilt: Double, height: Double)], seed: UInt64) -> MaskedImage {
    var random = Philox(seed: seed)
    let pixels = (0..<300 * 400).map { i -> Float in
      let row = Double(i / 400), column = Double(i % 400)
      let light = bunches.reduce(0.0) { sum, b in
        let along = (column - b.column) / 20, across = (row - b.row - b.tilt * (column - b.column)) / 4
        return sum + b.height * exp(-(along * along + across * across) / 2)
      }
      return Float(light + random.normal(5, 3))
    }
    return MaskedImage(pixels: Tensor([300, 400], pixels), weight: Tensor(repeating: 1, [300, 400]))
  }

  @Test func slicesOfATiltedGaussianHaveItsTiltWidthAndLength() throws {
    let islands = try BunchIslands().islands(in: picture([(150, 210, 0.5, 800)], seed: 1))
    #expect(islands.count == 1)
    let slices = SliceProfile(islands[0])
    #expect(abs(slices.total - 1) < 1e-12)
    #expect(abs(slices.centreColumn - 210) < 0.2 && abs(slices.centreRow - 150) < 0.2)
    #expect(abs(slices.length / 20 - 1) < 0.03)
    for column in [180, 200, 230] {
      let i = column - slices.columns.lowerBound
      #expect(abs(slices.row[i] - (150 + 0.5 * Double(column - 210))) < 0.3)
      #expect(abs(slices.spread[i] / 4 - 1) < 0.06)
    }
    let axes = XTCAVAxes(fsPerPx: -0.8, MeVPerPx: 0.2), profile = BunchProfile(slices, axes, charge: 0.2)
    // A negative step mirrors: time rises, the chirp turns over. ∫ I dt = Q.
    #expect(zip(profile.time, profile.time.dropFirst()).allSatisfy { abs($1 - $0 - 0.8) < 1e-9 })
    let middle = profile.time.count / 2
    #expect(profile.energy[middle + 10] < profile.energy[middle - 10])
    #expect(abs(profile.current.reduce(0, +) * 0.8e-3 - 0.2) < 1e-9)
  }

  @Test func theWrongNumberOfBunchesIsRefused() throws {
    let two = picture([(220, 200, 0, 800), (80, 220, 0, 700)], seed: 2), one = picture([(150, 200, 0, 800)], seed: 3)
    var islands = BunchIslands()
    islands.bunches = 2
    let found = try islands.islands(in: two)
    #expect(found.map { SliceProfile($0).centreRow.rounded() } == [220, 80])
    #expect(abs(found.reduce(0) { $0 + SliceProfile($1).total } - 1) < 1e-12)
    #expect(throws: BunchIslands.Problem.wrongNumber) { try islands.islands(in: one) }
    #expect(throws: BunchIslands.Problem.noLight) { try BunchIslands().islands(in: self.picture([], seed: 4)) }
    #expect(throws: BunchIslands.Problem.cut) { try BunchIslands().islands(in: self.picture([(150, 380, 0, 800)], seed: 5)) }
  }

  @Test func lostEnergyIsPulseEnergyOverCharge() throws {
    // The same simulated bunch with and without lasing: what the islands lose in mean energy times charge is the pulse energy.
    var parameters = XTCAVSimulator.Parameters()
    (parameters.emptyRate, parameters.croppedRate, parameters.height) = (0, 0, 1024)
    let simulator = XTCAVSimulator(parameters, lasingRate: 1, random: Philox(seed: 5, 1))
    var random = Philox(seed: 6), checked = 0
    for shot in 0..<16 {
      let drawn = simulator.draw(hasBeam: true, random: Philox(seed: 5, 1, UInt64(shot)))
      guard drawn.pulseEnergyMJ > 0.2 else { continue }
      func centre(_ bunches: [XTCAVSimulator.Bunch]) throws -> Double {
        let image = XTCAVSimulator.image(of: bunches, parameters, resolutionFS: 1.2), brightest = image.max() ?? 1
        let pixels = image.map { 1500 * $0 / brightest + Float(random.normal(0, 0.3)) }
        let islands = try BunchIslands().islands(
          in: MaskedImage(pixels: Tensor([1024, 512], pixels), weight: Tensor(repeating: 1, [1024, 512])))
        return SliceProfile(islands[0]).centreRow
      }
      let lost = (try centre(drawn.bunches.map(\.withoutLasing)) - centre(drawn.bunches)) * parameters.scale_MeVPerPx * drawn.chargeNC
      #expect(abs(lost / drawn.pulseEnergyMJ - 1) < 0.05, "\(lost) of \(drawn.pulseEnergyMJ) mJ")
      checked += 1
    }
    #expect(checked >= 4)
  }
}

@Suite struct RetrievedPulseTests {
  @Test func slicesThatLostAKnownEnergyGiveItsPower() throws {
    // Flat current of 2 kA over 100 fs; between -10 and 10 fs slices lost 5 MeV and widened from 1 to 2 MeV.
    let time = (-60...60).map(Double.init), current = time.map { abs($0) <= 50 ? 2.0 : 0 }
    let isLasing = time.map { abs($0) <= 10 }
    let off = BunchProfile(time: time, current: current, energy: time.map { -0.1 * $0 }, spread: time.map { _ in 1 }, charge: 0.202)
    let lost = isLasing.map { $0 ? 5.0 : 0 }, mean = 5 * 21.0 / 101
    let on = BunchProfile(
      time: time, current: current, energy: zip(off.energy, lost).map { $0 - $1 + mean }, spread: isLasing.map { $0 ? 2 : 1 }, charge: 0.202)
    // 5 MeV · 2 kA · 21 fs = 210 µJ.
    let pulse = RetrievedPulse(on: on, off: off, energyMJ: 0.21)
    #expect(abs(pulse.unshiftedEnergyMJ) < 1e-9, "energies relative to the mean lose the mean")
    for (i, t) in time.enumerated() {
      let expected = isLasing[i] ? 10.0 : 0
      #expect(abs(pulse.powerCOM[i] - expected) < 1e-9 && abs(pulse.powerRMS[i] - expected) < 1e-9, "at \(t) fs")
    }
    #expect(abs(pulse.agreement - 1) < 1e-12)
    #expect(abs(pulse.spreadExcess - 3 * 21.0 / 101) < 1e-9)
    let peak = try #require(pulse.peak)
    #expect(abs(peak.width - 21) < 1e-9 && abs(peak.power - 10) < 1e-9)
  }

  @Test func referencesLeaveOutThemselvesAndMatchByCurrent() throws {
    func bunch(_ width: Double, _ energy: Double) -> BunchProfile {
      let time = (-40...40).map(Double.init)
      return BunchProfile(
        time: time, current: time.map { exp(-$0 * $0 / (2 * width * width)) }, energy: time.map { _ in energy }, spread: time.map { _ in 1 },
        charge: 0.1)
    }
    let short = [5.0, 5.1, 4.9, 5.05].map { bunch($0, 1) }, long = [15.0, 15.2, 14.9, 15.1].map { bunch($0, 2) }
    for grouping in LasingOffReferences.Grouping.allCases {
      let references = LasingOffReferences(short + long, grouping: grouping, groups: 2, random: Philox(seed: 1))
      #expect(references.groupCount == 2)
      #expect(Set(references.group[0..<4]).count == 1 && Set(references.group[4...]).count == 1 && references.group[0] != references.group[4])
      let match = try #require(references.match(bunch(14, 0)))
      #expect(match.group == references.group[4] && match.correlation > 0.99)
      #expect(abs(match.average.energy[references.grid.count / 2] - 2) < 1e-9)
    }
    let alone = LasingOffReferences([short[0], long[0]], grouping: .clustering, groups: 2, random: Philox(seed: 1))
    #expect(try #require(alone.match(short[0], excluding: 0)).group == alone.group[1])
  }
}

@Suite struct PulseRetrievalTests {
  private static func plan() -> SimulationPlan {
    var plan = SimulationPlan(detector: .xtcav)
    (plan.runs, plan.shotsPerRun, plan.darksPerRun, plan.seed) = ([1], 110, 10, 31)
    plan.xtcav.pulseEnergy_mJ = 0.04...1.5
    (plan.xtcav.croppedRate, plan.xtcav.emptyRate) = (0.02, 0.03)
    return plan
  }

  @Test(arguments: LasingOffReferences.Grouping.allCases)
  func lasingAndPowerOfASimulatedRunAgreeWithTheTruth(_ grouping: LasingOffReferences.Grouping) throws {
    let plan = Self.plan(), truth = try SimulatedTruth(plan)
    var retrieval = PulseRetrieval()
    retrieval.grouping = grouping
    // Without a calibration folder: the beam-off shots give the dark picture.
    let table = try ReadingTable(retrieval, of: RunShots(files: truth.runs, detector: PulseRetrieval.detector), sketching: 200)
    #expect(table.readings.count == 120)
    let simulator = XTCAVSimulator(plan.xtcav, lasingRate: plan.xtcav.lasingRate, random: Philox(seed: 31, 1).keyed("run"))
    var verdicts: [(said: Bool, truth: Bool)] = [], shapes: [Double] = [], strong: [Double] = []
    for reading in table.readings {
      let row = try truth[reading.shot]
      if row["beam_on"] == "0" { #expect(reading.problem == "no beam") }
      if row["empty"] == "1", row["beam_on"] == "1" { #expect(reading.problem == "no light") }
      if row["saturated"] == "1" { #expect(reading.problem == "saturated") }
      guard reading.problem.isEmpty else { continue }
      verdicts.append((reading.values[0] == 1, row["lasing"] == "1"))
      #expect(abs(reading.values[11] / (try truth.number(reading.shot, "dump_charge_nC")) - 1) < 0.09)
      guard row["lasing"] == "1", let panel = reading.sketch?.panels.first(where: { $0.title.hasPrefix("power") }) else { continue }
      // True power on the retrieval's time axis, about the true centre of charge.
      let drawn = simulator.draw(hasBeam: true, random: Philox(seed: 31, 1, UInt64(reading.shot.index))), bunch = drawn.bunches[0]
      let total = bunch.current.reduce(0, +), centre = bunch.current.enumerated().reduce(0) { $0 + Double($1.offset) * $1.element } / total
      func power(_ t: Double) -> Double {
        let x = t / plan.xtcav.scale_fsPerPx + centre, low = Int(x.rounded(.down)), share = x - Double(low)
        guard low >= 0, low + 1 < bunch.current.count else { return 0 }
        return (1 - share) * bunch.current[low] * bunch.loss[low] + share * bunch.current[low + 1] * bunch.loss[low + 1]
      }
      let there = panel.curves[0].x.map(power)
      shapes.append(correlated(panel.curves[1].y, there))
      if drawn.pulseEnergyMJ > 0.2 { strong.append(correlated(panel.curves[0].y, there)) }
    }
    #expect(verdicts.count > 90 && shapes.count > 30 && strong.count > 10)
    #expect(balancedAccuracy(verdicts) > 0.95)
    #expect(Statistics.median(shapes) > 0.85, "RMS \(Statistics.median(shapes))")
    #expect(Statistics.median(strong) > 0.76, "COM \(Statistics.median(strong))")
  }

  private func correlated(_ a: [Double], _ b: [Double]) -> Double {
    let meanA = Statistics.mean(a), meanB = Statistics.mean(b)
    let ab = zip(a, b).reduce(0) { $0 + ($1.0 - meanA) * ($1.1 - meanB) }
    let aa = a.reduce(0) { $0 + ($1 - meanA) * ($1 - meanA) }, bb = b.reduce(0) { $0 + ($1 - meanB) * ($1 - meanB) }
    return ab / (aa * bb).squareRoot()
  }

  @Test func withoutReferencesOrDarksItSaysSo() throws {
    var plan = Self.plan()
    (plan.shotsPerRun, plan.darksPerRun, plan.xtcav.lasingRate) = (8, 0, 1)
    let truth = try SimulatedTruth(plan)
    let bare = RunShots(files: truth.runs, detector: PulseRetrieval.detector)
    #expect(throws: (any Error).self) { try PulseRetrieval().readings(of: bare, sketching: 0) { _ in } }
    let calibrated = RunShots(files: truth.runs, detector: PulseRetrieval.detector, calibration: truth.calibration)
    let readings = try PulseRetrieval().readings(of: calibrated, sketching: 0) { _ in }
    #expect(readings.contains { $0.problem.hasPrefix("fewer than 5 lasing-off references") })
    #expect(readings.allSatisfy { $0.values[0].isNaN })
    // A lasing-off run of the same machine serves as references.
    plan.shotsPerRun = 30
    plan.xtcav.lasingRate = 0
    let off = try SimulatedTruth(plan)
    var retrieval = PulseRetrieval()
    retrieval.references = off.runs
    let table = try ReadingTable(retrieval, of: calibrated)
    #expect(table.values("lasing").count { $0 == 1 } >= 5)
  }
}

@Suite struct InstrumentChoiceTests {
  @Test func settingsLieOverTheUsualAndUnknownOnesAreNamed() throws {
    for type in InstrumentCatalog.all { #expect(type.columns.contains(type.verdict) && InstrumentCatalog.named(type.name) != nil) }
    let choice = InstrumentChoice(name: "peaks", settings: .object(["minimumPeaks": .integer(7)]))
    let finder = try #require(try choice.instrument(path: "recipe") as? HitFinder)
    #expect(finder.minimumPeaks == 7 && finder.search == PeakSearch())
    #expect(throws: (any Error).self) { try InstrumentChoice(name: "peaks", settings: .object(["peaks": .integer(7)])).instrument(path: "r") }
    #expect(throws: (any Error).self) { try InstrumentChoice(name: "nose").instrument(path: "r") }
  }
}
