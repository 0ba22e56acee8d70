/// Records as the LCLS-I data acquisition writes them, field by field in the order of its description files (psddldata *.ddl):
/// the other side of the decoders, which know offsets only.
enum DAQRecords {
  static func le<T: FixedWidthInteger>(_ value: T) -> [UInt8] { SampleFiles.le(value) }
  static func words(_ values: UInt32...) -> [UInt8] { values.flatMap { le($0) } }
  static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
  static func halves(_ values: some Sequence<UInt16>) -> [UInt8] { values.flatMap { le($0) } }

  // MARK: CSPAD (cspad.ddl, cspad2x2.ddl)

  /// One quad's registers, then the gain map of 185 rows of 194.
  private static func cspadQuad(version: Int) -> [UInt8] {
    var registers = 4 + 4  // shift select, edge select
    registers += 5  // read clock set and hold, data mode, preset select, acquisition delay
    registers += 5  // integration time, digital delay, amplifier idle, injection total, row and column shift period
    if version >= 4 { registers += 3 }  // amplifier reset, digital count and period
    if version >= 5 { registers += 2 }  // bias tuning, its balance
    registers += 2  // shift test, firmware version
    return zeros(4 * registers) + zeros(80) + zeros(2 * 185 * 194)  // 80 digital potentiometers
  }

  static func cspadConfig(version: Int, asicMask: UInt32, quadMask: UInt32, roiMask: UInt32) -> [UInt8] {
    var bytes = words(1, 2, 40)  // concentrator version, run delay, event code
    if version >= 3 { bytes += words(0) + (0..<4).flatMap { _ in words(10, 20) } }  // protection enable, two thresholds a quad
    bytes += words(1, 2)  // inactive and active run mode
    if version >= 5 { bytes += words(7) }  // internal trigger delay
    bytes += words(4)  // test data index
    bytes += words(1_148_516, 0, 0)  // payload of a quad, two masks of bad ASICs
    bytes += words(asicMask, quadMask)
    if version >= 2 { bytes += words(roiMask) }
    for _ in 0..<4 { bytes += cspadQuad(version: version) }
    return bytes
  }

  static func cspadQuadHeader(_ quad: UInt32) -> [UInt8] {
    words(0x580, 17 | quad << 24, 99, 1, 6) + halves([20, 21, 22, 23]) + words(0)
  }

  // MARK: Other pixel detectors

  /// jungfrau.ddl ConfigV1...V4.
  static func jungfrauConfig(version: Int, modules: UInt32) -> [UInt8] {
    var bytes = words(modules, 512, 1024, 200) + halves([0, 1]) + SampleFiles.le([0.5, 0.01])
    if version >= 2 { bytes += SampleFiles.le([0.2]) + halves(0..<8) }
    if version >= 3 { bytes += zeros((version == 3 ? 8 : 32) * 24) }
    return bytes
  }

  static func jungfrauElement(version: Int, modules: Int, pixels: [UInt16]) -> [UInt8] {
    if version == 1 { return words(3, 4, 6) + halves(pixels) }
    let module = 8 + 4 + 2 * 4  // time stamp, exposure, id and place
    return words(3, 0, 4, 6) + zeros(modules * module) + halves(pixels)
  }

  /// epix.ddl: the fields up to the sizes, `before` of them, then the sizes; the rest of the configuration is not needed.
  static func epixConfig(before: Int, sizes: [UInt32]) -> [UInt8] { zeros(4 * before) + sizes.flatMap { le($0) } + zeros(64) }

