import Host
import Tensors

/// A camera: knows its own raw records and how to turn them into calibrated frames. One conforming type per detector.
public protocol Detector: Sendable {
  /// `cspad`, `opal1000`, `jungfrau`, `linecamera`, `picture`.
  static var name: String { get }
  /// Whether this type can decode `payload`.
  static func recognizes(_ payload: PayloadInfo) -> Bool
  /// Raw counts `[panels, rows, columns]` in ADU, gain bits still in place; Float holds them exactly up to 2^24.
  static func decode(_ payload: Payload, path: String) throws(InputError) -> Tensor<Float>
  /// The raw count at and above which a pixel of `payload` is saturated; `nil` where the record does not tell.
  static func fullScale(of payload: Payload) -> Float?
  /// Readout chips down and across a panel, which have gains and offsets of their own.
  static var chips: (down: Int, across: Int) { get }
  /// Constants as they hold for frames like `payload`: what the camera was set to in its run may say more than the run's files.
  static func adapted(_ constants: CalibrationConstants, to payload: Payload, path: String) throws(InputError) -> CalibrationConstants
  /// Raw counts -> calibrated signal with bad pixels masked.
  static func calibrate(_ raw: Tensor<Float>, _ constants: CalibrationConstants, path: String) throws(InputError) -> Frame
}

extension Detector {
  public static var chips: (down: Int, across: Int) { (1, 1) }

  public static func adapted(
    _ constants: CalibrationConstants, to payload: Payload, path: String
  ) throws(InputError) -> CalibrationConstants { constants }

  /// The largest count of unsigned bytes and words; nothing for other numbers, whose range says nothing about the camera.
  public static func fullScale(of payload: Payload) -> Float? {
    switch payload.info.element {
    case .uint8: 255
    case .uint16: 65535
    default: nil
    }
  }
}

/// A calibrated detector image, still by panel.
public struct Frame: Sendable {
  /// `[panels, rows, columns]`, in `unit`.
  public var signal: Tensor<Float>
  /// 1 where `signal` is valid, 0 where a pixel is bad; same shape.
  public var mask: Tensor<UInt8>
  public var unit: Unit

  public enum Unit: String, Codable, Sendable { case adu = "ADU", photons, keV }

  public init(signal: Tensor<Float>, mask: Tensor<UInt8>, unit: Unit) {
    precondition(signal.shape == mask.shape, "signal \(signal.shape) and mask \(mask.shape) do not match")
    self.signal = signal
    self.mask = mask
    self.unit = unit
  }
}
