import Corpora
import Tensors
import Training

/// A batch as the network sees it: a tile for every channel of every example, the answer above it, of several tasks each above its own tiles. Gaps, which
/// are exactly 0, in a colour that no signal takes.
public struct BatchSheet: Sendable {
  /// Examples side by side.
  public var columns: Int
  /// Examples at most.
  public var limit: Int

  private static let paper = ColourImage.Colour(250, 250, 246)
  private static let ink = ColourImage.Colour(30, 30, 30)

  public init(columns: Int = 8, limit: Int = 32) {
    precondition(columns >= 1 && limit >= 1, "a sheet has columns and examples")
    (self.columns, self.limit) = (columns, limit)
  }

  /// Draws every field of pictures, `[N,C,H,W]` or `[N,V,C,H,W]`, in the order of the tasks and their names. Black and white are the least and largest
  /// of 99 % of a tile's measured pixels.
  public func picture(of batch: LabelledBatch) -> ColourImage {
    let parts = batch.parts.map { part in
      let fields = part.fields.compactMap { batch.fields[$0] }.filter { [4, 5].contains($0.shape.rank) }.map { field in
        // Several views an example stand beside each other, as channels do.
        let shape = field.shape
        return shape.rank == 4 ? field : field.reshaped(to: [shape[0], shape[1] * shape[2], shape[3], shape[4]])
      }
      return (name: part.name, fields: fields, answers: part.answers)
    }
    let fields = parts.flatMap(\.fields)
    precondition(!fields.isEmpty, "a batch has pictures")
    let count = min(limit, fields[0].shape[0]), side = fields.map { max($0.shape[2], $0.shape[3]) }.max()!
    let zoom = max(1, 160 / side), space = 6, tilesPerExample = fields.reduce(0) { $0 + $1.shape[1] }
    let exampleWidth = tilesPerExample * (side * zoom + space), across = max(1, min(columns, 16 / tilesPerExample, count))
    // Of several tasks the name stands on a line of its own.
    let line = 7, caption = 5 + (parts.count > 1 ? line : 0) + space
    let rows = (count + across - 1) / across, rowHeight = caption + side * zoom + space
    var sheet = ColourImage(
      height: space + rows * rowHeight, width: space + across * (exampleWidth + space), filledWith: BatchSheet.paper)
    for n in 0..<count {
      let top = space + n / across * rowHeight, left = space + n % across * (exampleWidth + space)
      var column = left
      for part in parts {
        let width = part.fields.reduce(0) { $0 + $1.shape[1] } * (side * zoom + space)
        let prefix = part.name + ": ", answer = part.answers[n]
        let lines = parts.count > 1 ? [part.name, answer.hasPrefix(prefix) ? String(answer.dropFirst(prefix.count)) : answer] : [answer]
        for (index, text) in lines.enumerated() {
          // What does not fit is cut off, not drawn over the neighbour.
          sheet.draw(String(text.prefix(width / 5)), row: top + index * line, column: column, scale: 1, BatchSheet.ink)
        }
        for field in part.fields {
          let plane = field.shape[2] * field.shape[3]
          for channel in 0..<field.shape[1] {
            let first = (n * field.shape[1] + channel) * plane
            paint(
              Array(field.elements[first..<first + plane]), width: field.shape[3], on: &sheet, row: top + caption, column: column, zoom: zoom)
            column += side * zoom + space
          }
        }
      }
    }
    return sheet
  }

  private func paint(_ values: [Float], width: Int, on sheet: inout ColourImage, row: Int, column: Int, zoom: Int) {
    let measured = values.filter { $0 != 0 }.map(Double.init)
    let black = measured.isEmpty ? 0 : Statistics.quantile(measured, 0.005)
    let range = measured.isEmpty ? 0 : Statistics.quantile(measured, 0.995) - black
    for (i, value) in values.enumerated() {
      let share = range > 0 ? (Double(value) - black) / range : 0.5
      let colour = value == 0 ? ContactSheet.gap : .grey(UInt8(max(0, min(255, share * 255))))
      for r in row + i / width * zoom..<row + (i / width + 1) * zoom {
        for c in column + i % width * zoom..<column + (i % width + 1) * zoom { sheet[r, c] = colour }
      }
    }
  }
}
