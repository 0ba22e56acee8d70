import Frames
import Host
import Tensors

/// Which panel of the detector each pixel of a picture mostly shows, and which part of the panel. All arrays are `[H,W]`.
///
/// The panel is the one that has the most canvas pixels with their middle in the picture's pixel, or, where none has, that overlap it;
/// `DetectorCoordinates.panel` is that under the pixel's middle, which at an edge may be none.
public struct PanelPlaces: Sendable, Equatable {
  /// Panels of the detector, rows and columns of each.
  public let panelShape: Shape
  /// -1 where no panel reaches.
  public let panel: Tensor<Int16>
  /// The mean row and column, in pixels of the panel, of what the pixel shows of it; -1 where there is none.
  public let row: Tensor<Int16>, column: Tensor<Int16>

  /// Traps unless all arrays are of one shape `[H,W]`, and places lie within the panels.
  public init(panelShape: Shape, panel: Tensor<Int16>, row: Tensor<Int16>, column: Tensor<Int16>) {
    precondition(panel.shape.rank == 2 && panel.shape == row.shape && panel.shape == column.shape, "places of unequal shapes")
    precondition(panelShape.rank == 3, "panels are [panels, rows, columns], not \(panelShape)")
    for i in panel.elements.indices where panel.elements[i] >= 0 {
      precondition(
        panel.elements[i] < panelShape[0] && (0..<panelShape[1]).contains(Int(row.elements[i]))
          && (0..<panelShape[2]).contains(Int(column.elements[i])), "a place outside \(panelShape)")
    }
    (self.panelShape, self.panel, self.row, self.column) = (panelShape, panel, row, column)
  }

  /// Of a picture of all panels. Cost: some 10 ns a pixel of the detector.
  init(_ assembly: Assembly, _ framing: Framing) {
    let size = assembly.panelShape[1] * assembly.panelShape[2], width = assembly.panelShape[2], cells = framing.height * framing.width
    var best = [Int32](repeating: 0, count: cells), places = Places([framing.height, framing.width])
    var counts = [Int32](repeating: 0, count: cells), rows = [Int](repeating: 0, count: cells), columns = rows
    for panel in 0..<assembly.panelShape[0] {
      for pixel in 0..<size {
        let target = Int(assembly.targets[panel * size + pixel])
        guard target >= 0, let cell = framing.cell(row: target / assembly.width, column: target % assembly.width) else { continue }
        counts[cell] += 1
        rows[cell] += pixel / width
        columns[cell] += pixel % width
      }
      for cell in counts.indices where counts[cell] > 0 {
        if counts[cell] > best[cell] {
          best[cell] = counts[cell]
          places.set(cell, panel, rows[cell] / Int(counts[cell]), columns[cell] / Int(counts[cell]))
        }
        (counts[cell], rows[cell], columns[cell]) = (0, 0, 0)
      }
    }
    // Pixels that no canvas pixel has its middle in, at the edge of a panel or where they are smaller than the canvas's.
    for cell in best.indices where best[cell] == 0 {
      guard let under = framing.sourceArea(ofCell: cell) else { continue }
      var tally: [Int: (count: Int, row: Int, column: Int)] = [:]
      for row in under.rows {
        for column in under.columns {
          guard let at = assembly.location(row: row, column: column) else { continue }
          let known = tally[at.panel] ?? (0, 0, 0)
          tally[at.panel] = (known.count + 1, known.row + at.row, known.column + at.column)
        }
      }
      if let most = tally.max(by: { ($0.value.count, $1.key) < ($1.value.count, $0.key) }) {
        places.set(cell, most.key, most.value.row / most.value.count, most.value.column / most.value.count)
      }
    }
    self = places.made(panelShape: assembly.panelShape)
  }

  /// Of a picture of one panel, of which `rows` and `columns` are used.
  init(panel: Int, of panelShape: Shape, rows: Range<Int>, columns: Range<Int>, _ framing: Framing) {
    var places = Places([framing.height, framing.width])
    for cell in 0..<framing.height * framing.width {
      guard let source = framing.source(row: cell / framing.width, column: cell % framing.width) else { continue }
      places.set(cell, panel, rows.lowerBound + source.row, columns.lowerBound + source.column)
    }
    self = places.made(panelShape: panelShape)
  }

  private struct Places {
    var panel: Tensor<Int16>, row: Tensor<Int16>, column: Tensor<Int16>
    init(_ shape: Shape) { (panel, row, column) = (Tensor(repeating: -1, shape), Tensor(repeating: -1, shape), Tensor(repeating: -1, shape)) }
    mutating func set(_ cell: Int, _ panel: Int, _ row: Int, _ column: Int) {
      (self.panel.elements[cell], self.row.elements[cell], self.column.elements[cell]) = (Int16(panel), Int16(row), Int16(column))
    }
    func made(panelShape: Shape) -> PanelPlaces { PanelPlaces(panelShape: panelShape, panel: panel, row: row, column: column) }
  }
}

extension Framing {
  /// The corpus pixel, row-major, that the middle of a source pixel lies in; `nil` outside of what is used.
  func cell(row: Int, column: Int) -> Int? {
    guard sourceRows.contains(row), sourceColumns.contains(column) else { return nil }
    let r = (2 * (row - sourceRows.lowerBound) + 1) * rows.count / (2 * sourceRows.count)
    let c = (2 * (column - sourceColumns.lowerBound) + 1) * columns.count / (2 * sourceColumns.count)
    return (rows.lowerBound + r) * width + columns.lowerBound + c
  }
}

extension Framing {
  /// The source pixels that a corpus pixel overlaps; `nil` in a margin.
  func sourceArea(ofCell cell: Int) -> (rows: ClosedRange<Int>, columns: ClosedRange<Int>)? {
    guard rows.contains(cell / width), columns.contains(cell % width) else { return nil }
    func part(_ place: Int, _ target: Range<Int>, _ source: Range<Int>) -> ClosedRange<Int> {
      let i = place - target.lowerBound
      return source.lowerBound + i * source.count / target.count...source.lowerBound + ((i + 1) * source.count - 1) / target.count
    }
    return (part(cell / width, rows, sourceRows), part(cell % width, columns, sourceColumns))
  }
}

extension Record {
  /// Readout chips down and across a panel of the detector; one where it is not known to have more.
  public var chips: (down: Int, across: Int) { DetectorCatalog.detector(named: detector)?.chips ?? (1, 1) }
}
