import CPixels
import Tensors

/// Calibration constants of one run made ready for frames of 16-bit counts: raw - pedestal, common mode by each panel's histogram,
/// gain and masks, panel by panel. Signals have the same bits as those of `Calibration.apply`, by any instructions.
///
/// Masks need no array of their own in the loops: an unusable pixel has a pedestal far outside of the histogram, and a bad one is
/// divided by infinity.
package struct PanelCalibration: Sendable {
  /// `[panels, rows, columns]`.
  package let shape: Shape
  package let unit: Frame.Unit
  /// 1 where a pixel is good, of whatever frame.
  package let mask: Tensor<UInt8>
  private let pedestal: [Float], divisor: [Float]
  private let commonMode: HistogramCommonMode?

  /// Of a pixel that no histogram counts: any count less this is below all bins, and finite.
  private static let farPedestal: Float = 1e30

  /// `usable` pixels tell the common mode, those of `mask` are good; `mask` is part of `usable`.
  init(
    pedestal: Tensor<Float>?, gain: Tensor<Float>?, usable: [UInt8], mask: Tensor<UInt8>, commonMode: HistogramCommonMode?, unit: Frame.Unit
  ) {
    let count = mask.shape.count
    precondition(mask.shape.rank == 3 && usable.count == count, "flags of \(usable.count) pixels for \(mask.shape)")
    precondition(commonMode == nil || mask.shape[1] * mask.shape[2] <= Self.histogramLimit, "\(mask.shape) is too much for a histogram")
    (shape, self.unit, self.mask, self.commonMode) = (mask.shape, unit, mask, commonMode)
    var offsets = pedestal?.elements ?? [Float](repeating: 0, count: count)
    var divisor = gain?.elements ?? [Float](repeating: 1, count: count)
    for i in 0..<count {
      if usable[i] == 0 { offsets[i] = Self.farPedestal }
      if mask.elements[i] == 0 { divisor[i] = .infinity }
    }
    (self.pedestal, self.divisor) = (offsets, divisor)
  }

  /// What a frame is beside its signal.
  package struct Outcome: Hashable, Sendable {
    /// Good pixels at full scale.
    package var saturated = 0
    /// Whether every signal is a finite number.
    package var isFinite = true
  }

  /// Panels of more pixels than this have no histogram.
  package static var histogramLimit: Int { Int(psi_histogram_limit) }

  /// Calls `body` with each stored panel of each frame, panel by panel in order, frames innermost: their numbers and the signal,
  /// row-major, 0 where a pixel is bad. What each frame is beside that comes back. Traps for counts of other panels.
  ///
  /// Cost: about 0.7 ns a pixel for a single frame, 0.4 of four and more, since the constants of a panel stay in the cache from frame to frame.
  package func forEachPanel(
    of frames: [CountedFrame], instructions: PixelInstructions = .best, _ body: (_ panel: Int, _ frame: Int, _ signal: Span<Float>) -> Void
  ) -> [Outcome] {
    for frame in frames {
      precondition(frame.counts.offsets.count == shape[0], "counts of \(frame.counts.offsets.count) panels for \(shape)")
    }
    let size = shape[1] * shape[2], bins = commonMode == nil ? 0 : HistogramCommonMode.binCount
    var signal = [Float](repeating: 0, count: size), binned = [Int](repeating: 0, count: bins)
    var tables = [UInt16](repeating: 0, count: Int(psi_histogram_turns) * (bins + 1)), outcomes = frames.map { _ in Outcome() }
    for panel in 0..<shape[0] {
      for (number, frame) in frames.enumerated() {
        guard let offset = frame.counts.offsets[panel] else { continue }
        precondition(offset >= 0 && offset + 2 * size <= frame.bytes.count, "panel \(panel) at \(offset) of \(frame.bytes.count) bytes")
        let result = develop(panel, of: frame, at: offset, into: &signal, &tables, &binned, instructions)
        outcomes[number].saturated += Int(result.saturated)
        if result.is_doubtful != 0 { outcomes[number].isFinite = false }
        body(panel, number, signal.span)
      }
    }
    return outcomes
  }

  private func develop(
    _ panel: Int, of frame: CountedFrame, at offset: Int, into signal: inout [Float], _ tables: inout [UInt16], _ binned: inout [Int],
    _ instructions: PixelInstructions
  ) -> psi_panel_outcome {
    let size = signal.count, constants = panel * size..<(panel + 1) * size, isSigned: Int32 = frame.counts.isSigned ? 1 : 0
    return unsafe frame.bytes.withUnsafeBytes { bytes in
      unsafe pedestal.span.extracting(constants).withUnsafeBufferPointer { pedestal in
        unsafe divisor.span.extracting(constants).withUnsafeBufferPointer { divisor in
          unsafe tables.withUnsafeMutableBufferPointer { tables in
            let words = unsafe bytes.baseAddress! + offset
            let histogram = unsafe psi_histogram(
              lowest: HistogramCommonMode.lowestBin, bins: UInt32(binned.count), tables: tables.baseAddress!)
            let used = unsafe psi_subtract_pedestal(words, isSigned, pedestal.baseAddress!, &signal, size, histogram, instructions.name)
            var shift: Float = 0
            if let commonMode {
              unsafe psi_histogram_counts(histogram, used, &binned)
              shift = commonMode.shift(ofCounts: binned)
            }
            return unsafe psi_divide_by_gain(
              words, isSigned, frame.fullScale ?? .infinity, shift, divisor.baseAddress!, &signal, size, instructions.name)
          }
        }
      }
    }
  }
}
