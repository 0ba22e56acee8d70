import CKernels
import Graphs

extension NativeKernel {
  /// x, counter -> y, row-major float32.
  static func masked(_ mask: BernoulliMask, count: Int) -> NativeKernel {
    unsafe NativeKernel {
      unsafe psi_mask_elements(floats($0[0]), floats($0[2]), count, psi_mask(mask, counter: $0[1]))
    }
  }

  /// x, counter -> y, `width` numbers an example in any layout.
  static func maskedExamples(_ mask: BernoulliMask, count: Int, width: Int, _ number: Descriptor.Number) -> NativeKernel {
    unsafe NativeKernel {
      unsafe psi_mask_examples($0[0], $0[2], count, width, number == .bfloat16 ? 1 : 0, psi_mask(mask, counter: $0[1]))
    }
  }
}

extension psi_mask {
  /// Traps when the two numbers at `address` are no counter.
  @unsafe fileprivate init(_ mask: BernoulliMask, counter address: UnsafeMutableRawPointer) {
    let fed = (0..<2).map { unsafe Double(floats(address)[$0]) }
    self.init(key: MaskCounter(fed: fed).key, stream: mask.stream, threshold: mask.threshold, gain: Float(mask.gain))
  }
}
