import CKernels

extension NativeKernel {
  /// Joins arrays of `rows` rows: row n of the result is row n of every input in turn. Widths in bytes.
  static func joined(rows: Int, widths: [Int]) -> NativeKernel {
    let whole = widths.reduce(0, +)
    return unsafe NativeKernel { addresses in
      var start = 0
      for (index, width) in widths.enumerated() {
        unsafe psi_strips(addresses[index], addresses[widths.count] + start, rows, width, width, whole)
        start += width
      }
    }
  }

  /// Takes `width` bytes at `offset` out of each of `rows` rows of `whole` bytes.
  static func cut(rows: Int, whole: Int, offset: Int, width: Int) -> NativeKernel {
    unsafe NativeKernel { unsafe psi_strips($0[0] + offset, $0[1], rows, width, whole, width) }
  }
}
