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

  /// From neighbouring dark frames of one run: half the mean squared difference. Without darks from the fine structure of the
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
    var pixelSum = 0.0, pixelCount = 0, cellSum = 0.0, cellCount = 0
    for (a, b) in pairs {
      let difference = try PicturePair(reader.image(a), reader.image(b))
      pixelSum += difference.sum
      pixelCount += difference.count
      for i in digests[a].small.indices where digests[a].small[i] != 0 && digests[b].small[i] != 0 {
        let d = Double(digests[a].small[i] - digests[b].small[i])
        cellSum += d * d
        cellCount += 1
      }
    }
    if pixelCount > 0, cellCount > 0, pixelSum > 0 {
      pixel = (pixelSum / Double(2 * pixelCount)).squareRoot()
      cell = (cellSum / Double(2 * cellCount)).squareRoot()
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

  var mean: Double { count == 0 ? .infinity : sum / Double(count) }
}
