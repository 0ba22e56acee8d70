import CKernels

/// What every place of one axis of a result is a weighted sum of.
struct AxisTaps {
  private var start: [Int32] = [0]
  private var index: [Int32] = []
  private var weight: [Float] = []
  /// Places of the input and of the result.
  let from: Int, to: Int

  /// `taps(i)` names the inputs of place i.
  init(from: Int, to: Int, _ taps: (Int) -> [(index: Int, weight: Double)]) {
    self.from = from
    self.to = to
    for place in 0..<to {
      for tap in taps(place) where tap.weight != 0 {
        index.append(Int32(tap.index))
        weight.append(Float(tap.weight))
      }
      start.append(Int32(index.count))
    }
  }

  /// The adjoint: what every place of the input contributes to.
  var transposed: AxisTaps {
    var users = [[(index: Int, weight: Double)]](repeating: [], count: from)
    for place in 0..<to {
      for tap in Int(start[place])..<Int(start[place + 1]) { users[Int(index[tap])].append((place, Double(weight[tap]))) }
    }
    return AxisTaps(from: to, to: from) { users[$0] }
  }

  func withTaps(_ body: (psi_taps) -> Void) {
    unsafe start.withUnsafeBufferPointer { start in
      unsafe index.withUnsafeBufferPointer { index in
        unsafe weight.withUnsafeBufferPointer { weight in
          unsafe body(psi_taps(start: start.baseAddress, index: index.baseAddress, weight: weight.baseAddress))
        }
      }
    }
  }
}

extension NativeKernel {
  /// `planes` pictures, or blocks of 16 of them side by side, resampled along both axes.
  static func resampled(planes: Int, lanes: Int, _ number: Descriptor.Number, rows: AxisTaps, columns: AxisTaps) -> NativeKernel {
    let shape = psi_resampling(
      planes: planes, rows: rows.from, columns: columns.from, out_rows: rows.to, out_columns: columns.to, lanes: lanes,
      is_bfloat16: number == .bfloat16 ? 1 : 0)
    return unsafe NativeKernel { addresses in
      unsafe rows.withTaps { rows in
        unsafe columns.withTaps { columns in unsafe psi_resample(addresses[0], addresses[1], shape, rows, columns) }
      }
    }
  }
}
