import Host
import Tensors

/// The gain modes of the ePix10ka: which of seven blocks of constants a pixel's word goes by.
///
/// A pixel is set to a fixed high, medium or low gain, or to switch by itself from high or medium to low; its ASIC's trbit tells
/// high from medium, and bit 14 of each word whether it has switched. Blocks: 0 fixed high, 1 fixed medium, 2 fixed low, 3 high and
/// 4 medium before switching, 5 and 6 the same after it. Source: lcls-psana Detector/src/UtilsEpix10ka.py.
public enum Epix10kGain {
  public static let rangeCount = 7
  /// Blocks whose pixels tell the common mode: those not in low gain.
  static let commonModeRanges: Set<Int> = [0, 1, 3, 4]
  /// Bits 2 and 3 of a pixel's setting and, above them, the trbit of its ASIC: 4 + 8 + 16.
  static let settingBits: UInt32 = 28
  /// Raw counts carry the setting above the word's 16 bits, and this bit where it is known.
  static let knownBit: UInt32 = 1 << 22
  static let settingShift: UInt32 = 16

  /// The block of a word whose pixel has that setting; `nil` for a setting that does not occur.
  public static func range(word: UInt32, setting: UInt32) -> Int? {
    let hasSwitched = word & 0x4000 != 0
    switch setting & settingBits {
    case 28: return 0
    case 12: return 1
    case 8, 24: return 2
    case 16: return hasSwitched ? 5 : 3
    case 0: return hasSwitched ? 6 : 4
    default: return nil
    }
  }

  /// The settings of all pixels of one panel `[352, 384]` in an `Epix10kaConfig` v1 or v2 record: the low 4 bits of each pixel's
  /// word, with 16 where its ASIC's trbit is set. ASICs 0…3: lower right, upper right, upper left, lower left.
  /// Source: psddldata epix.ddl, Config10kaV1 and V2.
  static func settings(_ configuration: Payload.Configuration, path: String) throws(InputError) -> [UInt32]? {
    let asics: Int
    switch (configuration.typeName, configuration.version) {
    case ("Epix10kaConfig", 1): asics = 188
    case ("Epix10kaConfig", 2): asics = 520
    default: return nil
    }
    let record = BinaryRecord(configuration, path: path), rows = 352, columns = 384, asicSize = 26 * 4
    let pixels = asics + 4 * asicSize
    try record.require(pixels, 2 * rows * columns)
    var trbits: [UInt32] = []
    for asic in 0..<4 { trbits.append(try record.uint32(asics + asic * asicSize + 22 * 4) >> 4 & 1) }
    var settings = [UInt32](repeating: 0, count: rows * columns)
    for i in settings.indices {
      let isUpper = i / columns < rows / 2, isLeft = i % columns < columns / 2
      let asic = isLeft ? (isUpper ? 2 : 3) : (isUpper ? 1 : 0)
      settings[i] = UInt32(try record.uint16(pixels + 2 * i)) & 12 | trbits[asic] << 4
    }
    return settings
  }

  /// Words with their pixels' settings on top.
  static func joined(_ words: [Float], settings: [UInt32]) -> [Float] {
    zip(words, settings).map { Float(UInt32($0) | $1 << settingShift | knownBit) }
  }

  /// Raw words -> keV by seven blocks. Where settings are not known, constants are refused: nobody can tell the block.
  static func calibrate(_ raw: Tensor<Float>, _ constants: CalibrationConstants, path: String) throws(InputError) -> Frame {
    let hasConstants = constants.pedestal != nil || constants.gain != nil
    let isKnown = raw.elements.first { $0.isFinite }.map { $0 >= 0 && UInt32($0) & knownBit != 0 } ?? true
    guard isKnown || !hasConstants else {
      throw InputError(
        path: path, place: "epix10k", expected: "the gain setting of each pixel (Epix10kaConfig v1 or v2 in the run), or no pedestals and gains",
        found: "constants for frames without settings")
    }
    return try Calibration.applyByRange(
      raw, constants, ranges: rangeCount, commonModeRanges: commonModeRanges, gainUnit: .keV, path: path
    ) { value, _ in
      isKnown ? range(word: value & 0xFFFF, setting: value >> settingShift & 0x3F) : 0
    }
  }
}
