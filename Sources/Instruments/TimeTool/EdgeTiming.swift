import Frames
import Host
import Tensors

/// When did the X-rays arrive? The step that they make in the laser stripe, as the LCLS time tool finds it.
///
/// Rows of the region are projected onto the columns, a sideband's baseline is subtracted, the projection is divided by that of
/// shots without X-rays, a step filter runs along it, and a parabola through the top of its answer gives position and height.
/// Source: TimeTool service/Fex.cc. Positions are those of the step's middle: the middle of the window, half a pixel below what
/// Fex.cc gives (start + n/2).
public struct EdgeTiming: Instrument {
  public static let name = "timetool"
  public static let detector = "timetool"
  public static let columns = [
    "edge", "edge_px", "edge_ps", "amplitude", "fwhm_px", "next_amplitude", "next_px", "stripe_ADU", "beam", "laser",
  ]
  public static let verdict = "edge"

  public enum Polarity: String, Codable, Sendable, CaseIterable {
    /// Transmission falls after the step, as in most setups; it rises; or whichever is higher.
    case falling, rising, either
  }
  public enum Filter: String, Codable, Sendable, CaseIterable { case difference, matched }
  public enum Reference: String, Codable, Sendable, CaseIterable {
    /// The mean of the run's shots without X-rays; for such a shot, of the others.
    case run
    /// What an online monitor has: a running mean of those before, each new one with the weight `rollingFactor`.
    case rolling
  }

  /// `[first, end)` of the rows that are projected; empty: those where the run's mean picture exceeds a quarter of its maximum.
  public var rows: [Int] = []
  /// `[first, end)` of rows without stripe, whose mean a row is subtracted; empty: none.
  public var sideband: [Int] = []
  /// Columns of the step filter. A step takes twice its rise width, up to 80 columns, and a shorter filter sees only a part of its
  /// height: 50 taps answer a step of 35 columns' rise with 0.4 of it.
  public var taps = 100
  public var filter = Filter.difference
  public var polarity = Polarity.falling
  public var reference = Reference.run
  public var rollingFactor = 0.05
  /// Event codes of shots without X-rays, and without laser.
  public var beamOffCodes = [162], laserOffCodes = [91]
  /// An edge is there from this height on; the share of the transmission.
  public var minimumAmplitude = 0.05
  /// Columns -> ps, ascending coefficients; empty: no time is given.
  public var calibration: [Double] = []

  public init() {}

  public func readings(of shots: RunShots, sketching: Int, progress: ProgressHandler) throws(InputError) -> [Reading] {
    guard taps > 0, taps % 2 == 0 else {
      throw InputError(path: "time tool", place: "taps", expected: "an even number of taps", found: "\(taps)")
    }
    var regions: [EventID: Range<Int>] = [:]
    for (place, range) in [("rows", rows), ("sideband", sideband)] where !range.isEmpty {
      guard range.count == 2, range[0] >= 0, range[0] < range[1] else {
        throw InputError(path: "time tool", place: place, expected: "[first, end] with 0 <= first < end", found: "\(range)")
      }
    }
    if rows.isEmpty { regions = try stripes(shots, progress) }
    var traces: [Trace] = [], images: [Int: MaskedImage] = [:]
    let found = regions
    try shots.forEach("time tool: projections", progress: progress, where: { _ in true }) { exposed throws(InputError) in
      let region = rows.isEmpty ? found[exposed.shot.run] ?? 0..<0 : rows[0]..<rows[1]
      return (try self.trace(exposed, region, path: shots.files[exposed.shot.file]), exposed.frame)
    } take: { trace, frame in
      if images.count < sketching, trace.hasBeam, trace.hasLaser { images[traces.count] = frame.panelImages[0] }
      traces.append(trace)
    }
    var readings: [Reading] = []
    for run in traces.chunked(by: { $0.shot.run == $1.shot.run }) { readings += readingsOfRun(run, images, offset: readings.count) }
    return readings
  }

