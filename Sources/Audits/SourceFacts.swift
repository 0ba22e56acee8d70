import Corpora
import Cues
import Foundation
import Host
import Tensors

/// What a flip detector could do on a source without a photon.
public struct SourceFacts: Codable, Hashable, Sendable {
  public var source: String
  public var detector: String
  public var pictures: Int
  public var runs: Int
  /// Intersection over union of the measured pixels with their mirror image, in place: mean over runs.
  public var mirrorOverlap: Double
  /// The same for the best shift along the rows and columns.
  public var registeredMirrorOverlap: Double
  /// Measured pixels that the mirrored mask also keeps.
  public var keptByBoth: Double
  public var dark: FlipFloor?

  init(_ scan: PictureScan.Source, of corpus: Corpus) throws(InputError) {
    source = scan.name
    detector = scan.detector
    pictures = scan.records.count
    let byRun = Dictionary(grouping: scan.records, by: \.run).sorted { $0.key < $1.key }
    runs = byRun.count
    // Masks change from run to run, if at all.
    let step = max(1, byRun.count / 16), chosen = stride(from: 0, to: byRun.count, by: step).map { byRun[$0].value[0] }
    var inPlace: [Double] = [], registered: [Double] = [], kept: [Double] = []
    for image in try corpus.images(chosen) {
      let overlap = MirrorOverlap(image)
      inPlace.append(overlap.inPlace)
      registered.append(overlap.registered)
      kept.append(overlap.kept)
    }
    mirrorOverlap = Statistics.mean(inPlace)
    registeredMirrorOverlap = Statistics.mean(registered)
    keptByBoth = Statistics.mean(kept)
    dark = try FlipFloor(scan, of: corpus)
  }
}

/// A mask and its mirror image (left and right exchanged).
struct MirrorOverlap {
  let inPlace: Double, registered: Double, kept: Double

  /// Pixels count as measured from half their area on. Shifts of up to a tenth of the side are tried.
  init(_ image: MaskedImage) {
    inPlace = MaskOnly.mirrorOverlap(image, minimumWeight: 0.5)
    let height = image.height, width = image.width, mask = image.weight.elements.map { $0 >= 0.5 }
    let mirrored = Symmetry.mirror(image.weight).elements.map { $0 >= 0.5 }
    let area = mask.count { $0 }, reach = max(1, max(height, width) / 10)
    var best = 0.0, bestBoth = 0
    for down in -reach...reach {
      for across in -reach...reach {
        var both = 0
        for row in max(0, down)..<min(height, height + down) {
          for column in max(0, across)..<min(width, width + across)
          where mask[row * width + column] && mirrored[(row - down) * width + column - across] { both += 1 }
        }
        let overlap = area == 0 ? 1 : Double(both) / Double(2 * area - both)
        if overlap > best { (best, bestBoth) = (overlap, both) }
      }
    }
    registered = area == 0 ? 1 : best
    kept = area == 0 ? 1 : Double(bestBoth) / Double(area)
  }
}
