import Corpora
import Cues
import Host
import Tensors

/// What a detector's noise does to a stored picture, in tone-mapped units.
struct NoiseFloor: Codable, Hashable, Sendable {
  /// σ of a pixel.
  var pixel: Double
  /// σ of a cell of the small picture.
  var cell: Double
  /// How it was found, in words.
  var origin: String
  /// Dark frames of the source: indices into its records.
  var darks: [Int]

  /// Pairs of dark frames that are compared at most.
  private static let pairs = 256

  /// σ of one frame by the differences of two: from the median |d|, which a panel whose common mode was missed does not move; from
  /// the mean square where more than half of the differences are 0.
  private static func sigma(_ differences: [Double]) -> Double {
    guard !differences.isEmpty else { return 0 }
    let middle = Statistics.median(differences.map { abs($0) })
    let meanSquare = differences.reduce(0) { $0 + $1 * $1 } / Double(differences.count)
    return middle > 0 ? middle / (0.6745 * 2.0.squareRoot()) : (meanSquare / 2).squareRoot()
  }

  /// From neighbouring dark frames of one run, the median over pairs. Without darks from the fine structure of the
  /// pictures, a tenth of which lie below the estimate: then structure counts as noise, and near-duplicates are judged more widely.
  init(_ records: [Record], _ digests: [PictureDigest], _ reader: ImageReader) throws(InputError) {
    let isDark = Set(DarkFrames.select(records).map(\.id))
    darks = records.indices.filter { isDark.contains(records[$0].id) }
    let byRun = Dictionary(grouping: darks) { records[$0].run }.sorted { $0.key < $1.key }.map(\.value)
    var pairs = byRun.flatMap { frames -> [(Int, Int)] in
      let ordered = frames.sorted { (records[$0].panel, records[$0].eventIndex) < (records[$1].panel, records[$1].eventIndex) }
      return zip(ordered, ordered.dropFirst()).filter { records[$0].panel == records[$1].panel }.map { ($0, $1) }
    }
    if pairs.count > Self.pairs { pairs = stride(from: 0, to: pairs.count, by: pairs.count / Self.pairs).map { pairs[$0] } }
    var pixels: [Double] = [], cells: [Double] = []
    for (a, b) in pairs {
      pixels.append(Self.sigma(PicturePair.differences(try reader.image(a), try reader.image(b))))
      let small = zip(digests[a].small, digests[b].small).filter { $0.0 != 0 && $0.1 != 0 }
      cells.append(Self.sigma(small.map { Double($0.0 - $0.1) }))
    }
    let known = (pixels.filter { $0 > 0 }, cells.filter { $0 > 0 })
    if !known.0.isEmpty, !known.1.isEmpty {
      (pixel, cell) = (Statistics.median(known.0), Statistics.median(known.1))
      origin = "\(pairs.count) pairs of dark frames"
    } else {
      let estimates = digests.map { Double($0.noise) }.filter { !$0.isNaN }
      pixel = estimates.isEmpty ? 0 : Statistics.quantile(estimates, 0.1)
      let measured = Statistics.median(digests.map { Double($0.measured) })
      let cells = Statistics.median(digests.map { digest in Double(digest.small.count { $0 != 0 }) })
      cell = pixel / max(1, measured / max(1, cells)).squareRoot()
      origin = "the fine structure of \(digests.count) pictures, for want of dark frames"
    }
  }
}

/// The squared difference of two pictures over the pixels that both measured.
struct PicturePair {
  var sum = 0.0
  var count = 0

  init(_ a: StoredImage, _ b: StoredImage) {
    let x = a.pixels.elements.span, y = b.pixels.elements.span, u = a.weight.elements.span, v = b.weight.elements.span
    for i in x.indices where u[i] > 0 && v[i] > 0 {
      let d = Double(x[i]) - Double(y[i])
      guard d.isFinite else { continue }
      sum += d * d
      count += 1
    }
  }

  /// Pixel by pixel.
  static func differences(_ a: StoredImage, _ b: StoredImage) -> [Double] {
    a.pixels.elements.indices.compactMap { i in
      guard a.weight.elements[i] > 0, b.weight.elements[i] > 0 else { return nil }
      let d = Double(a.pixels.elements[i]) - Double(b.pixels.elements[i])
      return d.isFinite ? d : nil
    }
  }

  var mean: Double { count == 0 ? .infinity : sum / Double(count) }
}