  /// What is left of a frame: its projection, mean ADU a row.
  private struct Trace: Sendable {
    var shot: ShotHeader
    var values: [Double]
    var region: Range<Int>
    var hasBeam: Bool, hasLaser: Bool
    /// A shot that shows the stripe as it is without X-rays.
    var isReference: Bool { hasLaser && !hasBeam }
  }

  private func trace(_ exposed: RunShots.Exposed, _ region: Range<Int>, path: String) throws(InputError) -> Trace {
    let shape = exposed.frame.signal.shape, width = shape[2], shot = exposed.shot
    func require(_ range: Range<Int>, _ place: String) throws(InputError) {
      guard range.upperBound <= shape[1], width > taps else {
        throw InputError(path: path, place: "time tool \(place)", expected: "rows within \(shape[1]), more than \(taps) columns", found: "\(range), \(width)")
      }
    }
    try require(region, "rows")
    var values = projection(exposed.frame, region, width)
    if !sideband.isEmpty {
      try require(sideband[0]..<sideband[1], "sideband")
      let base = projection(exposed.frame, sideband[0]..<sideband[1], width)
      for i in values.indices { values[i] -= base[i] }
    }
    return Trace(
      shot: shot, values: values, region: region, hasBeam: !beamOffCodes.contains { shot.eventCodes.contains($0) },
      hasLaser: !laserOffCodes.contains { shot.eventCodes.contains($0) })
  }

  /// The mean over the good pixels of each column.
  private func projection(_ frame: Frame, _ rows: Range<Int>, _ width: Int) -> [Double] {
    var sums = [Double](repeating: 0, count: width), counts = sums
    for row in rows {
      for column in 0..<width where frame.mask.elements[row * width + column] != 0 {
        sums[column] += Double(frame.signal.elements[row * width + column])
        counts[column] += 1
      }
    }
    return zip(sums, counts).map { $1 > 0 ? $0 / $1 : 0 }
  }

  /// The rows of each run's stripe, from its first 40 shots with laser.
  private func stripes(_ shots: RunShots, _ progress: ProgressHandler) throws(InputError) -> [EventID: Range<Int>] {
    var profiles: [EventID: [Double]] = [:], seen: [EventID: Int] = [:]
    func isWanted(_ shot: ShotHeader) -> Bool {
      guard !laserOffCodes.contains(where: { shot.eventCodes.contains($0) }) else { return false }
      seen[shot.run, default: 0] += 1
      return seen[shot.run, default: 0] <= 40
    }
    try shots.forEach("time tool: stripe", progress: progress, where: isWanted) { exposed throws(InputError) in
      let shape = exposed.frame.signal.shape, width = shape[2]
      return (
        exposed.shot.run,
        (0..<shape[1]).map { row in
          exposed.frame.signal.elements[row * width..<(row + 1) * width].reduce(0) { $0 + Double($1) } / Double(width)
        }
      )
    } take: { run, profile in
      if let sum = profiles[run], sum.count == profile.count { profiles[run] = zip(sum, profile).map(+) } else { profiles[run] = profile }
    }
    return profiles.mapValues { profile in
      // Most rows see no stripe: their median is the level without.
      let base = Statistics.median(profile), top = profile.indices.max { profile[$0] < profile[$1] } ?? 0
      let level = base + 0.25 * (profile[top] - base)
      var first = top, last = top
      while first > 0, profile[first - 1] > level { first -= 1 }
      while last < profile.count - 1, profile[last + 1] > level { last += 1 }
      return first..<last + 1
    }
  }

