import Host
import Tensors

/// The scatter of panel pixels onto one canvas, computed once per geometry.
///
/// psana's image: row = floor((X - Xmin + p/2)/p), column = floor((Y - Ymin + p/2)/p) with pixel pitch p.
/// Canvas pixels that no panel pixel reaches are gaps of weight 0; where several fall on one, the good ones are averaged.
/// Source: PSCalib src/GeometryAccess.py, xy_to_rc_arrays.
public struct Assembly: Sendable {
  /// Canvas size.
  public let height: Int, width: Int
  /// `[panels, rows, columns]`.
  public let panelShape: Shape
  /// Pixel pitch of the canvas, mm.
  public let pixelSizeMM: Double
  /// The position of the middle of canvas pixel (0,0) in the geometry's frame, mm; psana's x runs down the rows.
  public let originMM: (x: Double, y: Double)
  /// The mean position of all pixels in the geometry's frame, mm.
  public let centreMM: (x: Double, y: Double)
  /// Canvas index of each panel pixel; -1 for those that the geometry leaves out.
  package let targets: [Int32]
  /// Panel pixel behind each canvas pixel (the first of several), or -1.
  let sources: [Int32]

  /// Throws where the geometry does not describe `panelShape`, or a canvas of more than 2^26 pixels.
  public init(geometry: Geometry, panelShape: Shape) throws(InputError) {
    try self.init(positions: try geometry.pixelPositions(), panelShape: panelShape, path: geometry.path)
  }

  /// Throws where the positions are not those of `panelShape`, or for a canvas of more than 2^26 pixels; `path` is for messages.
  public init(positions: PixelPositions, panelShape: Shape, path: String) throws(InputError) {
    guard positions.x.shape == panelShape else {
      throw InputError(path: path, place: "", expected: "a geometry of panels \(panelShape)", found: "panels \(positions.x.shape)")
    }
    let x = positions.x.elements, y = positions.y.elements, pitch = positions.pixelSize
    let placed = positions.isLeftOut.isEmpty ? Array(x.indices) : x.indices.filter { !positions.isLeftOut[$0] }
    guard let first = placed.first else { throw InputError(path: path, place: "", expected: "a geometry with pixels", found: "none") }
    var (xLow, xHigh, yLow, yHigh, xSum, ySum) = (x[first], x[first], y[first], y[first], 0.0, 0.0)
    for i in placed {
      (xLow, xHigh, yLow, yHigh) = (min(xLow, x[i]), max(xHigh, x[i]), min(yLow, y[i]), max(yHigh, y[i]))
      xSum += x[i]
      ySum += y[i]
    }
    let rowsNeeded = (xHigh - xLow) / pitch + 1.5, columnsNeeded = (yHigh - yLow) / pitch + 1.5
    guard rowsNeeded.isFinite, columnsNeeded.isFinite, rowsNeeded * columnsNeeded < Double(1 << 26) else {
      throw InputError(
        path: path, place: "", expected: "a canvas below \(1 << 26) pixels", found: "\(rowsNeeded) × \(columnsNeeded)")
    }
    height = Int((xHigh - xLow + pitch / 2) / pitch) + 1
    width = Int((yHigh - yLow + pitch / 2) / pitch) + 1
    self.panelShape = panelShape
    pixelSizeMM = pitch / 1000
    originMM = (xLow / 1000, yLow / 1000)
    let n = Double(placed.count) * 1000
    centreMM = (xSum / n, ySum / n)
    var targets = [Int32](repeating: -1, count: x.count)
    var sources = [Int32](repeating: -1, count: height * width)
    for i in placed {
      let target = Int((x[i] - xLow + pitch / 2) / pitch) * width + Int((y[i] - yLow + pitch / 2) / pitch)
      targets[i] = Int32(target)
      if sources[target] < 0 { sources[target] = Int32(i) }
    }
    self.targets = targets
    self.sources = sources
  }

