/// Loops over all pixels of a frame, written so that the compiler makes vector instructions of them: no branch, no check in the loop.
enum PixelLoops {
  private static let exponent: UInt32 = 0x7F80_0000

  /// signal - pedestal; where that is no finite number, signal and mask become 0. Traps unless all are of one count.
  static func subtract(_ pedestal: [Float]?, from signal: inout [Float], _ mask: inout [UInt8]) {
    precondition(mask.count == signal.count && pedestal?.count ?? signal.count == signal.count, "arrays of different counts")
    var values = signal.mutableSpan, good = mask.mutableSpan
    let count = values.count
    if let pedestal {
      let offset = pedestal.span
      for i in 0..<count {
        let value = values[i] - offset[i], isFinite = value.bitPattern & exponent != exponent
        values[i] = isFinite ? value : 0
        good[i] = isFinite ? good[i] : 0
      }
    } else {
      for i in 0..<count {
        let value = values[i], isFinite = value.bitPattern & exponent != exponent
        values[i] = isFinite ? value : 0
        good[i] = isFinite ? good[i] : 0
      }
    }
  }

  /// signal / gain; where the gain is 0 or no finite number, the mask becomes 0. Traps unless all are of one count.
  static func divide(_ signal: inout [Float], by gain: [Float], _ mask: inout [UInt8]) {
    precondition(mask.count == signal.count && gain.count == signal.count, "arrays of different counts")
    var values = signal.mutableSpan, good = mask.mutableSpan
    let factor = gain.span, count = values.count
    for i in 0..<count {
      let g = factor[i], isUsable = g.bitPattern & exponent != exponent && g != 0
      values[i] = isUsable ? values[i] / g : values[i]
      good[i] = isUsable ? good[i] : 0
    }
  }

  /// Sets the mask to 0 where a status has any of `bits`.
  static func exclude(_ status: [UInt32], _ bits: UInt32, from mask: inout [UInt8]) {
    precondition(mask.count == status.count, "arrays of different counts")
    var good = mask.mutableSpan
    let words = status.span, count = words.count
    for i in 0..<count { good[i] = words[i] & bits == 0 ? good[i] : 0 }
  }

  /// Sets the signal to 0 where the mask is.
  static func clear(_ signal: inout [Float], where mask: [UInt8]) {
    precondition(mask.count == signal.count, "arrays of different counts")
    var values = signal.mutableSpan
    let good = mask.span, count = values.count
    for i in 0..<count { values[i] = good[i] != 0 ? values[i] : 0 }
  }

  static func subtract(_ shift: Float, from signal: inout [Float], _ range: Range<Int>) {
    guard shift != 0 else { return }
    precondition(range.lowerBound >= 0 && range.upperBound <= signal.count, "pixels outside of the frame")
    var values = signal.mutableSpan
    for i in range { values[i] -= shift }
  }
}
