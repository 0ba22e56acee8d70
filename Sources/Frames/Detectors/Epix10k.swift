import Host
import Tensors

/// The ePix10k and ePix10ka pixel detectors: panels of 352 × 384 pixels of 100 µm, 14 bits under a gain bit; one panel, the quad
/// of 4 or the 2M of 16.
///
/// Reads the LCLS-I records `EpixElement` v1...v3 of sources `…:Epix10k.n`, `…:Epix10ka.n`, `…:Epix.n` and `Epix10kaArray` v1, and
/// arrays of u16 `[n,352,384]` with n ≤ 32, of a detector called ePix also `[352,384]`. Raw counts keep the gain bit (bit 14); those of an
/// ePix10ka have the pixel's gain setting above their 16 bits, where the run's configuration says it (`Epix10kGain`).
/// Source: psddldata epix.ddl.
public struct Epix10k: Detector {
  public static let name = "epix10k"
  public static let chips = (down: 2, across: 2)

  public static func recognizes(_ info: PayloadInfo) -> Bool {
    switch info.typeName {
    case "EpixElement": (1...3).contains(info.version) && !info.source.contains(":Epix100a.")
    case "Epix10kaArray": info.version == 1
    default: EpixRecord.panels(info, of: [352, 384]) != nil
    }
  }

  public static func decode(_ payload: Payload, path: String) throws(InputError) -> Tensor<Float> {
    try Epix10kGain.joined(try EpixRecord.decode(payload, panel: [352, 384], path: path), payload, path: path)
  }

  /// Not told: the gain bit stands above the counts.
  public static func fullScale(of payload: Payload) -> Float? { nil }

  /// Signal: keV by the seven blocks of `Epix10kGain`; without constants the 14 bits of each pixel in ADU. Throws where there are
  /// constants and the pixels' gain settings are not known.
  public static func calibrate(
    _ raw: Tensor<Float>, _ constants: CalibrationConstants, path: String
  ) throws(InputError) -> Frame {
    guard raw.shape.rank == 3 else {
      throw InputError(path: path, place: name, expected: "[panels×rows×columns] counts", found: "\(raw.shape)")
    }
    return try Epix10kGain.calibrate(raw, constants, path: path)
  }
}
