import Host
import Tensors

/// The Jungfrau pixel detector: panels of 512 × 1024 pixels, 14 bits under 2 gain bits. Signal: keV once a gain is given.
///
/// The gain bits 00, 01, 11 choose the block 0, 1, 2 of `pedestal` and `gain`, which are `[3·panels, 512, 1024]`, gain
/// range slowest; the bits 10 do not occur in a working pixel and are masked. Raw counts keep the gain bits.
/// Source: slac-lcls/lcls2 psana/psana/detector/UtilsJungfrau.py.
public struct Jungfrau: Detector {
  public static let name = "jungfrau"

  public static func recognizes(_ info: PayloadInfo) -> Bool { info.element == .uint16 && panels(info.shape) != nil }

  private static func panels(_ shape: Shape) -> Int? {
    let e = shape.extents
    guard e.suffix(2) == [512, 1024] else { return nil }
    if e.count == 2 { return 1 }
    return e.count == 3 && (1...32).contains(e[0]) ? e[0] : nil
  }

  public static func decode(_ payload: Payload, path: String) throws(InputError) -> Tensor<Float> {
    guard recognizes(payload.info), let count = panels(payload.info.shape) else {
      throw InputError(
        path: path, place: payload.info.source, expected: "u16 [panels×512×1024]", found: "\(payload.info.element) \(payload.info.shape)")
    }
    return Tensor([count, 512, 1024], try NumericArray.decode(payload, path: path))
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
