import Corpora
import Foundation
import Host
import Pretexts
import Tensors
import Training

/// A corpus of the same events as another one, in which the detector is turned by a symmetry of the square: its mirrored-geometry twin.
///
/// There are two kinds. Where another detector has seen the same events (`psimagenet simulate` with `detectorSymmetry`), the outline is
/// turned and the content lies as it did: the control needs nothing else. Where the same raw frames are assembled in the turned geometry
/// (`symmetry` in the corpus recipe), the content turns with the outline, so the pictures are mirror images and tell nothing by
/// themselves; but they show, measured and with its own noise, what lies under the turned outline and not under the own one.
public struct TwinCorpus: Sendable {
  public enum Kind: String, Codable, Sendable {
    case seenByTurnedDetector = "seen by the turned detector"
    case assembledAnew = "the same frames assembled in the turned geometry"
  }

  public let symmetry: Symmetry
  public let kind: Kind
  /// The twins of the records, in their order.
  public let records: [Record]
  /// Intersection over union of the twin's measured pixels with the turned ones of the corpus: mean over some pictures.
  public let overlap: Double

  /// One record of a corpus: what its twin must share. Files are named, since not all of them have time stamps. Ids tell the raw bytes, too,
  /// so they agree where the frames are the same.
  private struct Event: Hashable {
    let source: String, file: String, index: Int, event: String, panel: Int
    init(_ record: Record) {
      let id = record.event
      (source, file, index, panel) = (record.source, record.file, record.eventIndex, record.panel)
      event = "\(id.experiment)/\(id.run)/\(id.seconds)/\(id.nanoseconds)/\(id.fiducial)"
    }
  }

  /// Pictures that are compared.
  private static let sample = 32

  /// Finds the twins of `records` and the symmetry between the outlines.
  ///
  /// - Parameters:
  ///   - symmetries: those that the task asks about; any of the eight where it asks about none.
  ///   - minimumWeight: from which weight on a pixel counts as measured.
  /// Throws where pictures differ in size, an event is missing or there twice, no symmetry turns one outline into the other, it is not
  /// asked about, frames are the same for some events only, or reassembled pictures are not the mirror images that they should be.
  public init(
    _ twin: Corpus, of corpus: Corpus, _ records: [Record], askedAbout symmetries: [Symmetry], minimumWeight: Double
  ) throws(InputError) {
    let path = twin.folder + "/records.csv"
    guard twin.manifest.height == corpus.manifest.height, twin.manifest.width == corpus.manifest.width else {
      throw InputError(
        path: twin.folder + "/manifest.json", place: "image size", expected: "\(corpus.manifest.height)×\(corpus.manifest.width), as of the corpus",
        found: "\(twin.manifest.height)×\(twin.manifest.width)")
    }
    var byEvent: [Event: Record] = [:]
    for record in twin.records {
      guard byEvent.updateValue(record, forKey: Event(record)) == nil else {
        throw InputError(path: path, place: "record \(record.id)", expected: "each event once", found: "event \(record.eventIndex) of \(record.file) twice")
      }
    }
    var twins: [Record] = []
    for record in records {
      guard let other = byEvent[Event(record)] else {
        throw InputError(
          path: path, place: "source \(record.source), run \(record.run)", expected: "a picture of the event of record \(record.id) of the corpus",
          found: "none: not a twin of \(corpus.manifest.name)")
      }
      twins.append(other)
    }
    let same = zip(records, twins).count { $0.id == $1.id }
    guard same == 0 || same == records.count else {
      throw InputError(path: path, place: "", expected: "the same raw frames for all events or for none", found: "\(same) of \(records.count)")
    }
    kind = same == 0 ? .seenByTurnedDetector : .assembledAnew

    let step = max(1, records.count / TwinCorpus.sample), chosen = Array(stride(from: 0, to: records.count, by: step))
    let pairs = zip(try corpus.images(chosen.map { records[$0] }), try twin.images(chosen.map { twins[$0] })).map { ($0, $1) }
    func overlap(_ symmetry: Symmetry) -> Double {
      Statistics.mean(pairs.map { own, other in TwinCorpus.overlap(symmetry(own.weight), other.weight, minimumWeight) })
    }
    let usual = overlap(.identity), overlaps = Symmetry.allCases.filter { $0 != .identity }.map { (symmetry: $0, overlap: overlap($0)) }
    // Where several fit alike, as for a detector with symmetries of its own, the one that is asked about.
    let best = overlaps.map(\.overlap).max() ?? 0, fitting = overlaps.filter { $0.overlap > best - 0.005 }.map(\.symmetry)
    guard best >= 0.95, best > usual + 0.01 else {
      throw InputError(
        path: twin.folder, place: "outline", expected: "a detector that is another one's image under a symmetry, whose outline is not its own image",
        found: "overlaps of \(decimals(best)) turned and \(decimals(usual)) as it is")
    }
    let asked = symmetries.filter { $0 != .identity }
    guard let symmetry = fitting.first(where: { asked.isEmpty || asked.contains($0) }) else {
      throw InputError(
        path: twin.folder, place: "outline", expected: "a symmetry that the task asks about: \(asked.map(\.keyword).joined(separator: ", "))",
        found: fitting.map(\.keyword).joined(separator: ", "))
    }
    (self.symmetry, self.overlap, self.records) = (symmetry, best, twins)
    guard kind == .assembledAnew else { return }
    let residual = TwinCorpus.residual(pairs, symmetry, minimumWeight)
    guard residual < 0.05 else {
      throw InputError(
        path: twin.folder, place: "pictures", expected: "the images of the corpus's under \(symmetry.keyword), which the same frames make",
        found: "differences of \(decimals(residual)) of those between mirror images")
    }
  }

  /// Intersection over union.
  private static func overlap(_ a: Tensor<Float>, _ b: Tensor<Float>, _ limit: Double) -> Double {
    guard a.shape == b.shape else { return 0 }
    var both = 0, either = 0
    for (x, y) in zip(a.elements, b.elements) {
      let (first, second) = (Double(x) >= limit, Double(y) >= limit)
      if first && second { both += 1 }
      if first || second { either += 1 }
    }
    return either == 0 ? 1 : Double(both) / Double(either)
  }

  /// Σ|t − s(x)| / Σ|x − s(x)| over what all of them measure, t the twin of x.
  private static func residual(_ pairs: [(MaskedImage, MaskedImage)], _ symmetry: Symmetry, _ limit: Double) -> Double {
    var difference = 0.0, scale = 0.0
    for (own, other) in pairs {
      let turned = symmetry(own)
      for i in own.pixels.elements.indices
      where Double(min(own.weight.elements[i], other.weight.elements[i], turned.weight.elements[i])) >= limit {
        difference += Double(abs(other.pixels.elements[i] - turned.pixels.elements[i]))
        scale += Double(abs(own.pixels.elements[i] - turned.pixels.elements[i]))
      }
    }
    return difference == 0 ? 0 : difference / max(scale, .leastNonzeroMagnitude)
  }

  /// The own picture within the turned outline: own pixels where they are measured, the twin's where they are not.
  static func joined(_ own: MaskedImage, _ twin: MaskedImage, minimumWeight: Double) -> MaskedImage {
    let limit = Float(minimumWeight)
    var pixels = twin.pixels
    for i in pixels.elements.indices where own.weight.elements[i] >= limit && twin.weight.elements[i] > 0 {
      pixels.elements[i] = own.pixels.elements[i]
    }
    return MaskedImage(pixels: pixels, weight: twin.weight)
  }
}
