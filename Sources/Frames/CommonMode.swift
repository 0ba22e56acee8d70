import Host
import Tensors

/// The shift that all pixels of one readout block share in one event, and how it is estimated.
public enum CommonMode: Hashable, Sendable {
  case none
  /// psana's algorithm 1 with its CSPAD defaults: the zero-photon peak of the histogram of one panel.
  case histogram
  /// The mean of the non-bonded pixels of one CSPAD 2×1, which see no photons (psana's algorithm 5).
  case nonBonded
  /// psana's algorithms by number with their parameters.
  case parameters(CommonModeParameters)

  /// The cases that a name is enough for.
  public static let named: [String: CommonMode] = ["none": .none, "histogram": .histogram, "nonBonded": .nonBonded]

  /// psana's parameters; `nil` for none.
  public var parameters: CommonModeParameters? {
    switch self {
    case .none: nil
    case .histogram: .histogramDefault
    case .nonBonded: .nonBondedDefault
    case .parameters(let parameters): parameters.algorithm == 0 && parameters.numbers.count < 3 ? nil : parameters
    }
  }

  /// A name, or psana's numbers with commas: `1,25,25,100`.
  public init(parsing text: String) throws(InputError) {
    if let known = Self.named[text] {
      self = known
      return
    }
    let numbers = text.split(separator: ",").map { Double($0) }
    guard !numbers.isEmpty, !numbers.contains(nil) else {
      throw InputError(
        path: "", place: "common mode", expected: "\(Self.named.keys.sorted().joined(separator: ", ")) or psana's parameters such as 1,25,25,100",
        found: text)
    }
    self = .parameters(try CommonModeParameters(numbers.compactMap { $0 }))
  }
}

extension CommonMode: Codable {
  /// A name, or a list of numbers.
  public init(from decoder: any Decoder) throws {
    let box = try decoder.singleValueContainer()
    if let numbers = try? box.decode([Double].self) {
      self = .parameters(try CommonModeParameters(numbers))
    } else {
      self = try CommonMode(parsing: try box.decode(String.self))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var box = encoder.singleValueContainer()
    switch self {
    case .none: try box.encode("none")
    case .histogram: try box.encode("histogram")
    case .nonBonded: try box.encode("nonBonded")
    case .parameters(let parameters): try box.encode(parameters.numbers)
    }
  }
}

/// psana's common mode algorithm 1, per panel.
///
/// `raw - pedestal` of the good pixels is counted in bins of 1 ADU from -1000 to 2000; the first maximum above
/// `threshold` counts that is followed by a drop to half is the zero-photon peak. Its mean and sigma are refined twice
/// within ±2 sigma; the mean is the shift, where |mean| <= `maximumMean` and sigma <= `maximumSigma`, else 0.
/// Source: lcls1 pdscalibdata/src/CsPadCommonModeSubV1.cpp; default parameters (1, 25, 25, 100).
public struct HistogramCommonMode: Codable, Hashable, Sendable {
  /// ADU.
  public var maximumMean: Float = 25
  /// ADU.
  public var maximumSigma: Float = 25
  /// Counts in one bin of 1 ADU.
  public var threshold = 100

  public init() {}

  private static let lowest = -1000, highest = 2000
  /// The bins of `shift(ofCounts:)`, of 1 ADU, from `lowestBin` on.
  static var binCount: Int { highest - lowest }
  /// ADU.
  static var lowestBin: Float { Float(lowest) }

  /// The shift of one block in ADU; 0 where no acceptable peak was found. `good` has the count of `values`.
  public func shift(of values: ArraySlice<Float>, good: ArraySlice<UInt8>) -> Float {
    precondition(values.count == good.count, "\(values.count) values and \(good.count) flags do not match")
    let bins = Self.binCount, low = Self.lowestBin, range = Float(bins)
    // Two histograms in turn: neighbours mostly fall into one bin, and a count need not wait for the one before.
    var pair = [Int32](repeating: 0, count: 2 * bins)
    let value = values.span, use = good.span
    for i in 0..<value.count {
      let above = value[i] - low
      if use[i] != 0, above >= 0, above < range { pair[(i & 1) * bins + Int(above)] &+= 1 }
    }
    return shift(ofCounts: (0..<bins).map { Int(pair[$0] &+ pair[bins + $0]) })
  }

  /// The shift that the histogram of a block tells.
  func shift(ofCounts counts: [Int]) -> Float {
    guard let peak = firstPeak(counts) else { return 0 }
    var mean = Double(peak + Self.lowest) + 0.5, sigma = width(counts, peak)
    for _ in 0..<2 {
      guard let refined = moments(counts, mean - 2 * sigma, mean + 2 * sigma) else { return 0 }
      mean = refined.mean
      sigma = max(refined.sigma, 0.5)
    }
    return abs(mean) <= Double(maximumMean) && sigma <= Double(maximumSigma) ? Float(mean) : 0
  }

  private func firstPeak(_ counts: [Int]) -> Int? {
    var best = -1, most = threshold
    for (bin, count) in counts.enumerated() {
      if count > most {
        most = count
        best = bin
      } else if best >= 0, 2 * count <= most {
        return best
      }
    }
    return nil
  }

  /// Half the full width at half maximum, as a sigma; at least one bin.
  private func width(_ counts: [Int], _ peak: Int) -> Double {
    var left = peak, right = peak
    while left > 0, 2 * counts[left] > counts[peak] { left -= 1 }
    while right < counts.count - 1, 2 * counts[right] > counts[peak] { right += 1 }
    return max(Double(right - left) / 2.355, 1)
  }

  private func moments(_ counts: [Int], _ low: Double, _ high: Double) -> (mean: Double, sigma: Double)? {
    let first = max(0, Int((low - Double(Self.lowest)).rounded(.down)))
    let last = min(counts.count - 1, Int((high - Double(Self.lowest)).rounded(.down)))
    guard first <= last else { return nil }
    var n = 0.0, sum = 0.0, squares = 0.0
    for bin in first...last {
      let x = Double(bin + Self.lowest) + 0.5, count = Double(counts[bin])
      n += count
      sum += count * x
      squares += count * x * x
    }
    guard n > 0 else { return nil }
    let mean = sum / n
    return (mean, max(0, squares / n - mean * mean).squareRoot())
  }
}

/// The mean of the non-bonded pixels of one CSPAD 2×1 `[185, 388]`, at most `maximum` ADU, else 0.
/// Source: lcls1 ImgAlgos common mode algorithm 5.
public struct NonBondedCommonMode: Codable, Hashable, Sendable {
  /// ADU.
  public var maximum: Float = 50

  public init() {}

  public func shift(of values: ArraySlice<Float>, good: ArraySlice<UInt8>) -> Float {
    var sum = 0.0, n = 0.0
    for pixel in CSPAD.nonBondedPixels where good[good.startIndex + pixel] != 0 {
      sum += Double(values[values.startIndex + pixel])
      n += 1
    }
    guard n > 0 else { return 0 }
    let mean = Float(sum / n)
    return abs(mean) <= maximum ? mean : 0
  }
}
