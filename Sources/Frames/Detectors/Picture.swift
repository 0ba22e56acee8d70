import Host
import Tensors

/// A plain picture `[H,W]` or `[1,H,W]` of any numeric type, or `[H,W,3]` colour as luma 0.299 R + 0.587 G + 0.114 B
/// (ITU-R BT.601). Signal: the stored numbers (ADU). NaN and infinities are masked; `Frame.maskedCount` counts them.
public struct Picture: Detector {
  public static let name = "picture"

  public static func recognizes(_ info: PayloadInfo) -> Bool { CameraFrame.isPicture(info) || isColour(info) }

  private static func isColour(_ info: PayloadInfo) -> Bool {
    info.element != .record && info.shape.rank == 3 && info.shape[2] == 3 && info.shape[0] > 0 && info.shape[1] > 0
  }

  public static func decode(_ payload: Payload, path: String) throws(InputError) -> Tensor<Float> {
    guard isColour(payload.info) else { return try CameraFrame.decode(payload, path: path) }
    let values = try NumericArray.decode(payload, path: path)
    let luma = (0..<values.count / 3).map { (i: Int) -> Float in
      let red = values[3 * i], green = values[3 * i + 1], blue = values[3 * i + 2]
      return 0.299 * red + 0.587 * green + 0.114 * blue
    }
    return Tensor([1, payload.info.shape[0], payload.info.shape[1]], luma)
  }

  public static func calibrate(
    _ raw: Tensor<Float>, _ constants: CalibrationConstants, path: String
  ) throws(InputError) -> Frame {
    try CameraFrame.calibrate(raw, constants, path: path)
  }
}
