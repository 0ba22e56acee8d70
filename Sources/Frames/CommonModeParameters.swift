import Host
import Tensors

/// psana's common mode parameters: the number of an algorithm, then what it takes.
///
/// | numbers | algorithm |
/// |---|---|
/// | 0 | none; with more than two numbers the median by banks of LCLS-II, as 7 |
/// | 1, max mean, max sigma, counts (, fallback) | zero-photon peak of each panel's histogram; fallback above 0.1: non-bonded pixels where there is no peak. With 7 numbers: segments, their pixels and stride instead of panels |
/// | 2, threshold, max, n | mean of the pixels below the threshold in each n consecutive ones |
/// | 3, threshold, max, n | their median |
/// | 4, mode, max (, min pixels) | ePix100a: median; mode 1 banks + 2 rows of banks + 4 columns of banks |
/// | 5, max | CSPAD: mean of the non-bonded pixels |
/// | 7, mode, max (, min pixels) | Jungfrau, ePix: median; mode 1 rows of banks + 2 columns of half panels + 4 banks |
/// | 8, mode, max | pnCCD: median; mode 1 rows of 128 + 2 rows + 4 columns + 8 banks of 512×128 |
///
/// Sources: confluence.slac.stanford.edu PSDM "Common mode correction algorithms"; Detector/src/UtilsCommonMode.py,
/// UtilsJungfrau.py, UtilsEpix10ka.py, UtilsPNCCD.py.
public struct CommonModeParameters: Hashable, Sendable {
  public let numbers: [Double]

  public var algorithm: Int { Int(numbers[0]) }

  static let histogramDefault = CommonModeParameters(unchecked: [1, 25, 25, 100])
  static let nonBondedDefault = CommonModeParameters(unchecked: [5, 50])
  /// How many numbers each algorithm takes.
  private static let lengths: [Int: ClosedRange<Int>] = [
    0: 1...4, 1: 4...7, 2: 4...4, 3: 4...4, 4: 3...4, 5: 2...2, 7: 3...4, 8: 3...3,
  ]

  private init(unchecked numbers: [Double]) { self.numbers = numbers }

  /// Throws for an algorithm that is not known here and for numbers that it does not take.
  public init(_ numbers: [Double]) throws(InputError) {
    func refuse(_ expected: String) -> InputError { InputError(path: "", place: "common mode", expected: expected, found: "\(numbers)") }
    guard let first = numbers.first, let algorithm = Int(exactly: first), let length = Self.lengths[algorithm] else {
      throw refuse("psana's algorithm \(Self.lengths.keys.sorted().map(String.init).joined(separator: ", ")) and its parameters")
    }
    guard length.contains(numbers.count), numbers.dropFirst().allSatisfy({ $0.isFinite && $0 >= 0 }) else {
      throw refuse("\(length.lowerBound == length.upperBound ? "\(length.lowerBound)" : "\(length)") numbers from 0 for algorithm \(algorithm)")
    }
    let whole: [Int] = switch algorithm {
    case 0, 4, 7, 8: [1, 3]
    case 2, 3: [3]
    case 1: [3, 5, 6]
    default: []
    }
    for place in whole where place < numbers.count {
      guard Int(exactly: numbers[place]) != nil else { throw refuse("a whole number \(place + 1)") }
    }
    if algorithm == 2 || algorithm == 3, numbers[3] < 1 { throw refuse("at least one consecutive pixel") }
    if algorithm == 1, numbers.count == 6 { throw refuse("4, 5 or 7 numbers for algorithm 1") }
    if numbers.count == 7, numbers[5] < 1 || numbers[6] < 1 { throw refuse("segments of pixels with a stride from 1") }
    self.numbers = numbers
  }

