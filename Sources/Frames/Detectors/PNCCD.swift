import Host
import Tensors

/// The pnCCD: four links of 512 × 512 pixels of 75 µm, 14 bits in 16. Signal: photons once a gain is given.
///
/// Reads the LCLS-I record `pnCCDframe` v1: for each link 16 bytes of header (special word, frame number, time stamp), then its
/// pixels; links and bytes a link stand in `pnCCDconfig` v1, v2. And arrays of u16 `[4,512,512]`.
/// Source: pdsdata pnCCD/FrameV1.hh, ConfigV1.hh, ConfigV2.hh.
public struct PNCCD: Detector {
  public static let name = "pnccd"
  public static let chips = (down: 1, across: 4)
  private static let rows = 512, columns = 512, headerSize = 16

  public static func recognizes(_ info: PayloadInfo) -> Bool {
    info.typeName == "pnCCDframe" ? info.version == 1 : info.element == .uint16 && info.shape == [4, rows, columns]
  }

  public static func decode(_ payload: Payload, path: String) throws(InputError) -> Tensor<Float> {
    guard payload.info.typeName == "pnCCDframe" else {
      guard recognizes(payload.info) else {
        throw InputError(
          path: path, place: payload.info.source, expected: "a pnCCDframe or u16 [4×512×512]", found: "\(payload.info.element) \(payload.info.shape)")
      }
      return Tensor(payload.info.shape, try NumericArray.decode(payload, path: path))
    }
    let record = BinaryRecord(payload, path: path)
    guard let stored = payload.configuration, stored.typeName == "pnCCDconfig", (1...2).contains(stored.version) else {
      throw record.error(at: 0, "the pnCCDconfig of this detector in the run's Configure", "none")
    }
    let configuration = BinaryRecord(stored, path: path)
    let links = try configuration.size(0), linkSize = try configuration.size(4)
    guard (1...8).contains(links), linkSize == headerSize + 2 * rows * columns else {
      throw configuration.error(
        at: 0, "1...8 links of \(headerSize + 2 * rows * columns) bytes (512 × 512 pixels)", "\(links) of \(linkSize)")
    }
    var values: [Float] = []
    for link in 0..<links { values += try record.uint16s(at: link * linkSize + headerSize, count: rows * columns) }
    return Tensor([links, rows, columns], values)
  }

  /// 14 bits.
  public static func fullScale(of payload: Payload) -> Float? { 16383 }

  public static func calibrate(
    _ raw: Tensor<Float>, _ constants: CalibrationConstants, path: String
  ) throws(InputError) -> Frame {
    guard raw.shape.rank == 3 else {
      throw InputError(path: path, place: name, expected: "[links×rows×columns] counts", found: "\(raw.shape)")
    }
    return try Calibration.apply(raw, constants, gainUnit: .photons, path: path)
  }
}
