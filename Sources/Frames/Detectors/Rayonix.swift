import Host
import Tensors

/// The Rayonix MX340-HS and MX170-HS: CCDs of 44.3 µm behind a phosphor, read binned, 16 bits. Signal: ADU; photons with a gain.
///
/// Reads `Frame` v1 of a source `…:Rayonix.n`, and u16 pictures whose source says rayonix or of 7680², 3840² or 1920² pixels (the
/// MX340-HS unbinned, binned 2 × 2 and 4 × 4). 65535 is saturated and masked. Source: Rayonix MX-HS data sheet.
public struct Rayonix: Detector {
  public static let name = "rayonix"

  public static func recognizes(_ info: PayloadInfo) -> Bool {
    if Opal1000.recognizes(info) { return info.source.contains(":Rayonix.") }
    guard info.element == .uint16, let size = HybridPixelCamera.size(info), size.rows > 0, size.columns > 0 else { return false }
    return info.source.lowercased().contains("rayonix") || size.rows == size.columns && [7680, 3840, 1920].contains(size.rows)
  }

  public static func decode(_ payload: Payload, path: String) throws(InputError) -> Tensor<Float> {
    try CameraFrame.decode(payload, path: path).map { $0 >= 65535 ? .nan : $0 }
  }

  public static func calibrate(_ raw: Tensor<Float>, _ constants: CalibrationConstants, path: String) throws(InputError) -> Frame {
    try CameraFrame.calibrate(raw, constants, path: path)
  }
}
