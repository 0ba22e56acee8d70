import Host
import Tensors

/// The Cornell-SLAC pixel array detector: 2×1 sensors of 185 × 388 pixels, 14 bits; 32 of them in a full camera, 2 in the
/// 2×2. Signal: photons once a gain is given.
///
/// Reads the DAQ records `CspadElement` v1, v2 (with `CspadConfig` v1...v5) and `Cspad2x2Element` v1, and plain arrays
/// `[n,185,388]`, `[4,8,185,388]`, `[185,388,2]`, `[185,388]`, 64 ASICs `[64,185,194]` and the `[1480,1552]` slab of cheetah.
/// Sections that the run did not store are NaN in raw counts and masked in the frame; so are the non-bonded pixels,
/// which see no photons. Source: lcls-psana/psddldata data/cspad.ddl.
public struct CSPAD: Detector {
  public static let name = "cspad"
  public static let chips = (down: 1, across: 2)

  /// Rows and columns of one 2×1 sensor.
  public static let rows = 185, columns = 388
  static let pixels = rows * columns

  /// Indices into a row-major `[185, 388]` sensor: (r, r) and (r, r + 194) for r = 0, 10, ..., 180.
  public static let nonBondedPixels: [Int] = stride(from: 0, to: rows, by: 10).flatMap { [$0 * columns + $0, $0 * columns + $0 + 194] }

  static let alwaysBad: [Bool] = {
    var bad = [Bool](repeating: false, count: pixels)
    for pixel in nonBondedPixels { bad[pixel] = true }
    return bad
  }()

  public static func recognizes(_ info: PayloadInfo) -> Bool {
    switch info.typeName {
    case "CspadElement": return (1...2).contains(info.version)
    case "Cspad2x2Element": return info.version == 1
    default: return info.element != .record && panels(info.shape) != nil
    }
  }

  /// How many sensors an array of this shape holds, where it is one of this detector's.
  static func panels(_ shape: Shape) -> Int? {
    let e = shape.extents
    switch e.count {
    case 2 where e == [rows, columns]: return 1
    case 2 where e == [8 * rows, 4 * columns]: return 32
    case 3 where e == [rows, columns, 2]: return 2
    case 3 where e == [64, rows, columns / 2]: return 32
    case 3 where e[1] == rows && e[2] == columns && (1...32).contains(e[0]): return e[0]
    case 4 where e == [4, 8, rows, columns]: return 32
    default: return nil
    }
  }

  public static func decode(_ payload: Payload, path: String) throws(InputError) -> Tensor<Float> {
    switch payload.info.typeName {
    case "CspadElement": return try element(payload, path)
    case "Cspad2x2Element": return try element2x2(payload, path)
    default: return try array(payload, path)
    }
  }

  /// 14 bits; arrays of real numbers are calibrated already and tell nothing.
  public static func fullScale(of payload: Payload) -> Float? {
    switch payload.info.element {
    case .record, .int16, .uint16: 16383
    default: nil
    }
  }

  public static func calibrate(
    _ raw: Tensor<Float>, _ constants: CalibrationConstants, path: String
  ) throws(InputError) -> Frame {
    guard raw.shape.rank == 3, raw.shape[1] == rows, raw.shape[2] == columns else {
      throw InputError(path: path, place: "cspad", expected: "[n×\(rows)×\(columns)] counts", found: "\(raw.shape)")
    }
    return try Calibration.apply(raw, constants, gainUnit: .photons, alwaysBad: alwaysBad, isCSPAD: true, path: path)
  }

