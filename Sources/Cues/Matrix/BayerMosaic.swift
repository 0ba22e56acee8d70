import Tensors

/// What a colour camera does to three colours: it measures one of them at each pixel and makes up the other two.
public enum BayerMosaic {
  /// The colour measured at a pixel of an RGGB mosaic: 0 red, 1 green, 2 blue.
  static func colour(row: Int, column: Int) -> Int { (row & 1) + (column & 1) }

  /// Keeps the measured colour of every pixel and fills the two others by the 5×5 linear filters of Malvar, He and Cutler, "High-quality
  /// linear interpolation for demosaicing of Bayer-patterned color images", ICASSP 2004. Beyond the edge the mosaic is mirrored about the
  /// outermost pixels, which keeps its pattern.
  public static let demosaic = PipelineStep("RGGB mosaic and demosaic", period: 2) { planes in
    precondition(planes.count == 3, "a mosaic is made of three colours, not \(planes.count)")
    let height = planes[0].shape[0], width = planes[0].shape[1]
    // The mosaic with a border of two, so that no filter looks where nothing is.
    let stride = width + 4
    func inside(_ i: Int, _ extent: Int) -> Int {
      let reflected = i < 0 ? -i : i
      return reflected < extent ? reflected : max(0, 2 * (extent - 1) - reflected)
    }
    var mosaic = [Float](repeating: 0, count: (height + 4) * stride)
    for row in 0..<height + 4 {
      for column in 0..<stride {
        let r = inside(row - 2, height), c = inside(column - 2, width)
        mosaic[row * stride + column] = planes[colour(row: r, column: c)].elements[r * width + c]
      }
    }
    let m = mosaic.span
    var red = planes[0].elements, green = planes[1].elements, blue = planes[2].elements
    for row in 0..<height {
      for column in 0..<width {
        let i = (row + 2) * stride + column + 2, out = row * width + column
        let left = m[i - 1], right = m[i + 1], up = m[i - stride], down = m[i + stride]
        // Sums that are the same sums when left and right, or up and down, are exchanged.
        let beside = left + right, aboveBelow = up + down
        let farBeside = m[i - 2] + m[i + 2], farAboveBelow = m[i - 2 * stride] + m[i + 2 * stride]
        let diagonal = (m[i - stride - 1] + m[i + stride + 1]) + (m[i - stride + 1] + m[i + stride - 1])
        let own = m[i]
        if colour(row: row, column: column) == 1 {
          // The rows' other colour stands beside, the columns' above and below.
          let along = (5 * own + 4 * beside - farBeside + 0.5 * farAboveBelow - diagonal) / 8
          let across = (5 * own + 4 * aboveBelow - farAboveBelow + 0.5 * farBeside - diagonal) / 8
          (red[out], blue[out]) = row & 1 == 0 ? (along, across) : (across, along)
          green[out] = own
        } else {
          green[out] = (4 * own + 2 * (beside + aboveBelow) - (farBeside + farAboveBelow)) / 8
          let opposite = (6 * own + 2 * diagonal - 1.5 * (farBeside + farAboveBelow)) / 8
          (red[out], blue[out]) = row & 1 == 0 ? (own, opposite) : (opposite, own)
        }
      }
    }
    return [Tensor([height, width], red), Tensor([height, width], green), Tensor([height, width], blue)]
  }
}
