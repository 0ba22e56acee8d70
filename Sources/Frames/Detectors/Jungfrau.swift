import Host
import Tensors

/// The Jungfrau pixel detector: panels of 512 × 1024 pixels, 14 bits under 2 gain bits. Signal: keV once a gain is given.
///
/// The gain bits 00, 01, 11 choose the block 0, 1, 2 of `pedestal` and `gain`, which are `[3·panels, 512, 1024]`, gain
/// range slowest; the bits 10 do not occur in a working pixel and are masked. Raw counts keep the gain bits.
///
/// Reads arrays of u16 and the LCLS-I records `JungfrauElement` v1 (12 bytes of header, then the modules) and v2 (16 bytes and 20
/// a module), whose module count stands in `JungfrauConfig` v1...v4.
/// Sources: slac-lcls/lcls2 psana/psana/detector/UtilsJungfrau.py, psddldata jungfrau.ddl.
public struct Jungfrau: Detector {
  public static let name = "jungfrau"
  public static let chips = (down: 2, across: 4)

  public static func recognizes(_ info: PayloadInfo) -> Bool {
    info.typeName == "JungfrauElement" ? (1...2).contains(info.version) : info.element == .uint16 && panels(info.shape) != nil
  }

  private static func panels(_ shape: Shape) -> Int? {
    let e = shape.extents
    guard e.suffix(2) == [512, 1024] else { return nil }
    if e.count == 2 { return 1 }
    return e.count == 3 && (1...32).contains(e[0]) ? e[0] : nil
  }

  public static func decode(_ payload: Payload, path: String) throws(InputError) -> Tensor<Float> {
    if payload.info.typeName == "JungfrauElement" { return try element(payload, path) }
    guard recognizes(payload.info), let count = panels(payload.info.shape) else {
      throw InputError(
        path: path, place: payload.info.source, expected: "u16 [panels×512×1024]", found: "\(payload.info.element) \(payload.info.shape)")
    }
    return Tensor([count, 512, 1024], try NumericArray.decode(payload, path: path))
  }

  private static func element(_ payload: Payload, _ path: String) throws(InputError) -> Tensor<Float> {
    let record = BinaryRecord(payload, path: path)
    guard let stored = payload.configuration, stored.typeName == "JungfrauConfig" else {
      throw record.error(at: 0, "the JungfrauConfig of this detector in the run's Configure", "none")
    }
    let configuration = BinaryRecord(stored, path: path)
    let modules = try configuration.size(0), rows = try configuration.size(4), columns = try configuration.size(8)
    guard (1...32).contains(modules), rows == 512, columns == 1024 else {
      throw configuration.error(at: 0, "1...32 modules of 512 × 1024 pixels", "\(modules) of \(rows) × \(columns)")
    }
    let header = payload.info.version == 1 ? 12 : 16 + 20 * modules
    return Tensor([modules, rows, columns], try record.uint16s(at: header, count: modules * rows * columns))
  }

  /// Not told: the largest count depends on the gain range, and the coarsest one counts downwards.
  public static func fullScale(of payload: Payload) -> Float? { nil }

  public static func calibrate(
    _ raw: Tensor<Float>, _ constants: CalibrationConstants, path: String
  ) throws(InputError) -> Frame {
    guard raw.shape.rank == 3 else {
      throw InputError(path: path, place: "jungfrau", expected: "[panels×rows×columns] counts", found: "\(raw.shape)")
    }
    return try Calibration.applyByRange(raw, constants, ranges: 3, commonModeRanges: [0], gainUnit: .keV, path: path) { word, _ in
      switch word >> 14 {
      case 0: 0
      case 1: 1
      case 3: 2
      default: nil
      }
    }
  }
}
