/// One measured work, with what can be said of its speed.
public struct SpeedFigure: Codable, Hashable, Sendable {
  /// What was timed, such as `training step`.
  public let work: String
  /// Of what, such as `resnet18 32×1×128×128 bfloat16`.
  public let setting: String
  public let samples: Samples
  /// Per sample.
  public let images: Int?
  /// Floating-point operations per sample by the direct algorithm: see `Program.multiplyAdds`.
  public let floatingPointOperations: Int?
  /// Bytes, for works that are about memory: a plan's, or the most that a process held.
  public let bytes: Int?
  /// Further words, such as the time of compiling.
  public let note: String

  /// Milliseconds; `nil` without a clean sample.
  public let median: Double?
  public let minimum: Double?
  public let imagesPerSecond: Double?
  public let gigaflopsPerSecond: Double?
  /// Of the machine's own measured product peak in the same precision. Above 100 is possible: winograd needs fewer operations
  /// than are counted.
  public let percentOfPeak: Double?

  /// - Parameter peak: GF/s of the machine in the precision of the work.
  public init(
    _ work: String, _ setting: String, _ samples: Samples, images: Int? = nil, floatingPointOperations: Int? = nil, peak: Double? = nil,
    bytes: Int? = nil, note: String = ""
  ) {
    (self.work, self.setting, self.samples, self.images) = (work, setting, samples, images)
    (self.floatingPointOperations, self.bytes, self.note) = (floatingPointOperations, bytes, note)
    let median = samples.median
    self.median = median
    minimum = samples.minimum
    imagesPerSecond = median.flatMap { time in images.map { 1000 * Double($0) / time } }
    let rate = median.flatMap { time in floatingPointOperations.map { Double($0) / time / 1e6 } }
    gigaflopsPerSecond = rate
    percentOfPeak = rate.flatMap { rate in peak.map { 100 * rate / $0 } }
  }
}
