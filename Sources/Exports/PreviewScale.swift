import Corpora
import Host
import Tensors

/// How values become the grey of 8-bit pictures: one straight scale for the whole corpus, so that brightness compares between
/// pictures. Grey 0 is what was not measured; measured values take 1...255.
struct PreviewScale: Hashable, Sendable {
  /// The value at grey 1 and at grey 255; values beyond are clipped.
  let black: Double, white: Double

  /// From the 0.1 % and 99.9 % quantiles of measured values of up to 256 records, evenly spaced.
  init(_ corpus: Corpus) throws(InputError) {
    let step = max(1, corpus.records.count / 256)
    let chosen = stride(from: 0, to: corpus.records.count, by: step).prefix(256).map { corpus.records[$0] }
    var values: [Double] = []
    let reader = try ImageReader(corpus, chosen)
    // About a million values of all.
    let stride = max(1, chosen.count * corpus.manifest.height * corpus.manifest.width >> 20)
    for index in chosen.indices {
      let image = try reader.image(index)
      for i in Swift.stride(from: index % stride, to: image.pixels.elements.count, by: stride) where image.weight.elements[i] > 0 {
        values.append(Double(image.pixels.elements[i]))
      }
    }
    let low = Statistics.quantile(values, 0.001), high = Statistics.quantile(values, 0.999)
    (black, white) = high > low ? (low, high) : (low, low + 1)
  }

  func grey(_ image: StoredImage) -> [UInt8] {
    let scale = 254 / (white - black)
    return zip(image.pixels.elements, image.weight.elements).map { value, weight in
      weight == 0 ? 0 : UInt8(max(1, min(255, (1 + (Double(value) - black) * scale).rounded())))
    }
  }

  var words: String { "value = \(black) + (grey − 1) · \((white - black) / 254); grey 0 was not measured; values beyond are clipped" }
}
