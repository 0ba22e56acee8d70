import Frames
import Host
import Synchronization
import Tensors

/// From the 16-bit counts of a camera to its small assembled picture, panel by panel: what `Exposure` does in steps, without arrays as
/// large as the frame between, and for several frames at once. Pictures have the same bits.
package final class PanelwiseDevelopment: Sendable {
  private let detector: any PanelwiseDetector.Type
  private let calibration: PanelCalibration
  private let projection: Projection
  /// A run stores the same panels in every event.
  private let last = Mutex<Stored?>(nil)

  /// What follows from which panels are stored.
  private struct Stored: Sendable {
    var panels: [Bool]
    var good: Int
    var shares: Projection.Shares
  }

  /// `nil` where the constants ask for more than a panel at a time, or are for other panels than the projection.
  package init?(
    _ detector: any PanelwiseDetector.Type, _ constants: CalibrationConstants, _ projection: Projection, path: String
  ) throws(InputError) {
    guard let calibration = try detector.panelCalibration(constants, panels: projection.panelShape[0], path: path),
      calibration.shape == projection.panelShape
    else { return nil }
    (self.detector, self.calibration, self.projection) = (detector, calibration, projection)
  }

  /// One picture, in the frame's unit.
  package struct Picture: Sendable {
    package var image: MaskedImage
    package var unit: Frame.Unit
    /// The share of good pixels at full scale; `nil` where the record does not tell its full scale.
    package var saturation: Double?
  }

  /// How many frames of so many bytes are best developed at once: with more of them the constants of a panel are read less often, and
  /// all lie in memory meanwhile.
  package static func frames(ofBytes bytes: Int) -> Int { max(1, min(8, (32 << 20) / max(1, bytes))) }

  /// The picture of each record, whatever the others are; `nil` for one that is malformed, that has its counts elsewhere or of other
  /// panels, and where a signal is no finite number: whoever takes the steps will say which.
  package func pictures(of payloads: [Payload], path: String) -> [Picture?] {
    var places: [Int] = [], frames: [CountedFrame] = []
    for (place, payload) in payloads.enumerated() {
      guard case .success(let counts?) = Result(catching: { () throws(InputError) in try detector.panelCounts(of: payload, path: path) }),
        counts.offsets.count == calibration.shape[0]
      else { continue }
      places.append(place)
      frames.append(CountedFrame(counts, in: payload.bytes, fullScale: detector.fullScale(of: payload)))
    }
    var sums = frames.map { _ in projection.makeSums() }
    let outcomes = calibration.forEachPanel(of: frames) { panel, frame, signal in projection.add(signal, ofPanel: panel, to: &sums[frame]) }
    var pictures = [Picture?](repeating: nil, count: payloads.count)
    for (number, place) in places.enumerated() where outcomes[number].isFinite {
      let frame = frames[number], stored = stored(frame.counts.stored)
      let saturation = frame.fullScale.map { _ in stored.good == 0 ? 0 : Double(outcomes[number].saturated) / Double(stored.good) }
      pictures[place] = Picture(
        image: projection.picture(sums[number], stored.shares), unit: calibration.unit, saturation: saturation)
    }
    return pictures
  }

  private func stored(_ panels: [Bool]) -> Stored {
    if let known = last.withLock({ $0 }), known.panels == panels { return known }
    var mask = calibration.mask
    let size = mask.shape[1] * mask.shape[2]
    for (panel, isStored) in panels.enumerated() where !isStored {
      for i in panel * size..<(panel + 1) * size { mask.elements[i] = 0 }
    }
    let good = mask.elements.reduce(0) { $0 + ($1 == 0 ? 0 : 1) }
    let new = Stored(panels: panels, good: good, shares: projection.shares(of: mask))
    last.withLock { $0 = new }
    return new
  }
}
