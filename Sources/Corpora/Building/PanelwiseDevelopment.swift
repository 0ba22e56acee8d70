import Frames
import Host
import Synchronization
import Tensors

/// From the 16-bit counts of a camera to its small assembled picture, panel by panel: what `Exposure` does in steps, without arrays as
/// large as the frame between. Pictures have the same bits.
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

  /// The picture in the frame's unit; `nil` for a record with its counts elsewhere or for other panels, and where a signal is no
  /// finite number: whoever takes the steps will say which.
  package func picture(of payload: Payload, path: String) throws(InputError) -> (image: MaskedImage, unit: Frame.Unit, saturation: Double?)? {
    guard let counts = try detector.panelCounts(of: payload, path: path), counts.offsets.count == calibration.shape[0] else { return nil }
    let full = detector.fullScale(of: payload)
    var sums = projection.makeSums()
    let outcome = calibration.forEachPanel(of: counts, in: payload.bytes, fullScale: full) { panel, signal in
      projection.add(signal, ofPanel: panel, to: &sums)
    }
    guard outcome.isFinite else { return nil }
    let stored = stored(counts.stored)
    let saturation = full.map { _ in stored.good == 0 ? 0 : Double(outcome.saturated) / Double(stored.good) }
    return (projection.picture(sums, stored.shares), calibration.unit, saturation)
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
