import Frames
import Host
import Tensors

/// Did the bunch lase, and what pulse did it emit? The chain of LCLS's `xtcav`: dark, denoise, islands, slices, lasing-off
/// references, power.
///
/// The verdict comes from the picture alone: the mean widening of the slices (`spread_excess_MeV2`) in units of its spread over
/// the run's references, each compared with the others. References are shots of `references`, a lasing-off run, or shots of the
/// same run for which the gas detector shows less than `offBelow_mJ`. Source: slaclab/xtcav.
public struct PulseRetrieval: Instrument {
  public static let name = "xtcav"
  public static let detector = "xtcav"
  public static let columns = [
    "lasing", "spread_excess_sigma", "spread_excess_MeV2", "gas_detector_mJ", "unshifted_energy_mJ", "peak_power_GW", "peak_time_fs",
    "fwhm_fs", "agreement", "group", "correlation", "charge_nC", "length_fs", "centre_column_px", "centre_row_px", "second_delay_fs",
    "second_energy_MeV",
  ]
  public static let verdict = "lasing"

  public var islands = BunchIslands()
  public var axes = XTCAVAxes(fsPerPx: 0.8, MeVPerPx: 0.2)
  /// Raw counts from which a pixel is saturated, ADU: 4095 for the 12-bit camera, 16383 for the 14-bit one.
  public var saturation_ADU = 4095.0
  public var beamOffCodes = [162]
  /// Most beam-off shots that the dark picture is averaged from, in each run.
  public var darkLimit = 401
  /// Files of lasing-off runs; empty: `offBelow_mJ` decides in each run.
  public var references: [String] = []
  /// Gas detector energy below which a shot counts as not lasing, mJ.
  public var offBelow_mJ = 0.008
  public var grouping = LasingOffReferences.Grouping.clustering
  /// Groups of references; 0: by the gap statistic for clustering, five shots each for correlation.
  public var groups = 0
  /// A bunch lases from this many standard deviations of the references on.
  public var significance = 3.0
  /// Charge where the beam line did not record it, nC.
  public var usualCharge_nC = 0.2
  public var seed: UInt64 = 0

  public init() {}

  public func readings(of shots: RunShots, sketching: Int, progress: ProgressHandler) throws(InputError) -> [Reading] {
    guard islands.bunches >= 1, axes.fsPerPx != 0, axes.fsPerPx.isFinite, axes.MeVPerPx > 0, axes.MeVPerPx.isFinite else {
      throw InputError(
        path: "xtcav", place: "settings", expected: "at least one bunch and axes that are not 0",
        found: "\(islands.bunches) bunches, \(axes.fsPerPx) fs/px, \(axes.MeVPerPx) MeV/px")
    }
    let measured = try measure(shots, sketching: sketching, progress)
    var outside: [BunchProfile] = []
    if !references.isEmpty {
      var off = shots
      off.files = references
      outside = try measure(off, sketching: 0, progress).filter { $0.problem.isEmpty }.compactMap { $0.profiles.first }
    }
    var readings: [Reading] = []
    for run in measured.chunked(by: { $0.shot.run == $1.shot.run }) { readings += readingsOfRun(Array(run), outside) }
    return readings
  }

  /// One shot before it is compared with references.
  private struct Measured: Sendable {
    var shot: ShotHeader
    var profiles: [BunchProfile] = []
    var slices: [SliceProfile] = []
    var problem = ""
    var image: MaskedImage?
  }

  private func isDark(_ shot: ShotHeader) -> Bool { beamOffCodes.contains { shot.eventCodes.contains($0) } }

