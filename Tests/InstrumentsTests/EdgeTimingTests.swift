import Foundation
import Frames
import Instruments
import Simulation
import Tensors
import Testing

@Suite struct StepFilterTests {
  @Test(arguments: [20, 50])
  func aFallingStepIsAnsweredWithItsHeightInItsMiddle(_ taps: Int) throws {
    // The step falls between samples 99 and 100: its middle is at 99.5, and the window that is centred there starts at 100 - taps/2.
    let step = (0..<300).map { $0 < 100 ? 0.0 : -0.3 }, answer = StepFilter.difference(taps: taps).applied(to: step)
    let top = try #require(answer.indices.max { answer[$0] < answer[$1] })
    #expect(abs(answer[top] - 0.3) < 1e-12 && top == 100 - taps / 2)
    #expect(StepFilter.difference(taps: taps).applied(to: step.map { -$0 }).allSatisfy { $0 <= 1e-12 })
    #expect(answer.count == 300 - taps + 1)
  }

  @Test func whiteNoiseNeedsNoOtherFilterAndRedNoiseDoes() {
    var random = Philox(seed: 1)
    let white = (0..<60).map { _ in (0..<1000).map { _ in random.normal(0, 0.01) } }
    let matched = StepFilter.matched(taps: 30, noise: white), plain = StepFilter.difference(taps: 30)
    for (a, b) in zip(matched.weights, plain.weights) { #expect(abs(a - b) < 0.01) }
    // A random walk with a pull to 0: neighbours are nearly equal, so the filter looks next to the step.
    let red = (0..<60).map { _ in
      var value = 0.0
      return (0..<1000).map { _ in
        value = 0.95 * value + random.normal(0, 0.01)
        return value
      }
    }
    let steep = StepFilter.matched(taps: 30, noise: red)
    func noise(_ filter: StepFilter) -> Double { Statistics.standardDeviation(red.flatMap { filter.applied(to: $0) }) }
    #expect(noise(steep) < 0.8 * noise(plain))
    let step = (0..<30).map { $0 < 15 ? 0.5 : -0.5 }
    #expect(abs(steep.applied(to: step)[0] - 1) < 1e-9)
  }

  @Test func polynomialsGoThroughTheirPoints() throws {
    let x = (0..<9).map { Double($0) * 100 }, coefficients = [-1.647, 0.0048, 3e-7]
    let fit = try #require(Polynomial.fit(x, x.map { Polynomial.value(coefficients, at: $0) }, degree: 2))
    for (a, b) in zip(fit, coefficients) { #expect(abs(a - b) < 1e-9 * max(1, abs(b))) }
    #expect(Polynomial.fit([1, 1, 1], [1, 2, 3], degree: 1) == nil)
    #expect(Polynomial.fit([1, 2], [1, 2], degree: 2) == nil)
  }
}

@Suite struct EdgeTimingTests {
  private static func plan(rising: Bool = false) -> SimulationPlan {
    var plan = SimulationPlan(detector: .timetool)
    (plan.runs, plan.shotsPerRun, plan.darksPerRun, plan.seed) = ([1, 2], 36, 4, 21)
    (plan.timeTool.referenceRate, plan.timeTool.secondEdgeRate) = (0.3, 0)
    (plan.timeTool.depth, plan.timeTool.isRising) = (0.12...0.3, rising)
    return plan
  }

  @Test(arguments: [EdgeTiming.Filter.difference, .matched])
  func edgesAreWithinThreePixelsAndReferencesHaveNone(_ filter: EdgeTiming.Filter) throws {
    let truth = try SimulatedTruth(Self.plan())
    var timing = EdgeTiming()
    timing.filter = filter
    let table = try ReadingTable(timing, of: RunShots(files: truth.runs, detector: EdgeTiming.detector, calibration: truth.calibration))
    var errors: [Double] = [], measured: [Int: (px: [Double], fs: [Double])] = [:], verdicts: [(said: Bool, truth: Bool)] = []
    for reading in table.readings {
      let state = try truth[reading.shot]["state"]
      guard state != "dark" else {
        #expect(reading.problem == "no laser stripe")
        continue
      }
      verdicts.append((reading.values[0] == 1, state == "signal"))
      guard state == "signal", try truth.number(reading.shot, "edge_depth") >= 0.1 else { continue }
      errors.append(abs(reading.values[1] - (try truth.number(reading.shot, "edge_px"))))
      measured[reading.shot.id.run, default: ([], [])].px.append(reading.values[1])
      measured[reading.shot.id.run, default: ([], [])].fs.append(try truth.number(reading.shot, "edge_fs"))
    }
    #expect(errors.count > 25)
    #expect(Statistics.median(errors) <= 3, "median \(Statistics.median(errors)) px")
    #expect(balancedAccuracy(verdicts) >= 0.9, "balanced accuracy \(balancedAccuracy(verdicts))")
    // A scan with known delays calibrates the time axis: residuals are those 3 px on an axis of 1 to 3 fs/px.
    for (run, points) in measured {
      let fit = try #require(Polynomial.fit(points.px, points.fs, degree: 2))
      let residuals = zip(points.px, points.fs).map { abs(Polynomial.value(fit, at: $0) - $1) }
      #expect(Statistics.median(residuals) < 9, "run \(run): \(Statistics.median(residuals)) fs")
    }
  }

  @Test func risingEdgesNeedTheirPolarity() throws {
    let truth = try SimulatedTruth(Self.plan(rising: true))
    let shots = RunShots(files: [truth.runs[0]], detector: EdgeTiming.detector, calibration: truth.calibration)
    func found(_ polarity: EdgeTiming.Polarity) throws -> Double {
      var timing = EdgeTiming()
      timing.polarity = polarity
      let readings = try timing.readings(of: shots, sketching: 0) { _ in }
      return Statistics.median(
        try readings.filter { try truth[$0.shot]["state"] == "signal" }.map { abs($0.values[1] - (try truth.number($0.shot, "edge_px"))) })
    }
    #expect(try found(.rising) <= 3)
    #expect(try found(.either) <= 3)
    #expect(try found(.falling) > 20)
  }

  @Test func anOnlineReferenceStartsWithTheFirstShotWithoutXRays() throws {
    let truth = try SimulatedTruth(Self.plan())
    var timing = EdgeTiming()
    (timing.reference, timing.rollingFactor, timing.calibration) = (.rolling, 0.3, [1, 0.5])
    let readings = try timing.readings(
      of: RunShots(files: [truth.runs[0]], detector: EdgeTiming.detector, calibration: truth.calibration), sketching: 2) { _ in }
    let first = try #require(try readings.firstIndex { try truth[$0.shot]["state"] == "reference" })
    #expect(readings[...first].allSatisfy { $0.problem == "no reference shot" })
    let later = readings[(first + 1)...].filter { $0.problem.isEmpty }
    #expect(later.count > 20 && later.allSatisfy { $0.values[1].isNaN || $0.values[2] == 1 + 0.5 * $0.values[1] })
    timing.rows = [400, 500]
    #expect(throws: (any Error).self) { try timing.readings(of: RunShots(files: truth.runs, detector: "timetool"), sketching: 0) { _ in } }
  }
}
