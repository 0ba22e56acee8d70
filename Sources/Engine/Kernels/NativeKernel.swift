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

  /// Kernel `[O,...]`, γ, β, μ, σ² `[O]` -> kernel and shift of a convolution that normalises as well.
  static func fold(outputs: Int, inner: Int, epsilon: Double) -> NativeKernel {
    unsafe NativeKernel { list in
      func array(_ index: Int) -> UnsafeMutablePointer<Float> { unsafe list[index].assumingMemoryBound(to: Float.self) }
      unsafe psi_fold(
        psi_fold_arrays(
          kernel: array(0), scale: array(1), shift: array(2), mean: array(3), variance: array(4), folded_kernel: array(5),
          folded_shift: array(6)), outputs, inner, Float(epsilon))
    }
  }

  /// `[N,C,...] -> [C]`, both row-major.
  static func channelSums(images: Int, channels: Int, plane: Int) -> NativeKernel {
    unsafe NativeKernel {
      unsafe psi_channel_sums(
        $0[0].assumingMemoryBound(to: Float.self), $0[1].assumingMemoryBound(to: Float.self), images, channels, plane)
    }
  }
}
