import Host
import Tensors

/// A line camera, such as the LCLS-II time tool's Piranha of 2048 pixels: one row an event, `[2048] -> [1,1,2048]`.
/// Signal: ADU.
public struct LineCamera: Detector {
  public static let name = "linecamera"

  public static func recognizes(_ info: PayloadInfo) -> Bool {
    (info.element == .uint8 || info.element == .uint16) && info.shape.rank == 1 && info.shape[0] >= 2
  }

  public static func decode(_ payload: Payload, path: String) throws(InputError) -> Tensor<Float> {
    guard recognizes(payload.info) else {
      throw InputError(
        path: path, place: payload.info.source, expected: "one row of u8 or u16", found: "\(payload.info.element) \(payload.info.shape)")
    }
    return Tensor([1, 1, payload.info.shape[0]], try NumericArray.decode(payload, path: path))
  }

  public static func calibrate(
    _ raw: Tensor<Float>, _ constants: CalibrationConstants, path: String
  ) throws(InputError) -> Frame {
    try CameraFrame.calibrate(raw, constants, path: path)
  }

  /// The rows of consecutive events as one picture, time downwards: N of `[1,1,W]` -> `[1,N,W]`.
  /// Traps when empty or of unequal widths.
  public static func stacked(_ rows: [Tensor<Float>]) -> Tensor<Float> {
    guard let first = rows.first else { preconditionFailure("nothing to stack") }
    precondition(rows.allSatisfy { $0.shape == first.shape && $0.shape.rank == 3 && $0.shape[1] == 1 }, "rows of one width are stacked")
    return Tensor([1, rows.count, first.shape[2]], rows.flatMap(\.elements))
  }
}
