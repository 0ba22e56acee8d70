import Foundation
import Host

/// What a corpus may do and still pass; every bound is written into the report.
public struct AuditBounds: Codable, Hashable, Sendable {
  /// The share of the way from chance to certainty that a label may be told from a side channel: 0 nothing, 1 everything.
  /// A gate fails where the one-sided lower confidence bound of a probe's score exceeds chance + share·(1 − chance).
  public var header = 0.25
  public var mask = 0.25
  public var frameNumber = 0.25
  public var run = 0.25
  /// The chance that a corpus without leaks fails by any of its probes (family-wise, Bonferroni).
  public var falseAlarm = 0.05
  /// Two pictures are near-duplicates where their mean squared difference is below this share of what independent noise makes.
  /// Runs differ in their noise, and panels share a part of it: independent dark frames of a simulated CSPAD came down to 0.50.
  public var copy = 0.25
  /// The same for pictures that show more than a dark frame does: there, a difference as small as noise makes one scene.
  public var sameScene = 1.2
  /// Pictures that may have a near-duplicate in another split.
  public var duplicates = 0
  /// The fewest pictures that a class must have in a split in which its label occurs.
  public var smallestClass = SmallestClass()
  /// Pictures that may hold a measured pixel that is no number.
  public var nonFinitePictures = 0
  /// Pictures that may have no measured pixel.
  public var allMaskedPictures = 0
  /// A picture counts as saturated from this share of its raw frame's good pixels on.
  public var saturatedPixels = 0.001
  /// The share of a source's pictures that may be saturated.
  public var saturatedPictures = 0.05
  /// Draws folds and, from very large corpora, samples.
  public var seed: UInt64 = 0

  public struct SmallestClass: Codable, Hashable, Sendable {
    public var train = 1
    public var validation = 0
    public var test = 1
    public init() {}
  }

  public init() {}

  /// Bounds from a JSON file that names those which differ from the usual ones; an unknown key is an error.
  public init(reading path: String) throws(InputError) {
    let given = try CanonicalJSON.value(JSONValue.self, from: try AtomicFile.read(path), path: path)
    self = try JSONValue.of(AuditBounds()).overlaid(with: given, path: path, place: "").decoded(as: AuditBounds.self, path: path, place: "")
    for (name, share) in [
      ("header", header), ("mask", mask), ("frameNumber", frameNumber), ("run", run), ("saturatedPixels", saturatedPixels),
      ("saturatedPictures", saturatedPictures),
    ] where !(0...1).contains(share) {
      throw InputError(path: path, place: name, expected: "a share of 0 to 1", found: "\(share)")
    }
    guard falseAlarm > 0, falseAlarm < 1 else {
      throw InputError(path: path, place: "falseAlarm", expected: "a chance between 0 and 1", found: "\(falseAlarm)")
    }
    guard copy >= 0, sameScene >= 0, copy.isFinite, sameScene.isFinite else {
      throw InputError(path: path, place: "copy, sameScene", expected: "0 or more", found: "\(copy), \(sameScene)")
    }
  }
}
