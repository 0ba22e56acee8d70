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
  private static let settingBits: UInt32 = 28
  /// Raw counts carry the setting above the word's 16 bits, and this bit where it is known: Float holds them exactly.
  private static let knownBit: UInt32 = 1 << 22
  private static let settingShift: UInt32 = 16
  private static let rows = 352, columns = 384, asicSize = 26 * 4

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

  /// Words of `payload` `[panels, 352, 384]` with their pixels' settings on top, where its configuration says them; otherwise the words.
  static func joined(_ words: Tensor<Float>, _ payload: Payload, path: String) throws(InputError) -> Tensor<Float> {
    guard let stored = payload.configuration, words.shape[1] == rows, words.shape[2] == columns else { return words }
    let record = BinaryRecord(stored, path: path)
    guard let asics = try asicPlaces(stored, record, panels: words.shape[0]) else { return words }
    var joined = words
    for (panel, place) in asics.enumerated() {
      let settings = try settings(record, asics: place)
      for i in settings.indices {
        let pixel = panel * rows * columns + i
        joined.elements[pixel] = Float(UInt32(words.elements[pixel]) | settings[i] << settingShift | knownBit)
      }
    }
    return joined
  }

  /// Where each panel's four ASIC records start, behind which the words of its pixels stand. `nil` for a configuration without.
  /// Source: psddldata epix.ddl: Config10kaV1, V2, Config10kaQuadV1, V2, Config10ka2MV1, V2, of Quad10kaConfigV1, V2 and Elem10kaConfigV1.
  private static func asicPlaces(_ stored: Payload.Configuration, _ record: BinaryRecord, panels: Int) throws(InputError) -> [Int]? {
    /// Cards and mask, ASICs, a word a pixel, a byte a calibration pixel.
    let element = 12 + 4 * asicSize + 2 * rows * columns + 2 * columns, event = 8
    let quads = stored.version == 1 ? 812 : 1156
    switch (stored.typeName, stored.version) {
    case ("Epix10kaConfig", 1...2):
      // Numbers of ASICs a row and a column, of rows and readable rows and of pixels a row of an ASIC.
      var sizes: [UInt32] = []
      for place in [128, 132, 136, 140, 144] { sizes.append(try record.uint32(place)) }
      return sizes == [2, 2, 176, 176, 192] ? [stored.version == 1 ? 188 : 520] : nil
    case ("Epix10kaQuadConfig", 1...2) where panels == 4: return (0..<4).map { event + quads + $0 * element + 12 }
    case ("Epix10ka2MConfig", 1...2) where panels == 16: return (0..<16).map { event + 4 * quads + $0 * element + 12 }
    default: return nil
    }
  }

  /// The settings of one panel's pixels: bits 2 and 3 of their words, with 16 where the ASIC's trbit is set.
  /// ASICs 0…3: lower right, upper right, upper left, lower left.
  private static func settings(_ record: BinaryRecord, asics: Int) throws(InputError) -> [UInt32] {
    let pixels = try record.uint16s(at: asics + 4 * asicSize, count: rows * columns)
    var trbits: [UInt32] = []
    for asic in 0..<4 { trbits.append(try record.uint32(asics + asic * asicSize + 22 * 4) >> 4 & 1) }
    return pixels.indices.map { i in
      let isUpper = i / columns < rows / 2, isLeft = i % columns < columns / 2
      let asic = isLeft ? (isUpper ? 2 : 3) : (isUpper ? 1 : 0)
      return UInt32(pixels[i]) & 12 | trbits[asic] << 4
    }
  }

  /// Raw words -> keV by seven blocks. Where settings are not known, constants are refused: nobody can tell the block.
  static func calibrate(_ raw: Tensor<Float>, _ constants: CalibrationConstants, path: String) throws(InputError) -> Frame {
    let isKnown = raw.elements.first { $0.isFinite }.map { $0 >= 0 && $0 < 0x1p24 && UInt32($0) & knownBit != 0 } ?? true
    guard isKnown || constants.pedestal == nil && constants.gain == nil else {
      throw InputError(
        path: path, place: "epix10k",
        expected: "the gain setting of each pixel (Epix10kaConfig, Epix10kaQuadConfig or Epix10ka2MConfig in the run), or no pedestals and gains",
        found: "constants for frames without settings")
    }
    return try Calibration.applyByRange(
      raw, constants, ranges: rangeCount, commonModeRanges: commonModeRanges, gainUnit: .keV, path: path
    ) { value, _ in isKnown ? range(word: value & 0xFFFF, setting: value >> settingShift & 0x3F) : 0 }
  }
}
