import Host
import Tensors

/// The readout banks of a panel, whose medians psana's algorithms 4, 7 and 8 subtract.
///
/// Banks first, then rows of banks, then columns, each from what the one before left. A block is corrected where its usable pixels
/// are more than the least number and its median is below the maximum. Source: Detector/src/UtilsCommonMode.py.
struct CommonModeBanks {
  /// Banks down and across a panel.
  private let down: Int, across: Int
  private let shape: Shape
  private let algorithm: Int

  init(_ shape: Shape, algorithm: Int, path: String) throws(InputError) {
    self.shape = shape
    self.algorithm = algorithm
    switch (algorithm, shape[1], shape[2]) {
    case (8, 512, 512): (down, across) = (1, 4)
    case (4, 704, 768), (7, 704, 768), (0, 704, 768), (7, 352, 384), (0, 352, 384): (down, across) = (2, 8)
    case (7, 512, 1024), (0, 512, 1024): (down, across) = (2, 16)
    default:
      let expected =
        switch algorithm {
        case 4: "ePix100a panels of 704×768"
        case 8: "pnCCD panels of 512×512"
        default: "panels of 704×768 (ePix100a), 352×384 (ePix10k) or 512×1024 (Jungfrau)"
        }
      throw InputError(path: path, place: "common mode \(algorithm)", expected: expected, found: "panels \(shape)")
    }
  }

  func subtract(_ signal: inout [Float], _ usable: [UInt8], mode: Int, maximum: Float, pixels: Int) {
    let rows = shape[1], columns = shape[2], bankRows = rows / down, bankColumns = columns / across
    // The bits of the three numberings.
    let hasBanks = mode & (algorithm == 8 ? 8 : algorithm == 4 ? 1 : 4) != 0
    let hasBankRows = mode & (algorithm == 4 ? 2 : 1) != 0
    let hasRows = algorithm == 8 && mode & 2 != 0
    let hasColumns = mode & (algorithm == 4 || algorithm == 8 ? 4 : 2) != 0
    func block(_ panel: Int, _ rowRange: Range<Int>, _ columnRange: Range<Int>, least: Int) {
      var values: [Float] = []
      values.reserveCapacity(rowRange.count * columnRange.count)
      for row in rowRange {
        let start = (panel * rows + row) * columns
        for column in columnRange where usable[start + column] != 0 { values.append(signal[start + column]) }
      }
      guard values.count >= least, !values.isEmpty else { return }
      let shift = Self.median(values)
      guard abs(shift) < maximum else { return }
      for row in rowRange {
        let start = (panel * rows + row) * columns
        for column in columnRange where usable[start + column] != 0 { signal[start + column] -= shift }
      }
    }
    func banks(_ body: (Range<Int>, Range<Int>) -> Void) {
      for r in 0..<down { for c in 0..<across { body(r * bankRows..<(r + 1) * bankRows, c * bankColumns..<(c + 1) * bankColumns) } }
    }
    for panel in 0..<shape[0] {
      // psana's pnCCD does banks last.
      if hasBanks, algorithm != 8 { banks { block(panel, $0, $1, least: pixels) } }
      if hasBankRows {
        for row in 0..<rows { for c in 0..<across { block(panel, row..<row + 1, c * bankColumns..<(c + 1) * bankColumns, least: pixels + 1) } }
      }
      if hasRows { for row in 0..<rows { block(panel, row..<row + 1, 0..<columns, least: pixels + 1) } }
      if hasColumns {
        for r in 0..<down { for column in 0..<columns { block(panel, r * bankRows..<(r + 1) * bankRows, column..<column + 1, least: pixels + 1) } }
      }
      if hasBanks, algorithm == 8 { banks { block(panel, $0, $1, least: pixels) } }
    }
  }

  /// Of an even number, the mean of the two in the middle. Traps for none.
  static func median(_ values: [Float]) -> Float {
    precondition(!values.isEmpty, "no median of nothing")
    let sorted = values.sorted(), middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
