import Corpora
import Foundation
import Instruments
import Tensors

/// Sketches of instruments side by side: title, picture with marks, curves.
public enum SketchSheet {
  private static let tile = 360, space = 10, curveHeight = 110, text = 10
  private static let paper = ColourImage.Colour(250, 250, 246), ink = ColourImage.Colour(30, 30, 30), rule = ColourImage.Colour(205, 205, 200)
  private static let mark = ColourImage.Colour(214, 60, 40)
  private static let curves = [ColourImage.Colour(31, 88, 160), ColourImage.Colour(214, 110, 20), ColourImage.Colour(40, 140, 80)]

  /// Up to three in a row. Traps for no sketches.
  public static func picture(of sketches: [Sketch]) -> ColourImage {
    precondition(!sketches.isEmpty, "nothing to draw")
    let across = min(3, sketches.count), down = (sketches.count + across - 1) / across
    let heights = sketches.map { size($0.image).height + $0.panels.count * (curveHeight + text + space) }
    let height = (heights.max() ?? 0) + text + 2 * space
    var sheet = ColourImage(height: down * height + space, width: across * (tile + 2 * space) + space, filledWith: paper)
    for (i, sketch) in sketches.enumerated() {
      draw(sketch, on: &sheet, row: i / across * height + space, column: i % across * (tile + 2 * space) + space)
    }
    return sheet
  }

  /// The picture's height and width on the sheet, and source pixels a sheet pixel.
  private static func size(_ image: MaskedImage) -> (height: Int, width: Int, scale: Double) {
    let scale = max(Double(image.width), Double(image.height)) / Double(tile)
    return (max(1, Int(Double(image.height) / scale)), max(1, Int(Double(image.width) / scale)), scale)
  }

  private static func draw(_ sketch: Sketch, on sheet: inout ColourImage, row: Int, column: Int) {
    sheet.draw(sketch.title, row: row, column: column, scale: 2, ink)
    var top = row + text + space / 2
    paint(sketch, on: &sheet, row: top, column: column)
    top += size(sketch.image).height + space
    for panel in sketch.panels {
      plot(panel, on: &sheet, row: top, column: column)
      top += curveHeight + text + space
    }
  }

  /// The brightest source pixel under each sheet pixel, so that spots stay in view; black at the 1 % and white at the 99.8 % quantile.
  private static func paint(_ sketch: Sketch, on sheet: inout ColourImage, row: Int, column: Int) {
    let image = sketch.image, (height, width, scale) = size(image)
    var values = [Double](repeating: .nan, count: height * width)
    for y in 0..<image.height {
      let r = min(height - 1, Int(Double(y) / scale))
      for x in 0..<image.width where image.weight.elements[y * image.width + x] > 0 {
        let at = r * width + min(width - 1, Int(Double(x) / scale)), value = Double(image.pixels.elements[y * image.width + x])
        if values[at].isNaN || value > values[at] { values[at] = value }
      }
    }
    if scale < 1 {
      // Small pictures are magnified: every sheet pixel takes its source pixel.
      for r in 0..<height {
        for c in 0..<width {
          let i = min(image.height - 1, Int(Double(r) * scale)) * image.width + min(image.width - 1, Int(Double(c) * scale))
          values[r * width + c] = image.weight.elements[i] > 0 ? Double(image.pixels.elements[i]) : .nan
        }
      }
    }
    let seen = values.filter { !$0.isNaN }
    let black = Statistics.quantile(seen, 0.01), range = Statistics.quantile(seen, 0.998) - black
    for r in 0..<height {
      for c in 0..<width {
        let value = values[r * width + c]
        let share = range > 0 ? max(0, min(1, (value - black) / range)) : 0.5
        sheet[row + r, column + c] = value.isNaN ? ContactSheet.gap : .grey(UInt8(255 * share.squareRoot()))
      }
    }
    for spot in sketch.marks {
      let r = row + Int(Double(spot.row) / scale), c = column + Int(Double(spot.column) / scale)
      for (dr, dc) in [(-4, 0), (4, 0), (0, -4), (0, 4), (-3, -2), (-3, 2), (3, -2), (3, 2), (-2, -3), (2, -3), (-2, 3), (2, 3)]
      where r + dr >= row && r + dr < row + height && c + dc >= column && c + dc < column + width {
        sheet[r + dr, c + dc] = mark
      }
    }
  }

  private static func plot(_ panel: Sketch.Panel, on sheet: inout ColourImage, row: Int, column: Int) {
    var left = column
    sheet.draw(panel.title, row: row, column: left, scale: 2, ink)
    left += ColourImage.textWidth(panel.title, scale: 2) + 2 * space
    for (i, curve) in panel.curves.enumerated() {
      sheet.draw(curve.name, row: row, column: left, scale: 2, curves[i % curves.count])
      left += ColourImage.textWidth(curve.name, scale: 2) + space
    }
    let top = row + text + 2, height = curveHeight - 2
    let xs = panel.curves.flatMap(\.x), ys = panel.curves.flatMap(\.y).filter(\.isFinite)
    guard let xLow = xs.min(), let xHigh = xs.max(), xHigh > xLow, let yMin = ys.min(), let yMax = ys.max() else { return }
    let yLow = min(0, yMin), yHigh = max(yMax, yLow + 1e-12)
    func place(_ x: Double, _ y: Double) -> (row: Int, column: Int) {
      (top + Int(Double(height - 1) * (yHigh - y) / (yHigh - yLow)), column + Int(Double(tile - 1) * (x - xLow) / (xHigh - xLow)))
    }
    for c in column..<column + tile { sheet[place(xLow, 0).row, c] = rule }
    for line in panel.lines where line >= xLow && line <= xHigh {
      for r in top..<top + height { sheet[r, place(line, 0).column] = mark }
    }
    for (i, curve) in panel.curves.enumerated() {
      for k in curve.x.indices.dropFirst() where curve.y[k - 1].isFinite && curve.y[k].isFinite {
        segment(place(curve.x[k - 1], curve.y[k - 1]), place(curve.x[k], curve.y[k]), curves[i % curves.count], on: &sheet)
      }
    }
    let top2 = String(format: "%.3g", yHigh), ends = String(format: "%.4g", xLow), end = String(format: "%.4g", xHigh)
    sheet.draw(top2, row: top, column: column + tile - ColourImage.textWidth(top2, scale: 1), scale: 1, ink)
    sheet.draw(ends, row: top + height - 6, column: column, scale: 1, ink)
    sheet.draw(end, row: top + height - 6, column: column + tile - ColourImage.textWidth(end, scale: 1), scale: 1, ink)
  }

  private static func segment(_ a: (row: Int, column: Int), _ b: (row: Int, column: Int), _ colour: ColourImage.Colour, on sheet: inout ColourImage) {
    let steps = max(abs(b.row - a.row), abs(b.column - a.column), 1)
    for step in 0...steps {
      let share = Double(step) / Double(steps)
      let r = a.row + Int((Double(b.row - a.row) * share).rounded()), c = a.column + Int((Double(b.column - a.column) * share).rounded())
      sheet[r, c] = colour
    }
  }
}
