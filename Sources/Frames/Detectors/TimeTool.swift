import Host
import Tensors

/// A time-tool camera: an Opal that looks at a laser stripe, in which an X-ray pulse makes a step.
///
/// Recognised by source: the known spatial and spectral time tools of LCLS-I and every alias with `TSS_OPAL` or
/// `timetool` in it. Other hutches name the detector `timetool` in their recipe; decoding is the camera's.
public struct TimeTool: Detector {
  public static let name = "timetool"

  static let sources = ["XppEndstation.0:Opal1000.2", "SxrBeamline.0:Opal1000.0"]

  public static func recognizes(_ info: PayloadInfo) -> Bool {
    guard Opal1000.recognizes(info) || CameraFrame.isPicture(info) else { return false }
    let source = (info.source + " " + info.alias).lowercased()
    if source.contains("tss_opal") || source.contains("timetool") { return true }
    return sources.contains { info.source.contains($0) }
  }

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