  private static func array(_ payload: Payload, _ path: String) throws(InputError) -> Tensor<Float> {
    let info = payload.info
    guard let count = panels(info.shape) else {
      throw InputError(path: path, place: info.source, expected: "a CSPAD array or record", found: "\(info.typeName) \(info.shape)")
    }
    let values = try NumericArray.decode(payload, path: path)
    let shape: Shape = [count, rows, columns]
    if info.shape.rank == 3, info.shape[2] == 2 { return Tensor(shape, separated(values)) }
    if info.shape.rank == 3, info.shape[2] == columns / 2 {
      // One ASIC after the other: the even ones are the left halves of the sensors.
      let half = columns / 2
      var joined = [Float](repeating: 0, count: shape.count)
      for asic in 0..<64 {
        for row in 0..<rows {
          let from = (asic * rows + row) * half, to = (asic / 2 * rows + row) * columns + asic % 2 * half
          for column in 0..<half { joined[to + column] = values[from + column] }
        }
      }
      return Tensor(shape, joined)
    }
    if info.shape.rank == 2, count == 32 {
      // The slab: quad q fills columns 388 q, section s rows 185 s.
      var sorted = [Float](repeating: 0, count: shape.count)
      for panel in 0..<32 {
        for row in 0..<rows {
          let from = ((panel % 8) * rows + row) * 4 * columns + panel / 8 * columns, to = panel * pixels + row * columns
          for column in 0..<columns { sorted[to + column] = values[from + column] }
        }
      }
      return Tensor(shape, sorted)
    }
    return Tensor(shape, values)
  }

  /// `[185,388,2]`, section fastest -> `[2,185,388]`.
  private static func separated(_ values: [Float]) -> [Float] {
    (0..<2).flatMap { section in (0..<pixels).map { values[2 * $0 + section] } }
  }

  private static func element2x2(_ payload: Payload, _ path: String) throws(InputError) -> Tensor<Float> {
    let record = BinaryRecord(payload, path: path)
    var values = [Float](repeating: 0, count: 2 * pixels)
    try record.int16s(at: 32, count: 2 * pixels, into: &values, at: 0)
    return Tensor([2, rows, columns], separated(values))
  }

  private static func element(_ payload: Payload, _ path: String) throws(InputError) -> Tensor<Float> {
    let record = BinaryRecord(payload, path: path)
    var values = [Float](repeating: .nan, count: 32 * pixels)
    for (panel, offset) in try sections(of: record, payload, path).enumerated() {
      guard let offset else { continue }
      try record.int16s(at: offset, count: pixels, into: &values, at: panel * pixels)
    }
    return Tensor([32, rows, columns], values)
  }

  /// Where the counts of each of the 32 sensors begin in an element, `nil` for those that the run does not store.
  private static func sections(of record: BinaryRecord, _ payload: Payload, _ path: String) throws(InputError) -> [Int?] {
    guard let stored = payload.configuration else {
      throw record.error(at: 0, "the CspadConfig of this detector in the run's Configure", "none")
    }
    let configuration = try CSPADConfiguration(stored, path: path)
    var offset = 0, seen = Set<Int>(), found = [Int?](repeating: nil, count: 32)
    for _ in 0..<configuration.quadCount {
      let quad = Int(try record.uint32(offset + 4) >> 24 & 3)
      guard seen.insert(quad).inserted else {
        throw record.error(at: offset + 4, "each quad once", "quad \(quad) again")
      }
      guard configuration.quadMask >> UInt32(quad) & 1 == 1 else {
        throw record.error(at: offset + 4, "a quad of mask \(configuration.quadMask)", "quad \(quad)")
      }
      offset += 32
      for section in configuration.sections(ofQuad: quad, elementVersion: payload.info.version) {
        try record.require(offset, 2 * pixels)
        found[8 * quad + section] = offset
        offset += 2 * pixels
      }
      try record.require(offset, 4)
      offset += 4
    }
    return found
  }

  /// What a run's gain map multiplies signals by: 1 in high gain (bit 1), 6.85 in low gain; `[32,185,388]`.
  /// Source: lcls1 Detector/src/PyDetectorAccess.py, AreaDetector.set_gain_mask_factor.
  public static func gainFactors(from configuration: Payload.Configuration, path: String) throws(InputError) -> Tensor<Float> {
    let parsed = try CSPADConfiguration(configuration, path: path), record = BinaryRecord(configuration, path: path)
    var factors = [Float](repeating: 1, count: 32 * pixels)
    for quad in 0..<4 where parsed.quadMask >> UInt32(quad) & 1 == 1 {
      // One register block a quad, in quad order; the gain map [185][194] of all 16 ASICs ends each.
      let map = parsed.firstQuad + (quad + 1) * parsed.quadSize - rows * 194 * 2
      for row in 0..<rows {
        for column in 0..<194 {
          let word = try record.uint16(map + (row * 194 + column) * 2)
          for asic in 0..<16 where word >> UInt16(asic) & 1 == 0 {
            factors[(8 * quad + asic / 2) * pixels + row * columns + asic % 2 * 194 + column] = lowGainFactor
          }
        }
      }
    }
    return Tensor([32, rows, columns], factors)
  }

