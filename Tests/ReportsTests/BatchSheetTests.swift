import Corpora
import Pretexts
import Reports
import Tensors
import Testing
import Training

/// Two tasks whose names are not in the order of the alphabet: `b` shows a gap, `a` a ramp. Each answer stands above its own tile.
@Test(arguments: [["b", "a"], ["a", "b"]]) func everyAnswerStandsAboveItsOwnPictures(order: [String]) throws {
  let side = 40, ramp = (0..<side * side).map { 1 + Float($0) }
  let fields: [String: Tensor<Float>] = [
    "b.view": Tensor(repeating: 0, [1, 1, side, side]), "a.view": Tensor([1, 1, side, side], ramp),
    // Classes of both: one answer that is drawn, one that is blank.
    "b.answer": Tensor([1, 1], [1]), "a.answer": Tensor([1, 1], [1]),
  ]
  let batch = LabelledBatch(fields, order.map { Question(name: $0, target: "\($0).answer") }, classes: ["a: ", "b: mmmm"])
  let sheet = BatchSheet().picture(of: batch)
  // Two tiles side by side; the caption is above them.
  let tile = (sheet.width - 12) / 2, caption = 0..<23, pictures = 26..<sheet.height - 8
  func share(_ part: Int, _ rows: Range<Int>, _ holds: (ColourImage.Colour) -> Bool) -> Double {
    let columns = 6 + part * tile..<6 + (part + 1) * tile - 20
    let count = rows.reduce(0) { sum, row in sum + columns.count { holds(sheet[row, $0]) } }
    return Double(count) / Double(rows.count * columns.count)
  }
  let gap = order.firstIndex(of: "b")!
  #expect(share(gap, pictures) { $0 == ContactSheet.gap } > 0.95 && share(1 - gap, pictures) { $0 == ContactSheet.gap } == 0)
  func ink(_ part: Int) -> Double { share(part, caption) { $0.red < 100 } }
  // "B" and below it "MMMM" have more ink than "A" and nothing.
  #expect(ink(gap) > 1.5 * ink(1 - gap) && ink(1 - gap) > 0)
}