  private func measure(_ shots: RunShots, sketching: Int, _ progress: ProgressHandler) throws(InputError) -> [Measured] {
    let darks = try darks(shots, progress)
    var measured: [Measured] = [], kept = 0
    try shots.forEach("xtcav: bunches", progress: progress, where: { _ in true }) { exposed throws(InputError) in
      guard !isDark(exposed.shot) else { return Measured(shot: exposed.shot, problem: "no beam") }
      var image = exposed.frame.panelImages[0]
      if let dark = darks[exposed.shot.run] {
        guard dark.shape == image.pixels.shape else {
          throw InputError(
            path: shots.files[exposed.shot.file], place: "event \(exposed.shot.index)", expected: "a picture \(dark.shape) like the run's darks",
            found: "\(image.pixels.shape)")
        }
        for i in image.pixels.elements.indices { image.pixels.elements[i] -= dark.elements[i] }
      } else if shots.calibration == nil {
        throw InputError(
          .missing, path: shots.files[exposed.shot.file], place: "run \(exposed.shot.id.run)",
          expected: "beam-off shots (event codes \(beamOffCodes)) or a calibration folder, for the dark picture", found: "neither")
      }
      var result = Measured(shot: exposed.shot, image: image)
      if Double(exposed.raw.elements.max() ?? 0) >= saturation_ADU {
        result.problem = "saturated"
        return result
      }
      do throws(BunchIslands.Problem) {
        result.slices = try islands.islands(in: image).map { SliceProfile($0) }
      } catch {
        result.problem = error.rawValue
        return result
      }
      let charge = exposed.shot.dumpChargeNC ?? usualCharge_nC
      result.profiles = result.slices.filter { $0.columns.count > 4 }.map { BunchProfile($0, axes, charge: charge) }
      if result.profiles.count < islands.bunches { result.problem = "bunch of less than five columns" }
      return result
    } take: { result in
      var result = result
      if result.problem.isEmpty, kept < sketching { kept += 1 } else { result.image = nil }
      measured.append(result)
    }
    return measured
  }

  /// The mean of each run's beam-off shots.
  private func darks(_ shots: RunShots, _ progress: ProgressHandler) throws(InputError) -> [EventID: Tensor<Float>] {
    var sums: [EventID: Tensor<Float>] = [:], counts: [EventID: Float] = [:]
    var seen: [EventID: Int] = [:]
    func isWanted(_ shot: ShotHeader) -> Bool {
      guard isDark(shot) else { return false }
      seen[shot.run, default: 0] += 1
      return seen[shot.run, default: 0] <= darkLimit
    }
    try shots.forEach("xtcav: darks", progress: progress, where: isWanted) { exposed throws(InputError) in
      (exposed.shot.run, exposed.frame.panelImages[0].pixels)
    } take: { run, pixels in
      if var sum = sums[run], sum.shape == pixels.shape {
        sums[run] = nil
        for i in sum.elements.indices { sum.elements[i] += pixels.elements[i] }
        sums[run] = sum
      } else {
        (sums[run], counts[run]) = (pixels, 0)
      }
      counts[run, default: 0] += 1
    }
    var means: [EventID: Tensor<Float>] = [:]
    for (run, sum) in sums { means[run] = sum.map { [count = counts[run, default: 1]] in $0 / count } }
    return means
  }

