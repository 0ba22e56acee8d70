import Host
import Tensors

/// The Pilatus photon counters of DECTRIS: modules of 195 × 487 pixels of 172 µm with gaps of 17 rows and 7 columns, 100K to 6M.
/// Signal: photons.
///
/// Reads signed and unsigned pictures of such a size of 16 or 32 bits. Negative numbers mean a gap (-1) or a defect (-2).
/// Source: DECTRIS Pilatus technical specification.
public struct Pilatus: Detector {
  public static let name = "pilatus"
  private static let camera = HybridPixelCamera(module: (195, 487), gap: (17, 7))

  public static func recognizes(_ info: PayloadInfo) -> Bool {
    guard [.int16, .int32, .uint16, .uint32].contains(info.element), let size = HybridPixelCamera.size(info) else { return false }
    return camera.grid(rows: size.rows, columns: size.columns) != nil
  }

  public static func decode(_ payload: Payload, path: String) throws(InputError) -> Tensor<Float> {
    try HybridPixelCamera.decode(payload, path: path) { $0 < 0 }
  }

  public static func calibrate(_ raw: Tensor<Float>, _ constants: CalibrationConstants, path: String) throws(InputError) -> Frame {
    try camera.calibrate(raw, constants, name: name, path: path)
  }
}