  private func readingsOfRun(_ traces: ArraySlice<Trace>, _ images: [Int: MaskedImage], offset: Int) -> [Reading] {
    let references = traces.filter(\.isReference)
    var sum = references.first.map { [Double](repeating: 0, count: $0.values.count) } ?? []
    for trace in references { for i in sum.indices { sum[i] += trace.values[i] } }
    let mean = sum.map { $0 / Double(max(1, references.count)) }
    let noise = filter == .matched && references.count > 1
      ? references.map { trace in ratio(trace.values, others(sum, references.count, trace)) } : []
    let step = filter == .matched ? StepFilter.matched(taps: taps, noise: noise) : .difference(taps: taps)
    var rolling: [Double]?
    return traces.enumerated().map { position, trace in
      var reading = Reading(shot: trace.shot, values: [Double](repeating: .nan, count: Self.columns.count))
      reading.values[8] = trace.hasBeam ? 1 : 0
      reading.values[9] = trace.hasLaser ? 1 : 0
      let baseline: [Double]?
      switch reference {
      case .run: baseline = trace.isReference ? (references.count > 1 ? others(sum, references.count, trace) : nil) : (references.isEmpty ? nil : mean)
      case .rolling:
        baseline = rolling
        if trace.isReference {
          rolling = rolling.map { old in zip(old, trace.values).map { (1 - rollingFactor) * $0 + rollingFactor * $1 } } ?? trace.values
        }
      }
      guard let baseline else {
        reading.problem = "no reference shot"
        return reading
      }
      let height = trace.values.max() ?? 0
      reading.values[7] = height
      guard height > 0.1 * (baseline.max() ?? 0) else {
        reading.problem = "no laser stripe"
        return reading
      }
      measure(trace, baseline, step, &reading, images[offset + position])
      return reading
    }
  }

  /// The mean reference without this one.
  private func others(_ sum: [Double], _ count: Int, _ trace: Trace) -> [Double] {
    zip(sum, trace.values).map { ($0 - $1) / Double(count - 1) }
  }

  /// signal/reference - 1; 0 where the reference has less than 5 % of its maximum, which is noise over noise.
  private func ratio(_ signal: [Double], _ reference: [Double]) -> [Double] {
    let lowest = 0.05 * (reference.max() ?? 0)
    return zip(signal, reference).map { $1 > lowest ? $0 / $1 - 1 : 0 }
  }

  private func measure(_ trace: Trace, _ baseline: [Double], _ step: StepFilter, _ reading: inout Reading, _ image: MaskedImage?) {
    let ratio = ratio(trace.values, baseline)
    var answer = step.applied(to: ratio)
    let candidates = polarity == .falling ? [answer] : polarity == .rising ? [answer.map { -$0 }] : [answer, answer.map { -$0 }]
    let found = candidates.compactMap { trace in TracePeak.two(in: trace).map { (trace, $0) } }.max { $0.1.first.amplitude < $1.1.first.amplitude }
    let half = Double(taps) / 2 - 0.5
    if let (chosen, peaks) = found {
      answer = chosen
      let position = peaks.first.position + half
      reading.values[0] = peaks.first.amplitude >= minimumAmplitude ? 1 : 0
      reading.values[1] = position
      if !calibration.isEmpty { reading.values[2] = Polynomial.value(calibration, at: position) }
      reading.values[3] = peaks.first.amplitude
      reading.values[4] = peaks.first.width
      reading.values[5] = peaks.second?.amplitude ?? 0
      if let second = peaks.second { reading.values[6] = second.position + half }
    } else {
      reading.values[0] = 0
      reading.values[3] = 0
    }
    guard let image else { return }
    let x = ratio.indices.map(Double.init)
    var sketch = Sketch(
      title: "run \(trace.shot.id.run) shot \(trace.shot.index): edge \(ReadingTable.cell((reading.values[1] * 10).rounded() / 10)) px", image: image)
    sketch.panels = [
      .init(
        title: "projection", curves: [.init(name: "shot", x: x, y: trace.values), .init(name: "reference", x: x, y: baseline)],
        lines: [reading.values[1]]),
      .init(
        title: "signal/reference-1", curves: [
          .init(name: "ratio", x: x, y: ratio), .init(name: "filter", x: answer.indices.map { Double($0) + half }, y: answer),
        ], lines: [reading.values[1]]),
    ]
    reading.sketch = sketch
  }
}

extension Array {
  /// Stretches of neighbours that belong together.
  func chunked(by belong: (Element, Element) -> Bool) -> [ArraySlice<Element>] {
    var chunks: [ArraySlice<Element>] = [], start = 0
    for i in indices.dropFirst() where !belong(self[i - 1], self[i]) {
      chunks.append(self[start..<i])
      start = i
    }
    if !isEmpty { chunks.append(self[start...]) }
    return chunks
  }
}