  private func readingsOfRun(_ shots: [Measured], _ outside: [BunchProfile]) -> [Reading] {
    var source: [Int] = []
    if outside.isEmpty {
      source = shots.indices.filter { i in
        shots[i].problem.isEmpty && shots[i].profiles.count >= 1 && shots[i].shot.gasDetectorMJ.map { $0 < offBelow_mJ } ?? false
      }
    }
    let off = outside.isEmpty ? source.map { shots[$0].profiles[0] } : outside
    let rank = Dictionary(uniqueKeysWithValues: source.enumerated().map { ($1, $0) })
    let isEnough = off.count >= 5
    let random = Philox(seed: seed, UInt64(max(0, shots.first?.shot.id.run ?? 0)))
    let references = isEnough ? LasingOffReferences(off, grouping: grouping, groups: groups > 0 ? groups : nil, random: random) : nil
    // How much references widen against each other.
    var usual = (mean: 0.0, sigma: Double.nan)
    if let references {
      let excesses = off.indices.compactMap { i in
        references.match(off[i], excluding: i).map { RetrievedPulse(on: off[i], off: $0.average, energyMJ: nil).spreadExcess }
      }.filter(\.isFinite)
      let median = Statistics.median(excesses)
      // 1.4826 times the median deviation is the sigma of a normal distribution, whatever a few lasing shots among them do.
      usual = (median, 1.4826 * Statistics.median(excesses.map { abs($0 - median) }))
    }
    return shots.enumerated().map { i, shot in
      var reading = Reading(shot: shot.shot, values: [Double](repeating: .nan, count: Self.columns.count), problem: shot.problem)
      if let gas = shot.shot.gasDetectorMJ { reading.values[3] = gas }
      guard shot.problem.isEmpty, let first = shot.profiles.first else { return reading }
      describe(shot, &reading)
      guard let references else {
        reading.problem = "fewer than 5 lasing-off references (\(off.count))"
        return reading
      }
      guard let match = references.match(first, excluding: rank[i]) else { return reading }
      let pulse = RetrievedPulse(on: first, off: match.average, energyMJ: shot.shot.gasDetectorMJ)
      let sigma = (pulse.spreadExcess - usual.mean) / usual.sigma
      reading.values[0] = sigma.isNaN ? .nan : sigma >= significance ? 1 : 0
      reading.values[1] = sigma
      reading.values[2] = pulse.spreadExcess
      reading.values[4] = pulse.unshiftedEnergyMJ
      if let peak = pulse.peak { (reading.values[6], reading.values[5], reading.values[7]) = (peak.time, peak.power, peak.width) }
      reading.values[8] = pulse.agreement
      reading.values[9] = Double(match.group)
      reading.values[10] = match.correlation
      if let image = shot.image { reading.sketch = sketch(shot, image, first, match.average, pulse, sigma) }
      return reading
    }
  }

  private func describe(_ shot: Measured, _ reading: inout Reading) {
    reading.values[11] = shot.profiles.reduce(0) { $0 + $1.charge }
    reading.values[12] = shot.slices[0].length * abs(axes.fsPerPx)
    reading.values[13] = shot.slices[0].centreColumn
    reading.values[14] = shot.slices[0].centreRow
    guard shot.slices.count > 1 else { return }
    reading.values[15] = (shot.slices[1].centreColumn - shot.slices[0].centreColumn) * axes.fsPerPx
    reading.values[16] = (shot.slices[1].centreRow - shot.slices[0].centreRow) * axes.MeVPerPx
  }

  private func sketch(
    _ shot: Measured, _ image: MaskedImage, _ on: BunchProfile, _ off: BunchProfile, _ pulse: RetrievedPulse, _ sigma: Double
  ) -> Sketch {
    let on = on.resampled(at: off.time), gas = shot.shot.gasDetectorMJ.map { ReadingTable.cell(($0 * 1000).rounded() / 1000) + " mJ" } ?? ""
    return Sketch(
      title: "run \(shot.shot.id.run) shot \(shot.shot.index): \(ReadingTable.cell((sigma * 10).rounded() / 10)) sigma  \(gas)", image: image,
      panels: [
        .init(title: "current kA", curves: [.init(name: "shot", x: on.time, y: on.current), .init(name: "off", x: off.time, y: off.current)]),
        .init(
          title: "slice energy MeV", curves: [.init(name: "shot", x: on.time, y: on.energy), .init(name: "off", x: off.time, y: off.energy)]),
        .init(title: "slice spread MeV", curves: [.init(name: "shot", x: on.time, y: on.spread), .init(name: "off", x: off.time, y: off.spread)]),
        .init(
          title: "power GW",
          curves: [.init(name: "COM", x: pulse.time, y: pulse.powerCOM), .init(name: "RMS", x: pulse.time, y: pulse.powerRMS)]),
      ])
  }
}