  /// epix.ddl: Config10kaV1 and V2 (one panel), Config10kaQuadV1 and V2 (4), Config10ka2MV1 and V2 (16), with the word of each pixel and the
  /// trbit of each ASIC.
  static func epix10kaConfig(
    version: Int, panels: Int, setting: (_ panel: Int, _ row: Int, _ column: Int) -> UInt16, trbit: (_ panel: Int, _ asic: Int) -> UInt32
  ) -> [UInt8] {
    func element(_ panel: Int) -> [UInt8] {
      var bytes: [UInt8] = []
      // Asic10kaConfigV1: 26 registers; in the 23rd S2D3_GR (4 bits) and trbit.
      for asic in 0..<4 { bytes += zeros(4 * 22) + words(0xA | trbit(panel, asic) << 4) + zeros(4 * 3) }
      for row in 0..<352 { bytes += halves((0..<384).map { setting(panel, row, $0) }) }
      return bytes + zeros(2 * 384)  // calibration pixels
    }
    let hash = zeros(64), description = zeros(256)
    if panels == 1 {
      // Up to carrierId1; sizes, calibration and environment rows, clock, mask, trigger; ghost correction, oversampling; oscilloscope.
      let head = zeros(4 * 32) + words(2, 2, 176, 176, 192, 2, 1, 0, 15, 0, 0) + (version == 1 ? [] : zeros(12)) + zeros(16)
      return head + (version == 1 ? [] : hash + description) + element(0)
    }
    let converter = zeros(4 * 8) + zeros(4 * 8) + zeros(4)  // Ad9249Config
    var quad = zeros(12)  // clock, trigger
    quad += version == 1 ? zeros(8) : zeros(12) + hash + description  // firmware, cards
    quad += zeros(4 * 6) + zeros(4 * 7) + zeros(8)  // supplies, acquisition, forced pins
    quad += version == 1 ? zeros(8) : zeros(12 + 8 + 8)  // injection, pipeline, oversampling
    quad += zeros(16) + zeros(4) + (0..<10).flatMap { _ in converter } + zeros(4 * 6)  // oscilloscope, tester
    var bytes = zeros(8)  // PgpEvrConfig
    for _ in 0..<panels / 4 { bytes += quad }
    for panel in 0..<panels { bytes += zeros(12) + element(panel) }
    return bytes
  }

  /// Pixels between the header of 32 bytes and calibration rows, environment rows, temperatures and last word.
  static func epixElement(pixels: [UInt16], columns: Int) -> [UInt8] {
    let behind = [UInt16](repeating: 0xEEEE, count: 6 * columns + 4)
    return words(1, 2, 3, 4, 6, 0, 0, 0) + halves(pixels) + halves(behind) + words(0)
  }

  static func pnCCDFrame(links: Int, pixel: (Int, Int) -> UInt16) -> [UInt8] {
    var bytes: [UInt8] = []
    for link in 0..<links { bytes += words(0, 7, 8, 9) + halves((0..<512 * 512).map { pixel(link, $0) }) }
    return bytes
  }

  // MARK: Time tool (timetool.ddl)

  struct TimeTool {
    var version: Int
    var alongY = false, writes = true, sideband = true, reference = true, full = false, fit = false
    /// Column and row of the first and last pixel.
    var signal: [UInt16] = [10, 20, 14, 22], side: [UInt16] = [10, 40, 13, 41], ref: [UInt16] = [30, 20, 32, 25]

    var config: [UInt8] {
      func bit(_ value: Bool, _ place: UInt64) -> UInt64 { value ? 1 << place : 0 }
      var bytes: [UInt8] = []
      // Flags, then how many weights (2), coefficients (1), with v3 fit parameters, and letters (6) follow.
      switch version {
      case 1:
        let flags: UInt64 = bit(alongY, 0) | bit(true, 1) | bit(writes, 2) | bit(sideband, 3)
        let counts: UInt64 = 2 << 4 | 1 << 20 | 6 << 24
        bytes += le(UInt32(flags | counts))
      case 2:
        let flags: UInt64 = bit(alongY, 0) | bit(true, 1) | bit(writes, 2) | bit(sideband, 3) | bit(reference, 4)
        let counts: UInt64 = 2 << 5 | 1 << 21 | 6 << 25
        bytes += le(UInt32(flags | counts))
      default:
        let flags: UInt64 = bit(alongY, 0) | bit(full, 1) | bit(fit, 2) | bit(true, 3) | bit(writes, 4)
        let more: UInt64 = bit(sideband, 5) | bit(reference, 6)
        let counts: UInt64 = 2 << 7 | 1 << 23 | 6 << 31
        bytes += le(flags | more | counts | (fit ? 4 << 27 : 0))
      }
      bytes += halves([1, 1]) + words(5)  // event codes of beam and laser, cut
      if version == 3 { bytes += words(50) + SampleFiles.le([1.5]) }  // fit iterations and weight
      bytes += halves(signal) + halves(side) + SampleFiles.le([0.05])
      if version >= 2 { bytes += halves(ref) }
      bytes += SampleFiles.le([0.05])
      bytes += words(140, 90) + SampleFiles.le([1, -1, 0.25])
      if version == 3 && fit { bytes += SampleFiles.le([1, 2, 3, 4]) }
      return bytes + Array("TTSPEC".utf8) + zeros(2)
    }

