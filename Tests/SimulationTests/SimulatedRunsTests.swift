import Foundation
import Frames
import Host
import Simulation
import Tensors
import Testing

/// A plan written to a fresh folder, with its truth table.
final class WrittenPlan {
  let folder: String
  let files: [String]
  let truth: [[String: String]]

  init(_ plan: SimulationPlan) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("psimagenet-" + UUID().uuidString).path
    files = try SimulatedRuns.write(plan, to: folder)
    let lines = String(decoding: try AtomicFile.read(folder + "/truth.csv"), as: UTF8.self).split(separator: "\n")
    let names = lines[0].split(separator: ",").map(String.init)
    truth = lines.dropFirst().map { line in
      Dictionary(uniqueKeysWithValues: zip(names, line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)))
    }
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record("\(error)") }
  }

  func run(_ number: Int) throws -> EventWalk {
    let path = try #require(files.first { $0.contains("-r000\(number)-") })
    return try EventWalk(path)
  }
}

/// Events of a written run by a parser of the tests' own, so that the project's reader is not its own judge.
struct EventWalk {
  struct Leaf {
    var service: UInt32, phy: UInt32, log: UInt32, type: UInt32
    var bytes: [UInt8]
  }
  struct Event {
    var seconds: UInt32, nanoseconds: UInt32, fiducial: UInt32
    var leaves: [Leaf]
  }
  var configuration: [Leaf] = []
  var events: [Event] = []
  var services: [UInt32] = []
  var run: UInt32 = 0

  init(_ path: String) throws {
    let data = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var at = 0
    while at < data.count {
      let h = (0..<10).map { Self.word(data, at + 4 * $0) }, service = h[2] >> 24 & 0xF, end = at + 20 + Int(h[9])
      services.append(service)
      if service == 6 { run = h[4] }
      #expect(h[6] >> 24 == 3 && h[8] == 1)
      var leaves: [Leaf] = [], node = at + 40
      while node < end {
        #expect(Self.word(data, node + 12) == 1 && Self.word(data, node + 4) >> 24 == 2)
        let nodeEnd = node + Int(Self.word(data, node + 16))
        var leaf = node + 20
        while leaf < nodeEnd {
          let extent = Int(Self.word(data, leaf + 16))
          leaves.append(
            Leaf(
              service: service, phy: Self.word(data, leaf + 8), log: Self.word(data, leaf + 4), type: Self.word(data, leaf + 12),
              bytes: Array(data[leaf + 20..<leaf + extent])))
          leaf += extent
        }
        try #require(leaf == nodeEnd)
        node = nodeEnd
      }
      try #require(node == end)
      if service == 4 { configuration = leaves }
      if service == 12 { events.append(Event(seconds: h[1], nanoseconds: h[0], fiducial: h[3] & 0x1FFFF, leaves: leaves)) }
      at = end
    }
  }

  static func word(_ d: [UInt8], _ o: Int) -> UInt32 {
    UInt32(d[o]) | UInt32(d[o + 1]) << 8 | UInt32(d[o + 2]) << 16 | UInt32(d[o + 3]) << 24
  }

  static func double(_ d: [UInt8], _ o: Int) -> Double {
    Double(bitPattern: UInt64(word(d, o)) | UInt64(word(d, o + 4)) << 32)
  }

  /// The detector's payload of event `index`.
  func payload(_ index: Int) throws -> Payload {
    let leaf = try #require(events[index].leaves.first { $0.type & 0xFFFF == 28 || $0.type & 0xFFFF == 2 })
    let isCSPAD = leaf.type & 0xFFFF == 28
    let source = [0x2000_0A00: "CxiDs1.0:Cspad.0", 0x0B00_0300: "SxrBeamline.0:Opal1000.0",
      0x2E00_0300: "XrayTransportDiagnostic.0:Opal1000.0"][leaf.phy] ?? ""
    let config = configuration.first { $0.phy == leaf.phy && $0.type & 0xFFFF == 29 }
    return Payload(
      info: PayloadInfo(
        source: source, typeName: isCSPAD ? "CspadElement" : "Frame", version: Int(leaf.type >> 16), element: .record,
        shape: [leaf.bytes.count]),
      bytes: leaf.bytes, configuration: config.map { .init(typeName: "CspadConfig", version: Int($0.type >> 16), bytes: $0.bytes) })
  }