  /// The panels of `frame` on the canvas `[height, width]`; bad pixels and gaps have weight 0. Traps on another shape.
  public func assemble(_ frame: Frame) -> MaskedImage {
    precondition(frame.signal.shape == panelShape, "a frame \(frame.signal.shape) for an assembly of \(panelShape)")
    var pixels = [Float](repeating: 0, count: height * width), counts = [Float](repeating: 0, count: height * width)
    let signal = frame.signal.elements, mask = frame.mask.elements
    var collided = false
    for i in targets.indices where mask[i] != 0 && targets[i] >= 0 {
      let target = Int(targets[i])
      pixels[target] += signal[i]
      counts[target] += 1
      if counts[target] > 1 { collided = true }
    }
    if collided {
      for i in counts.indices where counts[i] > 1 {
        pixels[i] /= counts[i]
        counts[i] = 1
      }
    }
    return MaskedImage(pixels: Tensor([height, width], pixels), weight: Tensor([height, width], counts))
  }

  /// Which canvas pixels a panel pixel reaches, `[height, width]`, 1 or 0: the detector's footprint.
  public var footprint: Tensor<UInt8> { Tensor([height, width], sources.map { $0 < 0 ? 0 : 1 }) }

  /// How many panel pixels share a canvas pixel with an earlier one.
  public var collisions: Int { targets.count { $0 >= 0 } - sources.reduce(0) { $0 + ($1 < 0 ? 0 : 1) } }

  /// Where a point of the picture lies on the detector.
  public struct Location: Hashable, Sendable {
    public var panel: Int, row: Int, column: Int
    /// In the geometry's frame, whose origin is the beam where the geometry has an interaction point.
    public var xMM: Double, yMM: Double

    /// Distance from `centre`, mm.
    public func radiusMM(from centre: (x: Double, y: Double) = (0, 0)) -> Double {
      ((xMM - centre.x) * (xMM - centre.x) + (yMM - centre.y) * (yMM - centre.y)).squareRoot()
    }
  }

  /// The panel pixel under canvas pixel (row, column), or `nil` in a gap. Traps outside the canvas.
  public func location(row: Int, column: Int) -> Location? {
    precondition((0..<height).contains(row) && (0..<width).contains(column), "(\(row), \(column)) outside \(height) × \(width)")
    let source = Int(sources[row * width + column])
    guard source >= 0 else { return nil }
    let panelPixels = panelShape[1] * panelShape[2]
    return Location(
      panel: source / panelPixels, row: source % panelPixels / panelShape[2], column: source % panelShape[2],
      xMM: originMM.x + Double(row) * pixelSizeMM, yMM: originMM.y + Double(column) * pixelSizeMM)
  }

  /// Where a panel pixel falls on the canvas; `nil` where the geometry leaves it out. Traps outside the panels.
  public func canvasPixel(panel: Int, row: Int, column: Int) -> (row: Int, column: Int)? {
    precondition(
      (0..<panelShape[0]).contains(panel) && (0..<panelShape[1]).contains(row) && (0..<panelShape[2]).contains(column),
      "(\(panel), \(row), \(column)) outside \(panelShape)")
    let target = Int(targets[(panel * panelShape[1] + row) * panelShape[2] + column])
    return target < 0 ? nil : (target / width, target % width)
  }

  /// The panel pixel under the middle of pixel (row, column) of the canvas resampled to `resampledHeight` × `resampledWidth`.
  public func location(row: Int, column: Int, resampledHeight: Int, resampledWidth: Int) -> Location? {
    precondition(
      (0..<resampledHeight).contains(row) && (0..<resampledWidth).contains(column),
      "(\(row), \(column)) outside \(resampledHeight) × \(resampledWidth)")
    return location(row: (2 * row + 1) * height / (2 * resampledHeight), column: (2 * column + 1) * width / (2 * resampledWidth))
  }
}
