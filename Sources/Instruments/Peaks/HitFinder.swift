import Frames
import Host
import Tensors

/// Did the pulse hit a crystal? A hit has at least `minimumPeaks` bright spots.
public struct HitFinder: Instrument {
  public static let name = "peaks"
  public static let detector = "cspad"
  public static let columns = ["hit", "peaks", "signal_in_peaks", "brightest_peak", "mean_signal"]
  public static let verdict = "hit"

  public var search = PeakSearch()
  public var minimumPeaks = 15

  public init() {}

  public func readings(of shots: RunShots, sketching: Int, progress: ProgressHandler) throws(InputError) -> [Reading] {
    var readings: [Reading] = [], assemblies: [EventID: Assembly] = [:], sketched = (hits: 0, misses: 0)
    try shots.forEach("peaks", progress: progress, where: { _ in true }) { exposed throws(InputError) in
      (exposed.shot, search.peaks(in: exposed.frame), Self.mean(exposed.frame), exposed.frame)
    } take: { shot, peaks, mean, frame throws(InputError) in
      var reading = Reading(
        shot: shot,
        values: [
          peaks.count >= minimumPeaks ? 1 : 0, Double(peaks.count), peaks.reduce(0) { $0 + $1.signal }, peaks.map(\.signal).max() ?? 0, mean,
        ])
      // Hits and misses take turns, as far as there are both.
      let isHit = peaks.count >= minimumPeaks
      if sketched.hits + sketched.misses < sketching, isHit ? 2 * sketched.hits <= sketching : 2 * sketched.misses < sketching {
        if isHit { sketched.hits += 1 } else { sketched.misses += 1 }
        if assemblies[shot.run] == nil, let geometry = try shots.calibration?.geometry(for: shot.source, run: shot.id.run) {
          assemblies[shot.run] = try Assembly(geometry: geometry, panelShape: frame.signal.shape)
        }
        reading.sketch = sketch(shot, peaks, frame, assemblies[shot.run])
      }
      readings.append(reading)
    }
    return readings
  }

  private static func mean(_ frame: Frame) -> Double {
    var sum = 0.0, count = 0
    for i in frame.mask.elements.indices where frame.mask.elements[i] != 0 {
      sum += Double(frame.signal.elements[i])
      count += 1
    }
    return count > 0 ? sum / Double(count) : .nan
  }

  /// On the assembled detector where its geometry is known, else panel under panel.
  private func sketch(_ shot: ShotHeader, _ peaks: [Peak], _ frame: Frame, _ assembly: Assembly?) -> Sketch {
    let title = "run \(shot.id.run) shot \(shot.index): \(peaks.count) peaks"
    guard let assembly else {
      let shape = frame.signal.shape, tall: Shape = [shape[0] * shape[1], shape[2]]
      let image = MaskedImage(
        pixels: frame.signal.reshaped(to: tall), weight: frame.mask.map { $0 == 0 ? 0 : 1 }.reshaped(to: tall))
      return Sketch(title: title, image: image, marks: peaks.map { ($0.panel * shape[1] + $0.row, $0.column) })
    }
    return Sketch(
      title: title, image: assembly.assemble(frame),
      marks: peaks.compactMap { assembly.canvasPixel(panel: $0.panel, row: $0.row, column: $0.column) })
  }
}
