import Foundation
import Networks
import Tensors

/// How pieces are cut out of a frame so that only content can tell which: the outermost margin is never shown, and every view, cut or
/// not, is reduced to a random intermediate size below that of any piece and then enlarged to the input size. So a piece is no
/// blockier than the whole frame (nor sharper, as it were at its own size), and nothing but what it shows tells how much was cut.
///
/// It is reduced by single pixels, not by their average: the average of a whole frame has less noise than that of a piece, which would
/// tell them apart in frames without any content. And by every other pixel at most, since the area average that made the picture has
/// shared noise among neighbours.
struct CroppedFrame {
  /// Side of the smallest piece as a share of the shown frame.
  let smallestShare: Double
  /// Share of the side that is cut off all around.
  let margin: Double

  /// Pixels of the shown frame along a side: one less than the margin leaves, so that its phase can vary.
  func shownSide(of side: Int) -> Int { side - 2 * edge(of: side) - 1 }
  private func edge(of side: Int) -> Int { max(1, Int((margin * Double(side)).rounded())) }
  func pieceSide(_ share: Double, _ frame: Int) -> Int { max(1, Int((share * Double(frame)).rounded())) }

  /// The smallest picture whose smallest piece has 8 pixels a side.
  var smallestSide: Int { (10...8192).first { pieceSide(smallestShare, shownSide(of: $0)) >= 8 } ?? 8192 }

  /// The picture less its margin, cut at a random phase of one pixel: rows and columns of the frame that all answers share.
  func frame(of image: MaskedImage, using random: inout Philox) -> (rows: Range<Int>, columns: Range<Int>) {
    let side = image.height, edge = edge(of: side), frame = shownSide(of: side)
    precondition(image.width == side && side >= smallestSide, "pieces are cut out of squares of at least \(smallestSide), got \(image.pixels.shape)")
    let top = edge + Int.random(in: 0...1, using: &random), left = edge + Int.random(in: 0...1, using: &random)
    return (top..<top + frame, left..<left + frame)
  }

  /// A part of the picture as a view of the picture's size.
  func view(of image: MaskedImage, rows: Range<Int>, columns: Range<Int>, using random: inout Philox) -> MaskedImage {
    let side = intermediateSide(of: image.width, random.uniform(0.7, 1)), sides = random.next()
    return view(of: image, rows: rows, columns: columns, intermediate: side, later: (sides & 1 == 0, sides & 2 == 0))
  }

  /// The side of the intermediate picture as a share of the most, which is half of the smallest piece's.
  private func intermediateSide(of side: Int, _ share: Double) -> Int {
    let most = pieceSide(smallestShare, shownSide(of: side)) / 2
    return max(1, min(most, Int((share * Double(most)).rounded())))
  }

  private func view(
    of image: MaskedImage, rows: Range<Int>, columns: Range<Int>, intermediate: Int, later: (row: Bool, column: Bool)
  ) -> MaskedImage {
    image.cropped(rows: rows, columns: columns).pointSampled(toHeight: intermediate, width: intermediate, later: later)
      .resampled(toHeight: image.height, width: image.width)
  }

  /// About the smallest piece, exactly in the middle; `nil` for pictures that are too small.
  func centralPiece(of image: MaskedImage) -> MaskedImage? {
    let side = image.width
    guard side == image.height, side >= smallestSide else { return nil }
    // As odd as the picture, or there is no middle; and in the middle of no intermediate pixel two of the picture's meet.
    let piece = pieceSide(smallestShare, shownSide(of: side)), least = piece + (piece ^ side) & 1, wanted = intermediateSide(of: side, 0.8)
    for size in stride(from: least, through: side, by: 2) {
      guard let intermediate = (2...max(2, wanted)).last(where: { to in (0..<to).allSatisfy { (2 * $0 + 1) * size % (2 * to) != 0 } }) else { continue }
      let start = (side - size) / 2
      return view(of: image, rows: start..<start + size, columns: start..<start + size, intermediate: intermediate, later: (true, true))
    }
    return nil
  }

  func validate(largestShare: Double) throws(SettingError) {
    try SettingError.require(smallestShare > 0 && smallestShare <= largestShare, "smallestShare", "above 0, at most largestShare", smallestShare)
    try SettingError.require((0...0.25).contains(margin), "margin", "0 to 0.25", margin)
  }
}