    func data(_ arrays: [[Int32]]) -> [UInt8] {
      var bytes = words(2, 0) + SampleFiles.le([0.5, 512.25, 1.75, 40, 0.125, 0.0625])
      for number in arrays.joined() { bytes += le(number) }
      return bytes
    }
  }

  // MARK: EPICS (EpicsPvData.hh, db_access.h)

  /// A C++ structure under construction: members at their own alignment.
  struct Aligned {
    var bytes: [UInt8] = []
    mutating func align(_ size: Int) { bytes += zeros((size - bytes.count % size) % size) }
    mutating func add<T: FixedWidthInteger>(_ value: T) {
      align(T.bitWidth / 8)
      bytes += le(value)
    }
    mutating func add(_ text: String, _ count: Int) { bytes += Array(text.utf8) + zeros(count - text.utf8.count) }
  }

  enum EpicsValue {
    case string(String), short(Int16), float(Float), enumeration(UInt16), char(UInt8), long(Int32), double(Double)

    var code: Int16 {
      switch self {
      case .string: 0
      case .short: 1
      case .float: 2
      case .enumeration: 3
      case .char: 4
      case .long: 5
      case .double: 6
      }
    }

    fileprivate func append(to out: inout Aligned) {
      switch self {
      case .string(let text): out.add(text, 40)
      case .short(let value): out.add(value)
      case .float(let value): out.add(value.bitPattern)
      case .enumeration(let value): out.add(value)
      case .char(let value): out.add(value)
      case .long(let value): out.add(value)
      case .double(let value): out.add(value.bitPattern)
      }
    }

    fileprivate var size: Int {
      switch self {
      case .string, .char: 1
      case .short, .enumeration: 2
      case .float, .long: 4
      case .double: 8
      }
    }
  }

  static func epicsTime(_ id: Int16, _ value: EpicsValue, severity: Int16 = 0, count: Int16 = 1) -> [UInt8] {
    var out = Aligned()
    for field in [id, 14 + value.code, count] { out.add(field) }
    // The structure holds a u32 time stamp, so it begins at a multiple of 4, with a double of 8.
    out.align(max(4, value.size))
    for field in [0, severity] as [Int16] { out.add(field) }
    for field in [900_000_000, 5] as [UInt32] { out.add(field) }
    switch value {
    case .short, .enumeration: out.add(0 as Int16)
    case .char: for _ in 0..<3 { out.add(0 as UInt8) }
    case .double: out.add(0 as Int32)
    default: break
    }
    for _ in 0..<count { value.append(to: &out) }
    out.align(4)
    return out.bytes
  }

  static func epicsControl(_ id: Int16, _ name: String, _ value: EpicsValue, unit: String = "") -> [UInt8] {
    var out = Aligned()
    for field in [id, 28 + value.code, 1] { out.add(field) }
    out.add(name, 64)
    out.align(max(2, value.size))
    for field in [0, 0] as [Int16] { out.add(field) }
    switch value {
    case .string: break
    case .enumeration:
      out.add(2 as Int16)
      for state in 0..<16 { out.add("state\(state)", 26) }
    case .float, .double:
      for field in [3, 0] as [Int16] { out.add(field) }
      fallthrough
    default:
      out.add(unit, 8)
      for _ in 0..<8 { value.append(to: &out) }
      if case .char = value { out.add(0 as UInt8) }
    }
    value.append(to: &out)
    out.align(4)
    return out.bytes
  }

  /// alias.ddl SrcAlias.
  static func aliases(_ names: [(phy: UInt32, name: String)]) -> [UInt8] {
    var bytes = words(UInt32(names.count))
    for (phy, name) in names { bytes += words(0x0100_0000, phy) + Array(name.utf8) + zeros(32 - name.utf8.count) }
    return bytes
  }
}
