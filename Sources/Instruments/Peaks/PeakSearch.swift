import Frames
import Host
import Tensors

/// A bright spot on one panel.
public struct Peak: Hashable, Sendable {
  public var panel: Int
  /// Brightest pixel.
  public var row: Int, column: Int
  /// Centre of mass above the background, px.
  public var centreRow: Double, centreColumn: Double
  /// Signal of the brightest pixel, and of the whole spot above the background.
  public var height: Double, signal: Double
  /// Mean and standard deviation of the ring around it.
  public var background: Double, noise: Double
  public var pixels: Int

  /// Spot over noise: `signal / (noise √pixels)`.
  public var significance: Double { noise > 0 ? signal / (noise * Double(pixels).squareRoot()) : .infinity }
}

/// Bright spots of calibrated panels, each against the ring around it (the idea of psana's peak finder v3).
///
/// A candidate is a good pixel above `threshold` that none within `rank` exceeds. The good pixels of the ring between the
/// distances `ringInner` and `ringOuter` give background and noise. The spot is what hangs together with the candidate (8
/// neighbours) within `rank` and above background + `pixelSigmas`·noise. It is a peak with `pixels` many pixels, unless it crosses
/// the neighbourhood from side to side, and with signal/(noise √n) of at least `significance`. Cost: a comparison a pixel, about 300 operations a candidate.
/// Source: lcls1 ImgAlgos/src/PyAlgos.py (peak_finder_v3, son_min).
public struct PeakSearch: Codable, Hashable, Sendable {
  /// Px, Chebyshev.
  public var rank = 4
  /// Px, Chebyshev: `ringInner` is the first that counts, `ringOuter` the last.
  public var ringInner = 6, ringOuter = 9
  /// Lowest signal of the brightest pixel, in the frame's unit; 0: 5 photons, 150 ADU, 45 keV.
  public var threshold = 0.0
  public var pixelSigmas = 3.0
  public var pixels = 2...60
  public var significance = 10.0

  public init() {}

  /// The peaks of all panels, panel by panel, row by row.
  public func peaks(in frame: Frame) -> [Peak] {
    let rows = frame.signal.shape[1], columns = frame.signal.shape[2], size = rows * columns
    let lowest = Float(threshold > 0 ? threshold : Self.usualThreshold(frame.unit))
    var found: [Peak] = []
    for panel in 0..<frame.signal.shape[0] {
      let signal = frame.signal.elements[panel * size..<(panel + 1) * size], mask = frame.mask.elements[panel * size..<(panel + 1) * size]
      let grid = Grid(signal: signal, mask: mask, rows: rows, columns: columns)
      for i in 0..<size where signal[panel * size + i] > lowest && mask[panel * size + i] != 0 {
        if let peak = peak(at: i / columns, i % columns, grid, panel) { found.append(peak) }
      }
    }
    return found
  }

  static func usualThreshold(_ unit: Frame.Unit) -> Double {
    switch unit {
    case .photons: 5
    case .adu: 150
    case .keV: 45
    }
  }

  private struct Grid {
    let signal: ArraySlice<Float>, mask: ArraySlice<UInt8>, rows: Int, columns: Int

    /// The signal of a good pixel of the panel; `nil` for others.
    func value(_ row: Int, _ column: Int) -> Float? {
      guard row >= 0, row < rows, column >= 0, column < columns else { return nil }
      let i = row * columns + column
      return mask[mask.startIndex + i] != 0 ? signal[signal.startIndex + i] : nil
    }
  }

  private func peak(at row: Int, _ column: Int, _ grid: Grid, _ panel: Int) -> Peak? {
    guard let top = grid.value(row, column) else { return nil }
    for r in row - rank...row + rank {
      for c in column - rank...column + rank {
        guard let other = grid.value(r, c) else { continue }
        // Of equals, the first in reading order stands for all.
        if other > top || (other == top && (r, c) < (row, column)) { return nil }
      }
    }
    var sum = 0.0, squares = 0.0, count = 0.0
    for r in row - ringOuter...row + ringOuter {
      for c in column - ringOuter...column + ringOuter where max(abs(r - row), abs(c - column)) >= ringInner {
        guard let value = grid.value(r, c) else { continue }
        sum += Double(value)
        squares += Double(value) * Double(value)
        count += 1
      }
    }
    guard count >= 20 else { return nil }
    let background = sum / count, noise = max(0, squares / count - background * background).squareRoot()
    let taken = neighbours(of: (row, column), above: background + pixelSigmas * noise, grid)
    var signal = 0.0, rowMoment = 0.0, columnMoment = 0.0
    for (r, c) in taken {
      let above = Double(grid.value(r, c) ?? 0) - background
      signal += above
      rowMoment += above * Double(r)
      columnMoment += above * Double(c)
    }
    guard pixels.contains(taken.count), signal > 0 else { return nil }
    // What stays above half of the height from one side of the neighbourhood to the other is a streak or a ring.
    let wide = neighbours(of: (row, column), above: background + 0.5 * (Double(top) - background), grid)
    let rows = wide.map(\.0), columns = wide.map(\.1)
    let crossesRows = rows.contains(max(0, row - rank)) && rows.contains(min(grid.rows - 1, row + rank))
    let crossesColumns = columns.contains(max(0, column - rank)) && columns.contains(min(grid.columns - 1, column + rank))
    if crossesRows || crossesColumns { return nil }
    let peak = Peak(
      panel: panel, row: row, column: column, centreRow: rowMoment / signal, centreColumn: columnMoment / signal, height: Double(top),
      signal: signal, background: background, noise: noise, pixels: taken.count)
    return peak.significance >= significance ? peak : nil
  }

  /// The pixels above `level` that hang together with one, itself included, within `rank`.
  private func neighbours(of seed: (Int, Int), above level: Double, _ grid: Grid) -> [(Int, Int)] {
    var taken: Set<Int> = [seed.0 * grid.columns + seed.1], waiting = [seed], found: [(Int, Int)] = []
    while let (r, c) = waiting.popLast() {
      found.append((r, c))
      for row in max(r - 1, seed.0 - rank)...min(r + 1, seed.0 + rank) {
        for column in max(c - 1, seed.1 - rank)...min(c + 1, seed.1 + rank) {
          guard let next = grid.value(row, column), Double(next) > level, taken.insert(row * grid.columns + column).inserted else { continue }
          waiting.append((row, column))
        }
      }
    }
    return found
  }
}