  func eventCodes(_ index: Int) throws -> [UInt32] {
    let bytes = try #require(events[index].leaves.first { $0.type == 4 << 16 | 19 }).bytes
    return (0..<Int(Self.word(bytes, 0))).map { Self.word(bytes, 12 + 12 * $0) }
  }
}

private func number(_ row: [String: String], _ key: String) throws -> Double {
  let text = try #require(row[key])
  return try #require(Double(text))
}

@Suite struct Runs {
  @Test(arguments: SimulationPlan.Camera.allCases)
  func sameSeedSameBytesOtherSeedOtherBytes(_ camera: SimulationPlan.Camera) throws {
    var plan = SimulationPlan(detector: camera)
    plan.runs = [7]
    plan.shotsPerRun = 3
    plan.darksPerRun = 1
    plan.cspad.roiMask = 0x3
    let a = try WrittenPlan(plan), b = try WrittenPlan(plan)
    plan.seed = 1
    let c = try WrittenPlan(plan)
    #expect(a.files.count == b.files.count && a.files.count >= 4)
    for (x, y) in zip(a.files, b.files) { #expect(try AtomicFile.read(x) == AtomicFile.read(y), "\(x)") }
    let run = try #require(a.files.firstIndex { $0.hasSuffix(".xtc") })
    #expect(try AtomicFile.read(a.files[run]) != AtomicFile.read(c.files[run]))
    #expect(a.files[run].hasSuffix("simx00126-r0007-s00-c00.xtc"))
  }

  @Test func runsAreFramedAsTheDAQFramesThem() throws {
    var plan = SimulationPlan(detector: .xtcav)
    (plan.runs, plan.shotsPerRun, plan.darksPerRun) = ([3, 4], 6, 2)
    let written = try WrittenPlan(plan)
    for run in plan.runs {
      let walk = try written.run(run), rows = written.truth.filter { $0["run"] == "\(run)" }
      #expect(walk.services == [4, 6] + Array(repeating: 12, count: 8) + [7])
      #expect(walk.run == UInt32(run))
      #expect(rows.count == 8 && rows.count { $0["beam_on"] == "0" } == 2)
      for (index, row) in rows.enumerated() {
        let event = walk.events[index]
        #expect(row["seconds"] == "\(event.seconds)" && row["nanoseconds"] == "\(event.nanoseconds)" && row["fiducial"] == "\(event.fiducial)")
        #expect(try walk.eventCodes(index).contains(162) == (row["beam_on"] == "0"))
        // EBeam v7: 20 doubles from byte 4; gas detector v1: six doubles.
        let beam = try #require(event.leaves.first { $0.type == 7 << 16 | 15 })
        #expect(beam.bytes.count == 164 && beam.log >> 24 == 6 && beam.phy == 0)
        #expect(abs(EventWalk.double(beam.bytes, 12) - (try number(row, "energy_L3_MeV"))) < 0.01)
        let gas = try #require(event.leaves.first { $0.type == 1 << 16 | 14 })
        #expect(gas.bytes.count == 48 && gas.phy == 2)
        let energy = try number(row, "pulse_energy_mJ")
        #expect(abs(EventWalk.double(gas.bytes, 0) - energy) < 0.3 * energy + 0.01)
      }
    }
  }

  @Test(arguments: [false, true])
  func labelsFollowTheRunOnlyWhereAsked(_ confounded: Bool) throws {
    var plan = SimulationPlan(detector: .xtcav)
    (plan.runs, plan.shotsPerRun, plan.darksPerRun, plan.confounded) = ([1, 2, 3, 4], 60, 0, confounded)
    (plan.xtcav.width, plan.xtcav.height, plan.xtcav.emptyRate) = (128, 128, 0)
    let written = try WrittenPlan(plan)
    var right = 0, rates: [Double] = []
    for run in plan.runs {
      let labels = written.truth.filter { $0["run"] == "\(run)" }.map { $0["lasing"] == "1" }
      let positives = labels.count { $0 }
      right += max(positives, labels.count - positives)
      rates.append(Double(positives) / 60)
    }
    // A classifier that knows only the run.
    let accuracy = Double(right) / 240
    if confounded {
      #expect(accuracy > 0.9)
    } else {
      // Four binomials of 60 at one half: 5 standard deviations.
      #expect(rates.allSatisfy { abs($0 - 0.5) < 0.32 } && accuracy < 0.62)
    }
  }

  @Test func plansRoundTripAndFaultsAreNamed() throws {
    var plan = SimulationPlan(detector: .cspad)
    plan.cspad.hitRate = 0.4
    let data = try CanonicalJSON.data(plan)
    #expect(try CanonicalJSON.value(SimulationPlan.self, from: data, path: "plan") == plan)
    let short = try CanonicalJSON.value(SimulationPlan.self, from: Data(#"{"detector":"xtcav","runs":[5]}"#.utf8), path: "plan")
    #expect(short.runs == [5] && short.xtcav == XTCAVSimulator.Parameters())
    plan.cspad.hitRate = 1.5
    let error = #expect(throws: InputError.self) { try SimulatedRuns.write(plan, to: "/nonexistent/never/made") }
    #expect(error?.place == "cspad.hitRate")
    plan = SimulationPlan(detector: .xtcav)
    for (place, change) in [
      ("xtcav.charge_nC", { $0.xtcav.charge_nC = 0...1 }), ("xtcav.scale_fsPerPx", { $0.xtcav.scale_fsPerPx = .nan }),
      ("runs", { $0.runs = [1, 1] }), ("experiment", { $0.experiment = "../x" }), ("xtcav.width, height", { $0.xtcav.width = 1 }),
    ] as [(String, (inout SimulationPlan) -> Void)] {
      var faulty = plan
      change(&faulty)
      let error = #expect(throws: InputError.self) { try SimulatedRuns.write(faulty, to: "/nonexistent/never/made") }
      #expect(error?.place == place)
    }
  }
}

@Suite struct SimulatedCSPAD {
  /// Near, bright and clean: every photon peak and the ring are in view.
  static func plan() -> SimulationPlan {
    var plan = SimulationPlan(detector: .cspad)
    (plan.runs, plan.shotsPerRun, plan.darksPerRun) = ([1], 3, 6)
    plan.cspad.distance_mm = 150...150.001
    plan.cspad.photonEnergy_eV = 8190...8190.001
    plan.cspad.ringPhotons = 0.6...0.600001
    (plan.cspad.noJetRate, plan.cspad.hitRate, plan.cspad.streakRate, plan.cspad.iceRate) = (0, 0, 0, 0)
    (plan.cspad.shadowRate, plan.cspad.deadASICRate, plan.cspad.wideCommonModeRate) = (0, 0, 0)
    return plan
  }

  @Test func constantsPeaksCommonModeAndRingAgreeWithTheTruth() throws {
    let plan = Self.plan(), written = try WrittenPlan(plan), walk = try written.run(1), path = "p"
    let folder = CalibrationFolder(written.folder + "/calib"), shape: Shape = [32, 185, 388]
    var constants = try folder.constants(for: "CxiDs1.0:Cspad.0", run: 1, shape: shape, commonMode: .histogram)
    let status = try #require(constants.status).elements
    #expect(abs(Double(status.count { $0 != 0 }) / Double(status.count) - 0.003) < 0.0005)

    // Dark shots: mean and rms against pedestal and 3.4 ADU; the common mode of each panel is found.
    let pedestal = try #require(constants.pedestal)
    var sums = [Double](repeating: 0, count: 3), squares = sums, shots = 0.0
    let probes = (0..<shape.count).filter { status[$0] == 0 && $0 % 97 == 0 }
    var deviations = 0.0, n = 0.0
    for (index, row) in written.truth.enumerated() where row["beam_on"] == "0" {
      let raw = try CSPAD.decode(try walk.payload(index), path: path)
      constants.gain = nil
      let frame = try CSPAD.calibrate(raw, constants, path: path)
      for i in probes where frame.mask.elements[i] != 0 {
        let d = Double(frame.signal.elements[i])
        deviations += d * d
        n += 1
        sums[0] += d
      }
      // The non-bonded pixels give the same shift independently.
      for panel in [0, 13, 31] {
        let at = panel * 185 * 388, good = CSPAD.nonBondedPixels.filter { status[at + $0] == 0 }
        let shift = good.reduce(0.0) { $0 + Double(raw.elements[at + $1] - pedestal.elements[at + $1]) } / Double(good.count)
        let i = at + 1
        if frame.mask.elements[i] != 0 {
          let applied = Double(raw.elements[i] - pedestal.elements[i] - frame.signal.elements[i])
          // 38 pixels of 3.4 ADU know the shift to 0.55; four of those.
          if abs(shift) < 24 { #expect(abs(applied - shift) < 2.3, "panel \(panel) of shot \(index)") }
        }
      }
      shots += 1
    }
    squares[0] = deviations
    #expect(shots == 6)
    #expect(abs(sums[0] / n) < 0.1)
    #expect(abs((squares[0] / n).squareRoot() - 3.4) < 0.1)

    // Photon peaks: histogram of calibrated photons, peaks at 0, 1, 2 within 5 %.
    constants = try folder.constants(for: "CxiDs1.0:Cspad.0", run: 1, shape: shape, commonMode: .histogram)
    // The brightest shot has the most pixels of two photons.
    let lit = try #require(written.truth.indices.max { Double(written.truth[$0]["photons"]!)! < Double(written.truth[$1]["photons"]!)! })
    let frame = try CSPAD.calibrate(try CSPAD.decode(try walk.payload(lit), path: path), constants, path: path)
    #expect(frame.unit == .photons)
    var histogram = [Int](repeating: 0, count: 300)
    for (value, good) in zip(frame.signal.elements, frame.mask.elements) where good != 0 {
      let bin = Int(((value + 0.5) * 100).rounded(.down))
      if (0..<300).contains(bin) { histogram[bin] += 1 }
    }
    for photon in 0..<3 {
      let range = 100 * photon + 20..<100 * photon + 80
      let peak = try #require(range.max { smooth(histogram, $0) < smooth(histogram, $1) })
      #expect(abs(Double(peak - 50) / 100 - Double(photon)) < 0.06 * Double(max(1, photon)), "peak \(photon) at \(Double(peak - 50) / 100)")
    }
    let valley = (90..<130).map { smooth(histogram, $0) }.min()!
    #expect(Double(valley) / Double(smooth(histogram, 50)) < 0.6)

    // Water ring: the radial mean over solid angle and polarisation has its maximum at the truth's radius.
    let stored = try folder.geometry(for: "CxiDs1.0:Cspad.0", run: 1)
    let geometry = try #require(stored), positions = try geometry.pixelPositions()
    let radius = try ringRadius(frame, positions, distance: 150), truth = try number(written.truth[lit], "ring_radius_mm")
    #expect(abs(radius / truth - 1) < 0.01, "ring at \(radius) mm, truth \(truth) mm")
    let mean = zip(frame.signal.elements, frame.mask.elements).reduce(0.0) { $0 + ($1.1 != 0 ? Double($1.0) : 0) }
    let photons = try number(written.truth[lit], "photons")
    #expect(abs(mean / photons - 1) < 0.05)
  }

  private func smooth(_ h: [Int], _ i: Int) -> Int { (max(0, i - 2)...min(h.count - 1, i + 2)).reduce(0) { $0 + h[$1] } / 5 }

  /// Weighted fit of the water model's first peak to the corrected radial profile: the q of the maximum by a parabola.
  private func ringRadius(_ frame: Frame, _ positions: PixelPositions, distance: Double) throws -> Double {
    var sum = [Double](repeating: 0, count: 220), weight = sum
    for i in frame.signal.elements.indices where frame.mask.elements[i] != 0 {
      let x = positions.x.elements[i] / 1000, y = positions.y.elements[i] / 1000, r = (x * x + y * y).squareRoot()
      let cosine = distance / (r * r + distance * distance).squareRoot()
      let expected = pow(cosine, 3) * (1 - (1 - cosine * cosine) * y * y / max(r * r, 1e-9))
      let bin = Int(r * 2)
      guard bin < 220 else { continue }
      sum[bin] += Double(frame.signal.elements[i])
      weight[bin] += expected
    }
    let profile = zip(sum, weight).map { $1 > 0 ? $0 / $1 : 0 }
    let top = try #require((100..<190).max { profile[$0] < profile[$1] })
    // Parabola through the bins within 6 mm of the top.
    var s = [Double](repeating: 0, count: 5), t = [Double](repeating: 0, count: 3)
    for bin in top - 12...top + 12 {
      let u = Double(bin - top)
      for k in 0..<5 { s[k] += pow(u, Double(k)) }
      for k in 0..<3 { t[k] += pow(u, Double(k)) * profile[bin] }
    }
    // Odd moments vanish by symmetry of the window.
    let b = t[1] / s[2], a = (t[2] - s[2] / s[0] * t[0]) / (s[4] - s[2] * s[2] / s[0])
    return (Double(top) + 0.5 - b / (2 * a)) / 2
  }

  @Test func partialReadoutMasksTheAbsentSections() throws {
    var plan = Self.plan()
    (plan.shotsPerRun, plan.darksPerRun, plan.cspad.roiMask) = (1, 0, 0x0003_00FF)
    let written = try WrittenPlan(plan), walk = try written.run(1)
    let raw = try CSPAD.decode(try walk.payload(0), path: "p")
    for panel in 0..<32 {
      let isStored = panel < 8 || panel == 16 || panel == 17
      let isAbsent = raw[first: panel].elements.allSatisfy { $0.isNaN }
      #expect(isAbsent == !isStored, "panel \(panel)")
    }
  }

  @Test func crystalsLeaveBraggSpotsAndOthersDoNot() throws {
    var plan = Self.plan()
    (plan.shotsPerRun, plan.darksPerRun, plan.cspad.hitRate) = (8, 0, 0.5)
    plan.cspad.ringPhotons = 0.05...0.0500001
    let written = try WrittenPlan(plan), walk = try written.run(1)
    let constants = try CalibrationFolder(written.folder + "/calib")
      .constants(for: "CxiDs1.0:Cspad.0", run: 1, shape: [32, 185, 388], commonMode: .nonBonded)
    let stored = try CalibrationFolder(written.folder + "/calib").geometry(for: "CxiDs1.0:Cspad.0", run: 1)
    let geometry = try #require(stored), positions = try geometry.pixelPositions()
    // Small-angle scattering ends at q = 0.15 1/A, 5.4 mm at this distance.
    let isOutside = zip(positions.x.elements, positions.y.elements).map { $0 * $0 + $1 * $1 > 49e6 }
    var kinds = Set<String>()
    for (index, row) in written.truth.enumerated() {
      let frame = try CSPAD.calibrate(try CSPAD.decode(try walk.payload(index), path: "p"), constants, path: "p")
      let bright = zip(frame.signal.elements, isOutside).count { $0 > 6 && $1 }
      let detectable = try number(row, "detectable_spots"), label = try #require(row["hit"])
      kinds.insert(label)
      #expect((label == "1") == (detectable >= 15))
      #expect(label == "1" ? bright > 30 : bright < 30, "\(bright) bright pixels, \(detectable) spots")
    }
    #expect(kinds == ["0", "1"])
  }
}

@Suite struct SimulatedTimeTool {
  /// A 50-tap step filter on signal/reference - 1: maximum at a falling edge.
  private func edge(_ signal: [Double], _ reference: [Double]) -> (position: Double, amplitude: Double) {
    let ratio = zip(signal, reference).map { $0 / max($1, 1) - 1 }, taps = 50
    var best = (0.0, -Double.infinity)
    for start in 60..<ratio.count - taps - 60 {
      let before = ratio[start..<start + taps / 2].reduce(0, +), after = ratio[start + taps / 2..<start + taps].reduce(0, +)
      let value = (before - after) / Double(taps / 2)
      if value > best.1 { best = (Double(start) + Double(taps) / 2 - 0.5, value) }
    }
    return best
  }

  @Test func theStepFilterFindsTheEdgeOfDeepShots() throws {
    var plan = SimulationPlan(detector: .timetool)
    (plan.runs, plan.shotsPerRun, plan.darksPerRun) = ([1, 2, 3], 40, 4)
    (plan.timeTool.referenceRate, plan.timeTool.secondEdgeRate) = (0.35, 0)
    plan.timeTool.depth = 0.15...0.3
    plan.timeTool.rise_px = 10...25
    let written = try WrittenPlan(plan)
    var errors: [Double] = [], signals: [Double] = [], references: [Double] = []
    for run in plan.runs {
      let walk = try written.run(run), rows = written.truth.filter { $0["run"] == "\(run)" }
      let profiles = try rows.indices.map { index -> [Double] in
        let payload = try walk.payload(index)
        #expect(DetectorCatalog.detector(for: payload.info)?.name == "timetool")
        let raw = try TimeTool.decode(payload, path: "p")
        #expect(raw.shape == [1, 452, 1024])
        let constants = try CalibrationFolder(written.folder + "/calib").constants(for: payload.info.source, run: run, shape: raw.shape)
        let frame = try TimeTool.calibrate(raw, constants, path: "p")
        var profile = [Double](repeating: 0, count: 1024)
        let row = Int(try number(rows[index], "stripe_row_px"))
        for r in row - 30...row + 30 where (0..<452).contains(r) {
          for x in 0..<1024 { profile[x] += Double(frame.signal.elements[r * 1024 + x]) }
        }
        return profile
      }
      let indices = rows.indices.filter { rows[$0]["state"] == "reference" }
      var reference = [Double](repeating: 0, count: 1024)
      for index in indices { for x in 0..<1024 { reference[x] += profiles[index][x] / Double(indices.count) } }
      for (index, row) in rows.enumerated() {
        let found = edge(profiles[index], reference)
        switch row["state"] {
        case "signal" where try number(row, "edge_depth") >= 0.1:
          errors.append(abs(found.position - (try number(row, "edge_px"))))
          signals.append(found.amplitude)
        case "reference": references.append(found.amplitude)
        case "dark": #expect(profiles[index].reduce(0, +) < 61 * 1024 * 3)
        default: break
        }
      }
    }
    #expect(errors.count > 40)
    #expect(Statistics.median(errors) <= 3, "median error \(Statistics.median(errors)) px")
    #expect(Statistics.quantile(references, 0.9) < Statistics.quantile(signals, 0.1))
  }

  @Test func wholeAndCroppedCamerasHaveTheirShape() throws {
    var plan = SimulationPlan(detector: .timetool)
    (plan.runs, plan.shotsPerRun, plan.darksPerRun, plan.timeTool.height) = ([1], 1, 0, 1024)
    let raw = try TimeTool.decode(try WrittenPlan(plan).run(1).payload(0), path: "p")
    #expect(raw.shape == [1, 1024, 1024])
  }
}

@Suite struct SimulatedXTCAV {
  @Test func lostEnergyIsPulseEnergyOverCharge() throws {
    // The same shot with its lasing suppressed is the reference: mean energy loss [MeV] = pulse energy [mJ] / charge [nC].
    var parameters = XTCAVSimulator.Parameters()
    // A whole camera, so that no tail of a strongly lasing slice leaves it.
    (parameters.emptyRate, parameters.croppedRate, parameters.height) = (0, 0, 1024)
    let simulator = XTCAVSimulator(parameters, lasingRate: 1, random: Philox(seed: 3, 1))
    var checked = 0
    for shot in 0..<24 {
      let drawn = simulator.draw(hasBeam: true, random: Philox(seed: 3, 1, UInt64(shot)))
      guard drawn.pulseEnergyMJ > 0.1 else { continue }
      func meanEnergy(_ bunches: [XTCAVSimulator.Bunch]) -> (energy: Double, charge: Double) {
        let image = XTCAVSimulator.image(of: bunches, parameters, resolutionFS: 1.2)
        var total = 0.0, first = 0.0
        for (i, value) in image.enumerated() {
          total += Double(value)
          first += Double(value) * (Double(i / 512) + 0.5) * parameters.scale_MeVPerPx
        }
        return (first / total, total)
      }
      let on = meanEnergy(drawn.bunches), off = meanEnergy(drawn.bunches.map(\.withoutLasing))
      #expect(abs(off.charge / drawn.chargeNC - 1) < 0.02)
      let lost = (off.energy - on.energy) * drawn.chargeNC
      #expect(abs(lost / drawn.pulseEnergyMJ - 1) < 0.05, "lost \(lost) mJ of \(drawn.pulseEnergyMJ)")
      checked += 1
    }
    #expect(checked >= 8)
  }

  @Test func darksRecoverThePedestalAndBrightnessIsNoLabel() throws {
    var plan = SimulationPlan(detector: .xtcav)
    (plan.runs, plan.shotsPerRun, plan.darksPerRun) = ([1], 60, 10)
    (plan.xtcav.emptyRate, plan.xtcav.croppedRate, plan.xtcav.saturatedRate) = (0, 0, 0)
    let written = try WrittenPlan(plan), walk = try written.run(1), shape: Shape = [1, 512, 512]
    let constants = try CalibrationFolder(written.folder + "/calib")
      .constants(for: "XrayTransportDiagnostic.0:Opal1000.0", run: 1, shape: shape)
    var darkSum = 0.0, darkSquares = 0.0, darkCount = 0.0
    var light: [String: [Double]] = ["0": [], "1": []]
    for (index, row) in written.truth.enumerated() {
      let payload = try walk.payload(index)
      #expect(DetectorCatalog.detector(for: payload.info)?.name == "xtcav")
      let frame = try XTCAV.calibrate(try XTCAV.decode(payload, path: "p"), constants, path: "p")
      if row["beam_on"] == "0" {
        for value in frame.signal.elements {
          darkSum += Double(value)
          darkSquares += Double(value * value)
          darkCount += 1
        }
        #expect(row["lasing"] == "0")
      } else {
        let charge = try number(row, "dump_charge_nC")
        light[try #require(row["lasing"])]?.append(frame.signal.elements.reduce(0) { $0 + Double($1) } / charge)
      }
    }
    #expect(abs(darkSum / darkCount) < 0.02)
    #expect(abs((darkSquares / darkCount - 1.0 / 12).squareRoot() - 3) < 0.05)
    let on = try #require(light["1"]), off = try #require(light["0"])
    #expect(on.count > 15 && off.count > 15)
    // Light a charge differs by less than 1 % between the classes: lasing conserves charge.
    #expect(abs(Statistics.mean(on) / Statistics.mean(off) - 1) < 0.01)
  }

  @Test func twoBunchesMakeFourClasses() throws {
    var plan = SimulationPlan(detector: .xtcav)
    (plan.runs, plan.shotsPerRun, plan.darksPerRun, plan.xtcav.bunches) = ([1], 60, 0, 2)
    (plan.xtcav.width, plan.xtcav.height) = (256, 512)
    let written = try WrittenPlan(plan)
    #expect(Set(written.truth.map { $0["lasing_class"] }) == ["0", "1", "2", "3"])
  }
}

@Test(arguments: SimulationPlan.Camera.allCases)
func theProjectsReaderFindsWhatTheWriterWrote(_ camera: SimulationPlan.Camera) throws {
  var plan = SimulationPlan(detector: camera)
  (plan.runs, plan.shotsPerRun, plan.darksPerRun, plan.cspad.roiMask) = ([5], 3, 1, 0xFF)
  let written = try WrittenPlan(plan), path = try #require(written.files.first { $0.hasSuffix(".xtc") })
  let reader = try XTC1Reader(opening: path), walk = try EventWalk(path)
  var index = 0
  while let event = try reader.next() {
    #expect(event.id.run == 5 && event.id.experiment == plan.experiment)
    let payload = try #require(event.payloads.first)
    let detector = try #require(DetectorCatalog.detector(for: payload.info))
    #expect(detector.name == camera.rawValue)
    let independent = try walk.payload(index)
    #expect(payload.bytes == independent.bytes && payload.configuration?.bytes.count == (camera == .cspad ? 287_928 : 12))
    let energy = try #require(event.scalars.first { $0.key.contains("L3Energy") }?.value)
    #expect(energy > 1000)
    #expect(event.eventCodes.contains(162) == (written.truth[index]["beam_on"] == "0"))
    index += 1
  }
  #expect(index == 4)
}
