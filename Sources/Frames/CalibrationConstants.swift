import Tensors

/// What turns one detector's raw counts into signal, for one run. Every array is `[panels, rows, columns]`, or absent.
public struct CalibrationConstants: Sendable {
  /// ADU; for Jungfrau `[3·panels, rows, columns]`, for ePix10ka `[7·panels, rows, columns]`, one block per gain range.
  public var pedestal: Tensor<Float>?
  /// ADU per unit signal (psana's pixel_gain is its inverse); same block layout as `pedestal`.
  public var gain: Tensor<Float>?
  /// psana pixel_status: 0 good, anything else bad.
  public var status: Tensor<UInt32>?
  /// rms of dark frames, ADU.
  public var noise: Tensor<Float>?
  /// psana pixel_mask, made by hand: 1 good, 0 bad.
  public var pixelMask: Tensor<UInt8>?
  public var commonMode: CommonMode
  /// Which of these and of the detector's own make a pixel bad.
  public var mask = PixelMask()
  /// SHA-256 over the files that were read, for provenance; empty when there were none.
  public var digest: String
  /// SHA-256 of the pedestals' file alone: runs of one dark set share it; empty when there was none, or one
  /// number for all pixels.
  public var darkSet: String

  public init(
    pedestal: Tensor<Float>? = nil, gain: Tensor<Float>? = nil, status: Tensor<UInt32>? = nil, noise: Tensor<Float>? = nil,
    pixelMask: Tensor<UInt8>? = nil, commonMode: CommonMode = .none, mask: PixelMask = PixelMask(), digest: String = "", darkSet: String = ""
  ) {
    self.pixelMask = pixelMask
    self.mask = mask
    self.pedestal = pedestal
    self.gain = gain
    self.status = status
    self.noise = noise
    self.commonMode = commonMode
    self.digest = digest
    self.darkSet = darkSet
  }
}