  /// Subtracts the shift of each block from `signal`, `[panels, rows, columns]` in ADU. Only pixels with `usable` not 0 tell the
  /// shift; by the algorithms with banks only they are shifted, as in psana.
  func correct(_ signal: inout [Float], usable: [UInt8], shape: Shape, path: String) throws(InputError) {
    switch algorithm {
    case 1: try subtractPeaks(&signal, usable, shape, path)
    case 2, 3: subtractRuns(&signal, usable, median: algorithm == 3)
    case 5:
      try requireNonBonded(shape, path)
      var estimate = NonBondedCommonMode()
      estimate.maximum = Float(numbers[1])
      for range in Self.panels(shape) {
        let shift = estimate.shift(of: signal[range], good: usable[range])
        for i in range { signal[i] -= shift }
      }
    default:
      let banks = try CommonModeBanks(shape, algorithm: algorithm, path: path)
      let mode = numbers.count > 1 ? Int(numbers[1]) : 0, most = numbers.count > 2 ? Float(numbers[2]) : .infinity
      banks.subtract(&signal, usable, mode: mode, maximum: most, pixels: numbers.count > 3 ? Int(numbers[3]) : 10)
    }
  }

  /// Algorithm 1 where it is the histogram of whole panels and nothing else.
  var panelHistogram: HistogramCommonMode? {
    algorithm == 1 && numbers.count < 6 && !fallsBack ? peakEstimate : nil
  }

  private var fallsBack: Bool { numbers.count > 4 && numbers[4] > 0.1 }

  private var peakEstimate: HistogramCommonMode {
    var estimate = HistogramCommonMode()
    (estimate.maximumMean, estimate.maximumSigma, estimate.threshold) = (Float(numbers[1]), Float(numbers[2]), Int(numbers[3]))
    return estimate
  }

  private static func panels(_ shape: Shape) -> [Range<Int>] {
    let size = shape[1] * shape[2]
    return (0..<shape[0]).map { $0 * size..<($0 + 1) * size }
  }

  private func requireNonBonded(_ shape: Shape, _ path: String) throws(InputError) {
    guard shape[1] == CSPAD.rows, shape[2] == CSPAD.columns else {
      throw InputError(path: path, place: "common mode", expected: "a detector with non-bonded pixels (CSPAD)", found: "panels \(shape)")
    }
  }

  private func subtractPeaks(_ signal: inout [Float], _ usable: [UInt8], _ shape: Shape, _ path: String) throws(InputError) {
    let estimate = peakEstimate
    if numbers.count == 7 {
      let segments = Int(numbers[4]), pixels = Int(numbers[5]), stride = Int(numbers[6])
      guard segments > 0, pixels * stride <= signal.count / segments else {
        throw InputError(
          path: path, place: "common mode", expected: "\(segments) segments of \(pixels) pixels with stride \(stride) within the frame",
          found: "\(signal.count) pixels")
      }
      for segment in 0..<segments {
        // Segments with a stride lie interleaved: `stride` of them share one stretch.
        let start = segment / stride * pixels * stride + segment % stride
        let indices = (0..<pixels).map { start + $0 * stride }
        let shift = estimate.shift(of: indices.map { signal[$0] }[...], good: indices.map { usable[$0] }[...])
        for i in indices { signal[i] -= shift }
      }
      return
    }
    if fallsBack { try requireNonBonded(shape, path) }
    for range in Self.panels(shape) {
      var shift = estimate.shift(of: signal[range], good: usable[range])
      if shift == 0, fallsBack { shift = NonBondedCommonMode().shift(of: signal[range], good: usable[range]) }
      PixelLoops.subtract(shift, from: &signal, range)
    }
  }

  private func subtractRuns(_ signal: inout [Float], _ usable: [UInt8], median: Bool) {
    let threshold = Float(numbers[1]), most = Float(numbers[2]), length = Int(numbers[3])
    for start in stride(from: 0, to: signal.count, by: length) {
      let range = start..<min(signal.count, start + length)
      let values = range.filter { usable[$0] != 0 && signal[$0] < threshold }.map { signal[$0] }
      guard !values.isEmpty else { continue }
      let shift = median ? CommonModeBanks.median(values) : Float(values.reduce(0.0) { $0 + Double($1) } / Double(values.count))
      guard abs(shift) <= most else { continue }
      for i in range { signal[i] -= shift }
    }
  }
}
