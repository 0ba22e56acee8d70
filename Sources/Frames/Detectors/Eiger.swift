import Host
import Tensors

/// The Eiger photon counters of DECTRIS: modules of 514 × 1030 pixels of 75 µm with gaps of 37 rows and 10 columns (Eiger), or of
/// 512 × 1028 with 38 and 12 (Eiger2): 500K to 16M. Signal: photons.
///
/// Reads unsigned pictures of such a size. The largest number of the type means a gap or a dead pixel.
/// Source: DECTRIS Eiger R/X and Eiger2 R/X technical specifications.
public struct Eiger: Detector {
  public static let name = "eiger"
  private static let kinds = [
    HybridPixelCamera(module: (514, 1030), gap: (37, 10)), HybridPixelCamera(module: (512, 1028), gap: (38, 12)),
  ]

  private static func kind(rows: Int, columns: Int) -> HybridPixelCamera? { kinds.first { $0.grid(rows: rows, columns: columns) != nil } }

  public static func recognizes(_ info: PayloadInfo) -> Bool {
    guard [.uint8, .uint16, .uint32].contains(info.element), let size = HybridPixelCamera.size(info) else { return false }
    return kind(rows: size.rows, columns: size.columns) != nil
  }

  public static func decode(_ payload: Payload, path: String) throws(InputError) -> Tensor<Float> {
    let highest: Float = payload.info.element == .uint8 ? 255 : payload.info.element == .uint16 ? 65535 : Float(UInt32.max)
    return try HybridPixelCamera.decode(payload, path: path) { $0 >= highest }
  }

  public static func calibrate(_ raw: Tensor<Float>, _ constants: CalibrationConstants, path: String) throws(InputError) -> Frame {
    guard raw.shape.rank == 3, let kind = kind(rows: raw.shape[1], columns: raw.shape[2]) else {
      throw InputError(path: path, place: name, expected: "[1×H×W] counts of whole modules", found: "\(raw.shape)")
    }
    return try kind.calibrate(raw, constants, name: name, path: path)
  }
}