  /// Gains with the run's gain map (`CspadConfig`): pixels in low gain count 6.85 times, as psana's gain mask has it. Without gains signal
  /// stays ADU, and the map is left alone.
  public static func adapted(
    _ constants: CalibrationConstants, to payload: Payload, path: String
  ) throws(InputError) -> CalibrationConstants {
    guard constants.gain != nil, let configuration = payload.configuration, configuration.typeName == "CspadConfig" else { return constants }
    let factors = try gainFactors(from: configuration, path: path)
    return factors.elements.allSatisfy { $0 == 1 } ? constants : try constants.applying(gainFactors: factors, path: path)
  }

  /// High gain over low gain.
  public static let lowGainFactor: Float = 6.85
}

extension CSPAD: PanelwiseDetector {
  package static func panelCounts(of payload: Payload, path: String) throws(InputError) -> PanelCounts? {
    let info = payload.info, e = info.shape.extents
    if info.typeName == "CspadElement" {
      return PanelCounts(offsets: try sections(of: BinaryRecord(payload, path: path), payload, path), isSigned: true)
    }
    // Arrays whose last two axes are a sensor hold one after the other.
    guard info.element == .int16 || info.element == .uint16, let count = panels(info.shape), e.suffix(2) == [rows, columns],
      payload.bytes.count == 2 * count * pixels
    else { return nil }
    return PanelCounts(offsets: (0..<count).map { 2 * $0 * pixels }, isSigned: info.element == .int16)
  }

  package static func panelCalibration(
    _ constants: CalibrationConstants, panels: Int, path: String
  ) throws(InputError) -> PanelCalibration? {
    try Calibration.panelwise(
      constants, shape: [panels, rows, columns], gainUnit: .photons, alwaysBad: alwaysBad, isCSPAD: true, path: path)
  }
}

/// Which sensors a run stores: the masks of `CspadConfig` v1...v5.
struct CSPADConfiguration {
  var asicMask: UInt32, quadMask: UInt32
  /// 8 bits a quad; all ones where the version has none (v1).
  var roiMask: UInt32
  var firstQuad: Int, quadSize: Int

  init(_ configuration: Payload.Configuration, path: String) throws(InputError) {
    let record = BinaryRecord(configuration, path: path)
    guard configuration.typeName == "CspadConfig", (1...5).contains(configuration.version) else {
      throw record.error(at: 0, "CspadConfig v1...v5", "\(configuration.typeName) v\(configuration.version)")
    }
    let masks: Int, size: Int
    (masks, firstQuad, quadSize, size) =
      switch configuration.version {
      case 1: (36, 44, 71940, 287804)
      case 2: (36, 48, 71940, 287808)
      case 3: (72, 84, 71940, 287844)
      case 4: (72, 84, 71952, 287892)
      default: (76, 88, 71960, 287928)
      }
    try record.require(0, size)
    asicMask = try record.uint32(masks)
    quadMask = try record.uint32(masks + 4)
    roiMask = configuration.version == 1 ? .max : try record.uint32(masks + 8)
    guard quadMask <= 0xF else {
      throw record.error(at: masks + 4, "a quad mask of 4 bits", "\(quadMask)")
    }
  }

  var quadCount: Int { quadMask.nonzeroBitCount }

  func sections(ofQuad quad: Int, elementVersion: Int) -> [Int] {
    if elementVersion == 1 { return Array(0..<(asicMask & 0xF == 1 ? 2 : 8)) }
    let bits = roiMask >> UInt32(8 * quad) & 0xFF
    return (0..<8).filter { bits >> UInt32($0) & 1 == 1 }
  }
}
