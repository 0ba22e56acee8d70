import Frames
import Host
import Tensors

/// Samples of a corpus on one page: a row a class, grey by brightness, gaps in a colour that no signal takes.
public struct ContactSheet: Sendable {
  /// The label whose classes make the rows; `nil`: one row a source.
  public var label: String?
  public var columns: Int
  public var split: Split?
  public var seed: UInt64
  /// The shares of a picture's measured pixels that are shown black and white; 0...1.
  public var percentiles: ClosedRange<Double>

  /// What unmeasured pixels look like; signal is grey.
  public static let gap = ColourImage.Colour(24, 72, 128)
  private static let paper = ColourImage.Colour(250, 250, 246)
  private static let ink = ColourImage.Colour(30, 30, 30)

  public init(
    label: String? = nil, columns: Int = 8, split: Split? = nil, seed: UInt64 = 0, percentiles: ClosedRange<Double> = 0.01...0.995
  ) {
    precondition(columns >= 1, "a sheet has columns")
    (self.label, self.columns, self.split, self.seed, self.percentiles) = (label, columns, split, seed, percentiles)
  }

  /// The sheet; the same for the same corpus and seed. Throws for a label that the corpus has not.
  public func picture(of corpus: Corpus) throws(InputError) -> ColourImage {
    if let label, !corpus.labels.contains(label) {
      throw InputError(
        path: corpus.folder, place: "label", expected: "one of \(corpus.labels.joined(separator: ", "))", found: label)
    }
    let shown = corpus.records.filter { split == nil || $0.split == split }
    let groups = Dictionary(grouping: shown) { record in label.map { record.labels[$0] ?? "" } ?? record.source }
      .filter { !$0.key.isEmpty }.sorted { $0.key < $1.key }
    guard !groups.isEmpty else {
      throw InputError(path: corpus.folder, place: "records", expected: "pictures to show", found: "none")
    }
    let height = corpus.manifest.height, width = corpus.manifest.width
    // Small pictures are magnified by a whole number, so that a pixel stays a square.
    let zoom = max(1, 96 / max(height, width)), scale = 2, space = 6, caption = 5 * scale + space
    let titles = groups.map { "\($0.key) (\($0.value.count))" }
    let titleWidth = titles.map { ColourImage.textWidth($0, scale: scale) }.max() ?? 0
    let rowHeight = caption + height * zoom + space
    var sheet = ColourImage(
      height: space + groups.count * rowHeight,
      width: max(space + columns * (width * zoom + space), titleWidth + 2 * space), filledWith: ContactSheet.paper)
    for (row, group) in groups.enumerated() {
      let top = space + row * rowHeight
      sheet.draw(titles[row], row: top, column: space, scale: scale, ContactSheet.ink)
      let pictures = try corpus.images(sample(group.value, key: group.key))
      for (column, picture) in pictures.enumerated() {
        paint(picture, on: &sheet, row: top + caption, column: space + column * (width * zoom + space), zoom: zoom)
      }
    }
    return sheet
  }

  /// Up to `columns` records, drawn without replacement.
  private func sample(_ records: [Record], key: String) -> [Record] {
    var random = Philox(seed: seed).keyed("contact sheet").keyed(key)
    return Array(records.sorted { $0.id < $1.id }.shuffled(using: &random).prefix(columns))
  }

  private func paint(_ picture: MaskedImage, on sheet: inout ColourImage, row: Int, column: Int, zoom: Int) {
    let values = picture.pixels.elements, weights = picture.weight.elements
    let measured = values.indices.filter { weights[$0] > 0 }.map { Double(values[$0]) }
    let black = Statistics.quantile(measured, percentiles.lowerBound)
    let range = Statistics.quantile(measured, percentiles.upperBound) - black
    for y in 0..<picture.height {
      for x in 0..<picture.width {
        let i = y * picture.width + x
        let share = range > 0 ? (Double(values[i]) - black) / range : 0.5
        let colour = weights[i] > 0 ? .grey(UInt8(max(0, min(255, share * 255)))) : ContactSheet.gap
        for r in row + y * zoom..<row + (y + 1) * zoom {
          for c in column + x * zoom..<column + (x + 1) * zoom { sheet[r, c] = colour }
        }
      }
    }
  }
}
