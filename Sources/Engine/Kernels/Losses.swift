import CKernels
import Tensors

extension NativeKernel {
  /// Logits, targets -> losses.
  static func crossEntropy(_ logits: Shape) -> NativeKernel {
    let shape = psi_loss_shape(logits)
    return unsafe NativeKernel { unsafe psi_cross_entropy(floats($0[0]), floats($0[1]), floats($0[2]), shape) }
  }
  /// Logits, targets, dy -> dz.
  static func crossEntropyGradient(_ logits: Shape) -> NativeKernel {
    let shape = psi_loss_shape(logits)
    return unsafe NativeKernel {
      unsafe psi_cross_entropy_gradient(floats($0[0]), floats($0[1]), floats($0[2]), floats($0[3]), shape)
    }
  }
  static func binaryCrossEntropy(count: Int) -> NativeKernel {
    unsafe NativeKernel { unsafe psi_binary_cross_entropy(floats($0[0]), floats($0[1]), floats($0[2]), count) }
  }
  static func binaryCrossEntropyGradient(count: Int) -> NativeKernel {
    unsafe NativeKernel {
      unsafe psi_binary_cross_entropy_gradient(floats($0[0]), floats($0[1]), floats($0[2]), floats($0[3]), count)
    }
  }
  /// Values, mask -> mean.
  static func maskedMean(_ values: Shape) -> NativeKernel {
    let shape = psi_loss_shape(values)
    return unsafe NativeKernel { unsafe psi_masked_mean(floats($0[0]), floats($0[1]), floats($0[2]), shape) }
  }
  /// dy, mask -> dx.
  static func maskedMeanGradient(_ values: Shape) -> NativeKernel {
    let shape = psi_loss_shape(values)
    return unsafe NativeKernel { unsafe psi_masked_mean_gradient(floats($0[0]), floats($0[1]), floats($0[2]), shape) }
  }
}

extension psi_loss_shape {
  /// `[N,K]` or `[N,K,H,W]`.
  init(_ shape: Shape) {
    self.init(images: shape[0], classes: shape[1], plane: shape.extents.dropFirst(2).reduce(1, *))
  }
}

@unsafe func floats(_ address: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Float> {
  unsafe address.assumingMemoryBound(to: Float.self)
}
