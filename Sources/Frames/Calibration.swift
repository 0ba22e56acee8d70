import Host
import Tensors

/// Raw counts to signal, in the order that psana uses: raw - pedestal, common mode, gain, status mask.
enum Calibration {
  /// `[P, R, C]` in ADU -> a frame. A pixel is bad, 0 in `mask` and in `signal`, where the raw value or a constant is not
  /// finite, its status is not 0, its gain is 0 or `alwaysBad` (one panel, row-major) says so.
  static func apply(
    _ raw: Tensor<Float>, _ constants: CalibrationConstants, gainUnit: Frame.Unit, alwaysBad: [Bool] = [],
    nonBondedAllowed: Bool = false, path: String
  ) throws(InputError) -> Frame {
    let shape = raw.shape
    precondition(shape.rank == 3, "raw counts are [panels, rows, columns], got \(shape)")
    try require(constants.pedestal?.shape, shape, "pedestals", path)
    try require(constants.gain?.shape, shape, "gain", path)
    try require(constants.status?.shape, shape, "pixel_status", path)
    let panelCount = shape[1] * shape[2]
    precondition(alwaysBad.isEmpty || alwaysBad.count == panelCount, "a panel has \(panelCount) pixels, not \(alwaysBad.count)")
    if constants.commonMode == .nonBonded && !nonBondedAllowed {
      throw InputError(
        path: path, place: "common mode", expected: "a detector with non-bonded pixels (CSPAD)", found: "panels \(shape)")
    }

    var signal = raw.elements
    var mask = [UInt8](repeating: 1, count: signal.count)
    if let pedestal = constants.pedestal {
      for i in signal.indices { signal[i] -= pedestal.elements[i] }
    }
    if let status = constants.status {
      for i in mask.indices where status.elements[i] != 0 { mask[i] = 0 }
    }
    for i in signal.indices where !signal[i].isFinite {
      mask[i] = 0
      signal[i] = 0
    }
    for panel in 0..<shape[0] where constants.commonMode != .none {
      let range = panel * panelCount..<(panel + 1) * panelCount
      let shift =
        constants.commonMode == .histogram
        ? HistogramCommonMode().shift(of: signal[range], good: mask[range])
        : NonBondedCommonMode().shift(of: signal[range], good: mask[range])
      for i in range { signal[i] -= shift }
    }
    if let gain = constants.gain {
      for i in signal.indices {
        let g = gain.elements[i]
        if g.isFinite, g != 0 { signal[i] /= g } else { mask[i] = 0 }
      }
    }
    if !alwaysBad.isEmpty {
      for panel in 0..<shape[0] {
        for i in alwaysBad.indices where alwaysBad[i] { mask[panel * panelCount + i] = 0 }
      }
    }
    for i in mask.indices where mask[i] == 0 { signal[i] = 0 }
    return Frame(signal: Tensor(shape, signal), mask: Tensor(shape, mask), unit: constants.gain == nil ? .adu : gainUnit)
  }

  static func require(_ found: Shape?, _ expected: Shape, _ what: String, _ path: String) throws(InputError) {
    guard let found, found != expected else { return }
    throw InputError(path: path, place: what, expected: "calibration constants \(expected) like the raw frame", found: "\(found)")
  }
}

extension Frame {
  /// How many pixels are masked: bad by status, absent from the record, or not a number in the input.
  public var maskedCount: Int { mask.elements.reduce(0) { $0 + ($1 == 0 ? 1 : 0) } }

  /// One picture a panel `[rows, columns]`, weight 0 on bad pixels: what to show of a detector without a geometry.
  public var panelImages: [MaskedImage] {
    let shape = Shape(Array(signal.shape.extents.dropFirst()))
    return (0..<signal.shape[0]).map { panel in
      MaskedImage(
        pixels: signal[first: panel], weight: Tensor(shape, mask[first: panel].elements.map { $0 == 0 ? 0 : 1 }))
    }
  }
}

extension CalibrationConstants {
  /// The same constants with `gain` divided by `factors`, such as those of a CSPAD gain map
  /// (`CSPAD.gainFactors(from:path:)`): signal = (raw - pedestal)·factor/gain. Without a gain, gain becomes 1/factor.
  public func applying(gainFactors factors: Tensor<Float>, path: String) throws(InputError) -> CalibrationConstants {
    try Calibration.require(gain?.shape, factors.shape, "gain", path)
    var other = self
    if let gain {
      other.gain = Tensor(factors.shape, zip(gain.elements, factors.elements).map { $0 / $1 })
    } else {
      other.gain = factors.map { 1 / $0 }
    }
    return other
  }
}
