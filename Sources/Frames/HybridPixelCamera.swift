import Host
import Tensors

/// What photon-counting cameras of one picture from many modules share: a grid of equal modules with gaps between them.
struct HybridPixelCamera {
  /// Rows and columns of a module, and of the gap between two.
  var module: (rows: Int, columns: Int), gap: (rows: Int, columns: Int)

  /// How many modules make `extent`, one after the other.
  private static func count(_ extent: Int, _ module: Int, _ gap: Int) -> Int? {
    (extent + gap) % (module + gap) == 0 ? (extent + gap) / (module + gap) : nil
  }

  /// The grid of modules of a picture of that size; `nil` for another size or more than 16 modules a side.
  func grid(rows: Int, columns: Int) -> (down: Int, across: Int)? {
    guard let down = Self.count(rows, module.rows, gap.rows), let across = Self.count(columns, module.columns, gap.columns),
      (1...16).contains(down), (1...16).contains(across)
    else { return nil }
    return (down, across)
  }

  /// The gaps of a picture, row-major.
  func gaps(rows: Int, columns: Int) -> [Bool] {
    (0..<rows * columns).map { i in
      i / columns % (module.rows + gap.rows) >= module.rows || i % columns % (module.columns + gap.columns) >= module.columns
    }
  }

  /// Height and width of a stored picture `[H,W]` or `[1,H,W]`.
  static func size(_ info: PayloadInfo) -> (rows: Int, columns: Int)? {
    let e = info.shape.extents
    guard e.count == 2 || (e.count == 3 && e[0] == 1) else { return nil }
    return (e[e.count - 2], e[e.count - 1])
  }

  /// `[1, H, W]` counts; numbers that mean "not measured" are NaN.
  static func decode(_ payload: Payload, path: String, isMissing: (Float) -> Bool) throws(InputError) -> Tensor<Float> {
    guard let size = size(payload.info) else {
      throw InputError(path: path, place: payload.info.source, expected: "a picture [H×W]", found: "\(payload.info.element) \(payload.info.shape)")
    }
    let values = try NumericArray.decode(payload, path: path).map { isMissing($0) ? Float.nan : $0 }
    return Tensor([1, size.rows, size.columns], values)
  }

  /// Counts are photons: nothing is converted without constants. Gaps are masked whatever is stored there.
  func calibrate(_ raw: Tensor<Float>, _ constants: CalibrationConstants, name: String, path: String) throws(InputError) -> Frame {
    guard raw.shape.rank == 3, raw.shape[0] == 1, grid(rows: raw.shape[1], columns: raw.shape[2]) != nil else {
      throw InputError(path: path, place: name, expected: "[1×H×W] counts of whole modules", found: "\(raw.shape)")
    }
    var frame = try Calibration.apply(
      raw, constants, gainUnit: .photons, alwaysBad: gaps(rows: raw.shape[1], columns: raw.shape[2]), path: path)
    frame.unit = .photons
    return frame
  }
}
