import Host
import Tensors

/// Raw counts to signal, in the order that psana uses: raw - pedestal, common mode, gain, masks.
enum Calibration {
  /// `[P, R, C]` in ADU -> a frame. A pixel is bad, 0 in `mask` and in `signal`, where the raw value or a constant is not
  /// finite, its gain is 0, `constants.mask` says so by status, hand-made mask or place, or `alwaysBad` (one panel, row-major).
  static func apply(
    _ raw: Tensor<Float>, _ constants: CalibrationConstants, gainUnit: Frame.Unit, alwaysBad: [Bool] = [], isCSPAD: Bool = false,
    path: String
  ) throws(InputError) -> Frame {
    let shape = raw.shape
    precondition(shape.rank == 3, "raw counts are [panels, rows, columns], got \(shape)")
    try require(constants.pedestal?.shape, shape, "pedestals", path)
    try require(constants.gain?.shape, shape, "gain", path)

    var signal = raw.elements
    var mask = try goodPixels(constants, shape, isCSPAD: isCSPAD, path: path)
    PixelLoops.subtract(constants.pedestal?.elements, from: &signal, &mask)
    if let parameters = constants.commonMode.parameters {
      try parameters.correct(&signal, usable: mask, shape: shape, path: path)
    }
    if let gain = constants.gain { PixelLoops.divide(&signal, by: gain.elements, &mask) }
    markBad(alwaysBad, &mask, shape)
    markBad(constants.mask.badByPlace(rows: shape[1], columns: shape[2], isCSPAD: isCSPAD), &mask, shape)
    PixelLoops.clear(&signal, where: mask)
    return Frame(signal: Tensor(shape, signal), mask: Tensor(shape, mask), unit: constants.gain == nil ? .adu : gainUnit)
  }

  /// What `apply` does to panels of 16-bit counts, made ready for many frames; `nil` where common mode looks at more than the
  /// histogram of each panel.
  static func panelwise(
    _ constants: CalibrationConstants, shape: Shape, gainUnit: Frame.Unit, alwaysBad: [Bool] = [], isCSPAD: Bool = false, path: String
  ) throws(InputError) -> PanelCalibration? {
    let parameters = constants.commonMode.parameters, histogram = parameters?.panelHistogram
    guard (parameters == nil) == (histogram == nil) else { return nil }
    guard histogram == nil || shape[1] * shape[2] <= PanelCalibration.histogramLimit else { return nil }
    try require(constants.pedestal?.shape, shape, "pedestals", path)
    try require(constants.gain?.shape, shape, "gain", path)
    var mask = try goodPixels(constants, shape, isCSPAD: isCSPAD, path: path), signal = [Float](repeating: 0, count: shape.count)
    PixelLoops.subtract(constants.pedestal?.elements, from: &signal, &mask)
    let usable = mask
    if let gain = constants.gain { PixelLoops.divide(&signal, by: gain.elements, &mask) }
    markBad(alwaysBad, &mask, shape)
    markBad(constants.mask.badByPlace(rows: shape[1], columns: shape[2], isCSPAD: isCSPAD), &mask, shape)
    return PanelCalibration(
      pedestal: constants.pedestal, gain: constants.gain, usable: usable, mask: Tensor(shape, mask), commonMode: histogram,
      unit: constants.gain == nil ? .adu : gainUnit)
  }

  /// 16-bit words whose gain range tells which block of pedestals and gains counts. `range` gives the range of a word at a pixel,
  /// `nil` for one that does not occur; the 14 low bits are the count. Common mode is that of `commonModeRanges` alone.
  static func applyByRange(
    _ raw: Tensor<Float>, _ constants: CalibrationConstants, ranges: Int, commonModeRanges: Set<Int>, gainUnit: Frame.Unit, path: String,
    range: (_ word: UInt32, _ pixel: Int) -> Int?
  ) throws(InputError) -> Frame {
    let shape = raw.shape, count = shape.count, blocks: Shape = [ranges * shape[0], shape[1], shape[2]]
    precondition(shape.rank == 3, "raw counts are [panels, rows, columns], got \(shape)")
    try require(constants.pedestal?.shape, blocks, "pedestals", path)
    try require(constants.gain?.shape, blocks, "gain", path)
    var mask = try goodPixels(constants, shape, isCSPAD: false, path: path)
    var signal = [Float](repeating: 0, count: count), chosen = [Int8](repeating: -1, count: count), usable = [UInt8](repeating: 0, count: count)
    for i in 0..<count {
      let value = raw.elements[i]
      guard value >= 0, value < 0x1p24, let block = range(UInt32(value), i) else {
        mask[i] = 0
        continue
      }
      chosen[i] = Int8(block)
      signal[i] = Float(UInt32(value) & 0x3FFF) - (constants.pedestal?.elements[block * count + i] ?? 0)
      guard signal[i].isFinite else {
        (mask[i], signal[i]) = (0, 0)
        continue
      }
      if mask[i] != 0, commonModeRanges.contains(block) { usable[i] = 1 }
    }
    if let parameters = constants.commonMode.parameters {
      try parameters.correct(&signal, usable: usable, shape: shape, path: path)
    }
    if let gain = constants.gain {
      for i in 0..<count where mask[i] != 0 {
        let g = gain.elements[Int(chosen[i]) * count + i]
        if g.isFinite, g != 0 { signal[i] /= g } else { mask[i] = 0 }
      }
    }
    markBad(constants.mask.badByPlace(rows: shape[1], columns: shape[2], isCSPAD: false), &mask, shape)
    for i in mask.indices where mask[i] == 0 { signal[i] = 0 }
    return Frame(signal: Tensor(shape, signal), mask: Tensor(shape, mask), unit: constants.gain == nil ? .adu : gainUnit)
  }

  /// 1 for every pixel that neither its status nor the hand-made mask excludes.
  private static func goodPixels(
    _ constants: CalibrationConstants, _ shape: Shape, isCSPAD: Bool, path: String
  ) throws(InputError) -> [UInt8] {
    try require(constants.status?.shape, shape, "pixel_status", path)
    try require(constants.pixelMask?.shape, shape, "pixel_mask", path)
    var mask = [UInt8](repeating: 1, count: shape.count)
    let bits = constants.mask.statusBits
    if let status = constants.status, bits != 0 {
      PixelLoops.exclude(status.elements, bits, from: &mask)
    }
    if let made = constants.pixelMask, constants.mask.usesPixelMask {
      for i in mask.indices where made.elements[i] == 0 { mask[i] = 0 }
    }
    return mask
  }

  /// Masks the same pixels of every panel.
  private static func markBad(_ bad: [Bool], _ mask: inout [UInt8], _ shape: Shape) {
    guard !bad.isEmpty else { return }
    let size = shape[1] * shape[2]
    precondition(bad.count == size, "a panel has \(size) pixels, not \(bad.count)")
    let pixels = bad.indices.filter { bad[$0] }
    for panel in 0..<shape[0] {
      for i in pixels { mask[panel * size + i] = 0 }
    }
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
