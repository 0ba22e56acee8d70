import Host
import Tensors

/// An Opal-1000 visible-light camera, 8 to 16 bits, any height and width. Signal: ADU above the frame's offset.
///
/// Reads the DAQ record `Frame` v1: u32 width, height, depth, offset, then the pixels row-major, one byte each up to a
/// depth of 8, two above. Raw counts keep the offset. Source: lcls-psana/psddldata data/camera.ddl.
public struct Opal1000: Detector {
  public static let name = "opal1000"

  public static func recognizes(_ info: PayloadInfo) -> Bool { info.typeName == "Frame" && info.version == 1 }

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

/// What all cameras that store `Frame` v1 share.
enum CameraFrame {
  /// The offset that the DAQ's Opal cameras add to every pixel, ADU.
  static let defaultOffset: Float = 32

  /// `[1, H, W]` in ADU, from a `Frame` record or a plain `[H,W]` or `[1,H,W]` array.
  static func decode(_ payload: Payload, path: String) throws(InputError) -> Tensor<Float> {
    guard payload.info.typeName == "Frame", payload.info.element == .record else { return try array(payload, path) }
    let record = BinaryRecord(payload, path: path)
    let width = Int(try record.uint32(0)), height = Int(try record.uint32(4)), depth = try record.uint32(8)
    guard (1...16).contains(depth) else { throw record.error(at: 8, "a depth of 1...16 bits", "\(depth)") }
    // Checked before the product: 65536² pixels is far above any camera and far below overflow.
    guard (1...65536).contains(width), (1...65536).contains(height) else {
      throw record.error(at: 0, "a width and height of 1...65536", "\(width) × \(height)")
    }
    let count = width * height
    try record.require(16, depth <= 8 ? count : 2 * count)
    let bytes = record.bytes
    var values = [Float](repeating: 0, count: count)
    if depth <= 8 {
      for i in 0..<count { values[i] = Float(bytes[16 + i]) }
    } else {
      for i in 0..<count { values[i] = Float(UInt16(bytes[16 + 2 * i]) | UInt16(bytes[17 + 2 * i]) << 8) }
    }
    return Tensor([1, height, width], values)
  }

  /// 2^depth − 1 for a `Frame` record, whose depth is checked when it is decoded; the number type's largest count for an array.
  static func fullScale(of payload: Payload) -> Float? {
    guard payload.info.typeName == "Frame", payload.info.element == .record else { return Picture.fullScale(of: payload) }
    guard payload.bytes.count >= 12, (1...16).contains(payload.bytes[8]) else { return nil }
    return Float(1 << Int(payload.bytes[8]) - 1)
  }

  private static func array(_ payload: Payload, _ path: String) throws(InputError) -> Tensor<Float> {
    let e = payload.info.shape.extents
    guard isPicture(payload.info) else {
      throw InputError(
        path: path, place: payload.info.source, expected: "a camera frame [H×W]", found: "\(payload.info.typeName) \(payload.info.shape)")
    }
    let values = try NumericArray.decode(payload, path: path)
    return Tensor([1, e[e.count - 2], e[e.count - 1]], values)
  }

  static func isPicture(_ info: PayloadInfo) -> Bool {
    let e = info.shape.extents
    return info.element != .record && (e.count == 2 || (e.count == 3 && e[0] == 1)) && e.allSatisfy { $0 > 0 }
  }

  /// Without a pedestal the camera offset stays in the signal: nothing is guessed.
  static func calibrate(
    _ raw: Tensor<Float>, _ constants: CalibrationConstants, path: String
  ) throws(InputError) -> Frame {
    guard raw.shape.rank == 3 else {
      throw InputError(path: path, place: "camera", expected: "[1×H×W] counts", found: "\(raw.shape)")
    }
    return try Calibration.apply(raw, constants, gainUnit: .photons, path: path)
  }
}
