import CKernels

/// A parallel loop of CKernels on buffers of a plan, in whatever layout the loop is written for.
@safe struct NativeKernel {
  /// Called with the addresses of the inputs, then of the outputs.
  private let body: ([UnsafeMutableRawPointer]) -> Void

  init(_ body: @escaping ([UnsafeMutableRawPointer]) -> Void) { unsafe self.body = body }

  @unsafe func run(_ addresses: [UnsafeMutableRawPointer]) { unsafe body(addresses) }

  /// The window above each place of the result as one row: channels in blocks of 16 `[N,C,H,W] -> [N·H'·W', K·K·C]`.
  static func windows(_ shape: psi_window_shape) -> NativeKernel {
    unsafe NativeKernel { unsafe psi_windows($0[0], $0[1], shape) }
  }

  /// `[N,C,...] -> [C]`, both row-major.
  static func channelSums(images: Int, channels: Int, plane: Int) -> NativeKernel {
    unsafe NativeKernel {
      unsafe psi_channel_sums(
        $0[0].assumingMemoryBound(to: Float.self), $0[1].assumingMemoryBound(to: Float.self), images, channels, plane)
    }
  }
}
