import Host
import Tensors

/// The X-band transverse deflecting cavity's camera: an Opal that sees the streaked electron bunch, columns time, rows
/// energy. LCLS-I stores it as `XrayTransportDiagnostic.0:Opal1000.0`; LCLS-II and translated files as `xtcav`.
/// Source: slaclab/xtcav xtcav/Constants.py.
public struct XTCAV: Detector {
  public static let name = "xtcav"

  public static func recognizes(_ info: PayloadInfo) -> Bool {
    if Opal1000.recognizes(info) { return info.source.contains("XrayTransportDiagnostic.0:Opal1000.0") || isNamed(info) }
    // psana-translate keeps the DAQ's name in the path of an array.
    return CameraFrame.isPicture(info) && (isNamed(info) || info.source.contains("XrayTransportDiagnostic.0:Opal1000.0"))
  }

  private static func isNamed(_ info: PayloadInfo) -> Bool { (info.source + " " + info.alias).lowercased().contains("xtcav") }

  public static func decode(_ payload: Payload, path: String) throws(InputError) -> Tensor<Float> {
    try CameraFrame.decode(payload, path: path)
  }

  public static func fullScale(of payload: Payload) -> Float? { CameraFrame.fullScale(of: payload) }

  public static func calibrate(
    _ raw: Tensor<Float>, _ constants: CalibrationConstants, path: String
  ) throws(InputError) -> Frame {
    try CameraFrame.calibrate(raw, constants, path: path)
  }
}
