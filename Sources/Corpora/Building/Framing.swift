import Tensors

/// How a picture of any size fills one of the corpus's size, and back: which source pixel lies under a corpus pixel.
///
/// Everything is centred exactly: margins are equal on both sides, so that framing commutes with mirroring.
package struct Framing: Hashable, Sendable {
  /// The part of the source that is used.
  package let sourceRows: Range<Int>, sourceColumns: Range<Int>
  /// The part of the result that it fills.
  package let rows: Range<Int>, columns: Range<Int>
  package let height: Int, width: Int

  /// - Parameter centre: the source pixel that is to lie in the middle, to half a pixel; the largest part that is centred there is then all
  ///   there is. The middle of the source where left out. Traps outside of the source.
  package init(
    sourceHeight wholeHeight: Int, sourceWidth wholeWidth: Int, height: Int, width: Int, fit: SourceRecipe.Fit,
    centre: (row: Double, column: Double)? = nil
  ) {
    precondition(wholeHeight > 0 && wholeWidth > 0 && height > 0 && width > 0, "nothing to frame")
    (self.height, self.width) = (height, width)
    let sourcePart = (
      rows: centre.map { Framing.part(around: $0.row, of: wholeHeight) } ?? 0..<wholeHeight,
      columns: centre.map { Framing.part(around: $0.column, of: wholeWidth) } ?? 0..<wholeWidth)
    let sourceHeight = sourcePart.rows.count, sourceWidth = sourcePart.columns.count
    var used = (sourceHeight, sourceWidth), filled = (height, width)
    let tall = Double(sourceHeight) * Double(width), wide = Double(sourceWidth) * Double(height)
    switch fit {
    case .stretch: break
    case .inside:
      // The side that is too short gets margins.
      if tall > wide {
        filled.1 = Framing.extent(Double(height) * Double(sourceWidth) / Double(sourceHeight), within: width)
      } else {
        filled.0 = Framing.extent(Double(width) * Double(sourceHeight) / Double(sourceWidth), within: height)
      }
    case .crop:
      if tall > wide {
        used.0 = Framing.extent(Double(sourceWidth) * Double(height) / Double(width), within: sourceHeight)
      } else {
        used.1 = Framing.extent(Double(sourceHeight) * Double(width) / Double(height), within: sourceWidth)
      }
    }
    let usedRows = Framing.centred(used.0, in: sourceHeight), usedColumns = Framing.centred(used.1, in: sourceWidth)
    sourceRows = sourcePart.rows.lowerBound + usedRows.lowerBound..<sourcePart.rows.lowerBound + usedRows.upperBound
    sourceColumns = sourcePart.columns.lowerBound + usedColumns.lowerBound..<sourcePart.columns.lowerBound + usedColumns.upperBound
    rows = Framing.centred(filled.0, in: height)
    columns = Framing.centred(filled.1, in: width)
  }

  /// The nearest extent of the parity of `whole`, so that what is left over halves exactly.
  private static func extent(_ wanted: Double, within whole: Int) -> Int {
    let halves = ((Double(whole) - wanted) / 2).rounded(.toNearestOrAwayFromZero)
    let extent = whole - 2 * Int(max(0, halves))
    return extent > 0 ? extent : (whole % 2 == 0 ? 2 : 1)
  }

  /// The largest part of `extent` pixels whose middle is `centre`, to half a pixel.
  private static func part(around centre: Double, of extent: Int) -> Range<Int> {
    // Twice the place, so that halves are whole: pixel i reaches from 2i − 1 to 2i + 1.
    let doubled = Int((2 * centre).rounded())
    precondition(doubled >= 0 && doubled <= 2 * (extent - 1), "a centre at \(centre) of \(extent) pixels")
    let reach = min(doubled, 2 * (extent - 1) - doubled)
    return (doubled - reach) / 2..<(doubled + reach) / 2 + 1
  }

  private static func centred(_ extent: Int, in whole: Int) -> Range<Int> {
    let margin = (whole - extent) / 2
    return margin..<margin + extent
  }

  /// `[h,w] -> [height,width]` by area averaging; margins have weight 0.
  package func applied(to image: MaskedImage) -> MaskedImage {
    let part = image.cropped(rows: sourceRows, columns: sourceColumns)
    let small = part.resampled(toHeight: rows.count, width: columns.count)
    guard rows.count < height || columns.count < width else { return small }
    var framed = MaskedImage(
      pixels: Tensor(repeating: 0, [height, width]), weight: Tensor(repeating: 0, [height, width]))
    for r in 0..<rows.count {
      for c in 0..<columns.count {
        let target = (rows.lowerBound + r) * width + columns.lowerBound + c
        framed.pixels.elements[target] = small.pixels.elements[r * columns.count + c]
        framed.weight.elements[target] = small.weight.elements[r * columns.count + c]
      }
    }
    return framed
  }

  /// The source pixel under the middle of a corpus pixel; `nil` in a margin.
  package func source(row: Int, column: Int) -> (row: Int, column: Int)? {
    guard rows.contains(row), columns.contains(column) else { return nil }
    return (
      sourceRows.lowerBound + (2 * (row - rows.lowerBound) + 1) * sourceRows.count / (2 * rows.count),
      sourceColumns.lowerBound + (2 * (column - columns.lowerBound) + 1) * sourceColumns.count / (2 * columns.count)
    )
  }
}

extension MaskedImage {
  /// A part of the picture. Traps outside it.
  func cropped(rows: Range<Int>, columns: Range<Int>) -> MaskedImage {
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= height && columns.lowerBound >= 0 && columns.upperBound <= width,
      "rows \(rows), columns \(columns) outside \(pixels.shape)")
    guard rows.count < height || columns.count < width else { return self }
    let width = width
    func part(_ tensor: Tensor<Float>) -> Tensor<Float> {
      var elements: [Float] = []
      elements.reserveCapacity(rows.count * columns.count)
      for row in rows { elements += tensor.elements[row * width + columns.lowerBound..<row * width + columns.upperBound] }
      return Tensor([rows.count, columns.count], elements)
    }
    return MaskedImage(pixels: part(pixels), weight: part(weight))
  }
}
