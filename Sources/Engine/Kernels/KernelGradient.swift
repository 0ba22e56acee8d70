import CKernels

extension NativeKernel {
  /// Whether this processor has the instruction of `kernelGradient`.
  static var hasBFloat16Pairs: Bool { psi_has_bfloat16_pairs() != 0 }

  /// X, dY in bfloat16 -> dK and scratch space; layouts as `kernel_gradient.h` says. dK has the same bits for any `parts`.
  static func kernelGradient(_ shape: psi_gradient_shape) -> NativeKernel {
    unsafe NativeKernel { unsafe psi_kernel_gradient_bfloat16($0[0], $0[1], floats($0[2]), $0[3], shape) }
  }
}

extension psi_gradient_shape {
  init(_ p: ConvolutionProblem, parts: Int) {
    self.init(
      images: p.image[0], channels: p.image[1], rows: p.image[2], columns: p.image[3], maps: p.maps[1], out_rows: p.maps[2],
      out_columns: p.maps[3], kernel_rows: p.kernel[2], kernel_columns: p.kernel[3], stride: p.stride, padding: p.padding, parts: parts)
  }

  /// Of scratch space.
  var scratchBytes: Int { psi_kernel_gradient_scratch(self) }
}
