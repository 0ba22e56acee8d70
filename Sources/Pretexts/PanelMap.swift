import Tensors

/// Which panel and which readout chip of the detector each pixel of a picture mostly shows.
public struct PanelMap: Sendable, Equatable {
  /// `[H,W]`; -1 where the picture shows no panel.
  public let panels: Tensor<Int16>
  /// Chips numbered over all panels, `[H,W]`; -1 where the picture shows none.
  public let chips: Tensor<Int16>
  /// The row and column within the panel, in pixels of the panel, `[H,W]`; -1 where there is none.
  public let rows: Tensor<Int16>, columns: Tensor<Int16>
  /// Of the detector, also of those that the picture does not show.
  public let panelCount: Int, chipCount: Int
  /// How many detector pixels one pixel of the picture shows in the mean.
  public let pixelsAPixel: Double
  /// How many columns of a panel one pixel of the picture shows, at least 1: a readout column of the picture.
  public let columnsAPixel: Int
  /// Of a panel.
  public let panelColumns: Int

  /// - Parameters:
  ///   - panels: `[H,W]`, and of the same shape `rows` and `columns` within the panel; anything below 0 where there is none.
  ///   - panelShape: panels of the detector, rows and columns of each.
  ///   - chips: down and across a panel, of equal size.
  /// Traps on unequal shapes and places outside of the panels.
  public init(
    panels: Tensor<Int16>, rows: Tensor<Int16>, columns: Tensor<Int16>, panelShape: Shape, chips: (down: Int, across: Int) = (1, 1)
  ) {
    precondition(panels.shape.rank == 2 && panels.shape == rows.shape && panels.shape == columns.shape, "a panel map of unequal shapes")
    precondition(panelShape.rank == 3 && chips.down > 0 && chips.across > 0, "panels \(panelShape) of \(chips.down)×\(chips.across) chips")
    (self.panels, self.rows, self.columns) = (panels, rows, columns)
    let (height, width, each) = (panelShape[1], panelShape[2], chips.down * chips.across)
    (panelCount, chipCount, panelColumns) = (panelShape[0], panelShape[0] * each, width)
    precondition(chipCount <= Int(Int16.max), "\(chipCount) chips")
    var numbers = Tensor<Int16>(repeating: -1, panels.shape), shown: Set<Int16> = [], count = 0
    for i in panels.elements.indices where panels.elements[i] >= 0 {
      let (panel, row, column) = (Int(panels.elements[i]), Int(rows.elements[i]), Int(columns.elements[i]))
      precondition(panel < panelCount && (0..<height).contains(row) && (0..<width).contains(column), "(\(panel), \(row), \(column)) of \(panelShape)")
      numbers.elements[i] = Int16(panel * each + row * chips.down / height * chips.across + column * chips.across / width)
      shown.insert(panels.elements[i])
      count += 1
    }
    self.chips = numbers
    pixelsAPixel = Double(shown.count * height * width) / Double(max(1, count))
    columnsAPixel = min(width, max(1, Int(pixelsAPixel.squareRoot().rounded())))
  }

  public var shape: Shape { panels.shape }

  private init(_ map: PanelMap, turnedBy symmetry: Symmetry) {
    (panels, chips, rows, columns) = (symmetry(map.panels), symmetry(map.chips), symmetry(map.rows), symmetry(map.columns))
    (panelCount, chipCount, panelColumns) = (map.panelCount, map.chipCount, map.panelColumns)
    (pixelsAPixel, columnsAPixel) = (map.pixelsAPixel, map.columnsAPixel)
  }

  /// The map of the picture that `symmetry` makes of this one's.
  public func turned(by symmetry: Symmetry) -> PanelMap { PanelMap(self, turnedBy: symmetry) }

  /// The map turned by any of `symmetries`, drawn evenly: for pictures that were turned by one of them, so that the outline of chips says
  /// nothing about which. Draws only where there is a map.
  static func turned(_ map: PanelMap?, byAnyOf symmetries: [Symmetry], using random: inout Philox) -> PanelMap? {
    guard let map, !symmetries.isEmpty else { return map }
    return map.turned(by: symmetries[Int.random(in: 0..<symmetries.count, using: &random)])
  }

  /// Whether a pixel lies within `reach` pixels of another panel, of none, or of the picture's edge, `[H,W]`.
  func isEdge(within reach: Int) -> [Bool] {
    let (height, width) = (shape[0], shape[1])
    guard reach > 0 else { return Array(repeating: false, count: height * width) }
    // Along rows, then along columns: a square of neighbours, one line at a time.
    func differs(_ i: Int, _ place: Int, _ extent: Int, _ step: Int) -> Bool {
      (1...reach).contains { distance in
        place < distance || place + distance >= extent || panels.elements[i - distance * step] != panels.elements[i]
          || panels.elements[i + distance * step] != panels.elements[i]
      }
    }
    let along = panels.elements.indices.map { differs($0, $0 % width, width, 1) }
    return panels.elements.indices.map { i in
      let row = i / width
      return differs(i, row, height, width) || (max(0, row - reach)...min(height - 1, row + reach)).contains { along[$0 * width + i % width] }
    }
  }

  /// Pairs of pixels of two panels that show the same part of them: each the other's nearest, so that exchanging them moves every pixel
  /// to a place of its own. Only pixels of `shown` take part.
  func counterparts(of first: Int, and second: Int, among shown: [Bool]) -> [(Int, Int)] {
    func members(_ panel: Int) -> [Int] { panels.elements.indices.filter { panels.elements[$0] == Int16(panel) && shown[$0] } }
    let (a, b) = (members(first), members(second))
    func nearest(_ pixel: Int, among others: [Int]) -> Int? {
      let row = Int(rows.elements[pixel]), column = Int(columns.elements[pixel])
      var best: Int?, least = Int.max
      for other in others {
        let down = Int(rows.elements[other]) - row, across = Int(columns.elements[other]) - column, distance = down * down + across * across
        if distance < least { (best, least) = (other, distance) }
      }
      return best
    }
    let back = Dictionary(uniqueKeysWithValues: b.map { ($0, nearest($0, among: a)) })
    return a.compactMap { pixel in
      guard let other = nearest(pixel, among: b), back[other] == pixel else { return nil }
      return (pixel, other)
    }
  }
}
