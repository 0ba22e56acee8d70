import Host

/// A camera whose records hold the 16-bit counts of each panel as they are, so that frames can be calibrated panel by panel, without
/// an array of all pixels between.
package protocol PanelwiseDetector: Detector {
  /// Where the counts lie in `payload`; `nil` for a record that holds them otherwise, which `decode` reads. Throws as `decode`.
  static func panelCounts(of payload: Payload, path: String) throws(InputError) -> PanelCounts?
  /// What `calibrate` does to frames of that many panels, made ready; `nil` for constants whose common mode needs more than a panel.
  static func panelCalibration(_ constants: CalibrationConstants, panels: Int, path: String) throws(InputError) -> PanelCalibration?
}

/// Where the counts of each panel lie in a payload: little-endian words, row-major.
package struct PanelCounts: Hashable, Sendable {
  /// The byte at which each panel begins; `nil` for one that was not stored.
  package var offsets: [Int?]
  package var isSigned: Bool

  package init(offsets: [Int?], isSigned: Bool) {
    (self.offsets, self.isSigned) = (offsets, isSigned)
  }

  /// Which panels were stored.
  package var stored: [Bool] { offsets.map { $0 != nil } }
}

/// One frame of 16-bit counts as it lies in a record.
package struct CountedFrame: Sendable {
  package var counts: PanelCounts
  package var bytes: [UInt8]
  /// At and above which a count is saturated; `nil` where the record does not tell.
  package var fullScale: Float?

  package init(_ counts: PanelCounts, in bytes: [UInt8], fullScale: Float? = nil) {
    (self.counts, self.bytes, self.fullScale) = (counts, bytes, fullScale)
  }
}
